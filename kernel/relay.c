/*
 * The kernel's side of the three relays (abi/sbi_uinta.h). The PLIC context
 * plic_s is M-mode's here: the firmware shows it as S-mode's in the tree.
 */
#include "kernel/hart.h"
#include "kernel/irq.h"
#include "kernel/log.h"
#include "kernel/phys.h"
#include "kernel/riscv.h"
#include "kernel/sbi.h"

/* What M-mode and the kernel on the same hart share. */
struct mailbox {
    uint64_t word;  /* 0: SSIP was not for a device */
    uint64_t claim; /* physical address of the context's claim register */
    uint64_t sources[SOURCES_MAX / 64]; /* call: a bit each: claimed */
};

static struct mailbox mailboxes[HARTS_MAX];
static uint32_t relay; /* RELAY_*, the same on every hart */

/*
 * RELAY_CALL: runs in M-mode, without translation, in the middle of anything,
 * also while this hart holds the kernel lock and sstatus.SIE is 0. So it takes
 * no lock, follows no pointer that the kernel has stored (they are virtual),
 * makes no SBI call, and leaves the rest to the kernel, through SSIP. Code and
 * constants are addressed relative to pc and thus found where it runs.
 */
static int64_t in_machine_mode(struct mailbox *box)
{
    uint32_t source = *(volatile uint32_t *)box->claim;

    __atomic_fetch_or(&box->sources[source / 64], 1UL << source % 64,
                      __ATOMIC_RELAXED);
    __atomic_store_n(&box->word, 1, __ATOMIC_RELEASE);
    csr_set(CSR_SIP, 1 << IRQ_S_SOFT);
    return 0;
}

static void take_mail(struct mailbox *box)
{
    for (uint32_t w = 0; w < SOURCES_MAX / 64; w++) {
        uint64_t bits =
            __atomic_exchange_n(&box->sources[w], 0, __ATOMIC_RELAXED);

        for (; bits; bits &= bits - 1) {
            uint32_t source = w * 64 + (uint32_t)__builtin_ctzl(bits);

            if (source) /* 0: another context was faster */
                irq_claimed(source);
        }
    }
}

void relay_hart_enable(struct hart *h)
{
    static const char *const names[] = {"none", "claim", "call", "mask"};
    struct mailbox *box = &mailboxes[h->index];

    if (relay == RELAY_NONE) {
        relay = sbi_uinta(SBI_UINTA_RELAY, 0, 0) % 4;
        if (relay == RELAY_NONE)
            return;
        log_print("external interrupts by relay: %s\n", names[relay]);
    }
    box->claim = plic_context_page(&h->plic_s) + PLIC_CLAIM;
    if (relay == RELAY_CALL)
        sbi_uinta(SBI_UINTA_RELAY_HANDLER, virt_to_phys(in_machine_mode),
                  virt_to_phys(box));
    else
        sbi_uinta(SBI_UINTA_RELAY_WORD, virt_to_phys(box), 0);
}

uint32_t relay_interrupt(void)
{
    struct mailbox *box = &mailboxes[this_hart->index];
    uint64_t word = __atomic_exchange_n(&box->word, 0, __ATOMIC_ACQUIRE);

    if (word && relay == RELAY_CLAIM) {
        irq_claimed((uint32_t)word);
    } else if (word && relay == RELAY_CALL) {
        take_mail(box);
    } else if (word) {
        irq_interrupt();
        sbi_uinta(SBI_UINTA_RELAY_UNMASK, 0, 0);
    }
    return relay;
}
