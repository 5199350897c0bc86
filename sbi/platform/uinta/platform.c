/*
 * The platform: OpenSBI's generic one (device-tree driven), with user-level
 * interrupts added through its override hooks and the linker's --wrap.
 */
#include <libfdt.h>
#include <platform_override.h>
#include <sbi/riscv_asm.h>
#include <sbi/riscv_encoding.h>
#include <sbi/sbi_ecall.h>
#include <sbi/sbi_error.h>
#include <sbi/riscv_barrier.h>
#include <sbi/sbi_hart.h>
#include <sbi/sbi_hsm.h>
#include <sbi/sbi_scratch.h>
#include <sbi_utils/fdt/fdt_helper.h>

#include "abi/sbi_uinta.h"
#include "abi/startup.h"
#include "abi/uintr.h"
#include "relay.h"
#include "reset.h"
#include "uintr.h"

/*
 * Every PLIC context of an M-mode target becomes the U context of its hart.
 * Before generic's fix-ups run, which would make them 0xffffffff, and after
 * the PLIC driver has read them. A context that the machine made for a hart
 * with N (virt,uintr=on) leads nowhere on one without, and is no context.
 */
enum { NO_LINE = 0xffffffff };

static void plic_mark_user_contexts(void *fdt)
{
    static const char *const names[] = {"sifive,plic-1.0.0", "riscv,plic0"};

    for (int i = 0; i < 2; i++) {
        int node = fdt_node_offset_by_compatible(fdt, -1, names[i]);
        for (; node >= 0;
             node = fdt_node_offset_by_compatible(fdt, node, names[i])) {
            int bytes;
            if (i && !fdt_node_check_compatible(fdt, node, names[0]))
                continue; /* it has both names: done */
            fdt32_t *cells = (fdt32_t *)fdt_getprop(
                fdt, node, "interrupts-extended", &bytes);
            for (int c = 1; cells && c < bytes / 4; c += 2) {
                uint32_t line = fdt32_to_cpu(cells[c]);
                if (line == IRQ_M_EXT)
                    cells[c] = cpu_to_fdt32(IRQ_U_EXT);
                else if (line == IRQ_U_EXT)
                    cells[c] = cpu_to_fdt32(NO_LINE);
            }
        }
    }
}

static int uinta_ecall_probe(unsigned long extid, unsigned long *out)
{
    *out = 1;
    return 0;
}

static int uinta_ecall(unsigned long extid, unsigned long funcid,
                       const struct sbi_trap_regs *regs, unsigned long *out,
                       struct sbi_trap_info *trap)
{
    if (funcid != SBI_UINTA_DELIVERY)
        return relay_ecall(funcid, regs, out);
    *out = relay_mode() ? DELIVERY_NONE : uintr_delivery();
    return 0;
}

static struct sbi_ecall_extension uinta_extension = {
    .extid_start = SBI_EXT_UINTA,
    .extid_end = SBI_EXT_UINTA,
    .probe = uinta_ecall_probe,
    .handle = uinta_ecall,
};

static int uinta_early_init(bool cold, const struct fdt_match *match)
{
    return cold ? uintr_reserve() : 0;
}

/* What a hart needs of us before S-mode runs on it. */
static void hart_init(void)
{
    if (relay_mode())
        relay_hart_init();
    else
        uintr_hart_init();
}

/* The last thing a starting hart does before it leaves for S-mode. */
static int uinta_final_init(bool cold, const struct fdt_match *match)
{
    int error = cold ? relay_init(fdt_get_address()) : 0;

    if (error)
        return error;
    hart_init();
    if (!cold)
        return 0;
    reset_init(fdt_get_address());
    if (!relay_mode() && uintr_delivery() == DELIVERY_EMULATED)
        plic_mark_user_contexts(fdt_get_address());
    return sbi_ecall_register_extension(&uinta_extension);
}

/* A cpu node says "riscv" on every machine. */
static const struct fdt_match any_riscv[] = {{.compatible = "riscv"}, {}};

static const struct platform_override uinta_override = {
    .match_table = any_riscv,
    .early_init = uinta_early_init,
    .final_init = uinta_final_init,
};

const struct platform_override *platform_override_modules[] = {&uinta_override};
unsigned long platform_override_modules_size = 1;

/*
 * OpenSBI's vector lands here when ours has passed a trap on, with all
 * registers saved.
 */
struct sbi_trap_regs *__real_sbi_trap_handler(struct sbi_trap_regs *regs);
struct sbi_trap_regs *__wrap_sbi_trap_handler(struct sbi_trap_regs *regs)
{
    ulong cause = csr_read(CSR_MCAUSE), pc = regs->mepc;

    if (uintr_finish(regs) || uintr_trap(regs, cause) ||
        relay_trap(regs, cause))
        return regs;
    regs = __real_sbi_trap_handler(regs);
    relay_after(regs, pc);
    return regs;
}

/*
 * A hart that wakes from non-retentive suspend comes through here only (its
 * start does not: that call is inside OpenSBI's object). It has OpenSBI's
 * vector, and its CSRs are at reset, ours included.
 */
int __real_sbi_hart_reinit(struct sbi_scratch *scratch);
int __wrap_sbi_hart_reinit(struct sbi_scratch *scratch)
{
    int error = __real_sbi_hart_reinit(scratch);

    if (!error)
        hart_init();
    return error;
}

/*
 * OpenSBI 1.1 lets a stopped hart go before it has written where to: the hart
 * may look in between, and then starts at the boot address as a second boot
 * hart. So the address is written first; what OpenSBI refuses, nobody reads.
 */
int __real_sbi_hsm_hart_start(struct sbi_scratch *scratch,
                              const struct sbi_domain *dom, u32 hartid,
                              ulong saddr, ulong smode, ulong priv);
int __wrap_sbi_hsm_hart_start(struct sbi_scratch *scratch,
                              const struct sbi_domain *dom, u32 hartid,
                              ulong saddr, ulong smode, ulong priv)
{
    struct sbi_scratch *target = sbi_hartid_to_scratch(hartid);

    if (target &&
        sbi_hsm_hart_get_state(dom, hartid) == SBI_HSM_STATE_STOPPED) {
        target->next_arg1 = priv;
        target->next_addr = saddr;
        target->next_mode = smode;
        smp_wmb();
    }
    return __real_sbi_hsm_hart_start(scratch, dom, hartid, saddr, smode, priv);
}
