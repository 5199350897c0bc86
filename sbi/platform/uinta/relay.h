/*
 * External interrupts for an S-mode that gets none, as on a K210: M-mode takes
 * them and hands them over. Owns mie.MEIE on such a machine; there the N
 * extension is not emulated, because the PLIC's M contexts are taken.
 */
#ifndef SBI_RELAY_H
#define SBI_RELAY_H

#include <sbi/sbi_trap.h>

/*
 * On the boot hart, when the console is there: reads the relay from the
 * device tree (/chosen, uinta,relay) and, if there is one, shows S-mode the M
 * contexts of the PLIC as its own. 0, or SBI_E* after a message.
 */
int relay_init(void *fdt);

/* RELAY_* of abi/sbi_uinta.h. */
unsigned long relay_mode(void);

/* Each hart at its start and resume, on a machine with a relay. */
void relay_hart_init(void);

/* True if the trap was the relay's and is dealt with. */
bool relay_trap(struct sbi_trap_regs *regs, unsigned long cause);

/* OpenSBI has dealt with a trap at `pc`: was it an SBI call that it cannot? */
void relay_after(struct sbi_trap_regs *regs, unsigned long pc);

/* Functions from SBI_UINTA_RELAY on: 0 or SBI_E*, the result in *out. */
int relay_ecall(unsigned long function, const struct sbi_trap_regs *regs,
                unsigned long *out);

/*
 * relay_call.S: handler(argument), or RELAY_TRAPPED if it was ended by going
 * on at relay_abandon with the words of `frame` untouched in a0.
 */
struct relay_frame {
    unsigned long word[14]; /* ra, sp, s0..s11 */
};
long relay_call(unsigned long handler, unsigned long argument,
                struct relay_frame *frame);
extern const char relay_abandon[];

#endif
