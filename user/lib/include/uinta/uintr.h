/*
 * User interrupts (N extension 1.1; native or emulated, the code is the same):
 * CSR access, and a C handler table behind vectored assembly entries.
 *
 * One thread of a process registers; handlers run on its stack, between two
 * of its instructions, with UIE clear. What a handler shares with the rest of
 * the thread is `volatile` or a lock-free ring, or the rest masks UIE around
 * it: a handler that takes a lock its own thread holds waits for ever.
 *
 * Each access to a u* CSR is one instruction on a hart with N, about 50 under
 * emulation: the entries use none but `uret`, and one to clear USIP.
 */
#ifndef UINTA_UINTR_H
#define UINTA_UINTR_H

#include <stdbool.h>
#include "abi/layout.h"
#include "abi/object.h"
#include "abi/uintr.h"
#include "gen/syscalls.h"

#define UINTR_STRING2(x) #x
#define UINTR_STRING(x)  UINTR_STRING2(x)

/* CSRs by number: the assembler does not know the N extension's names. */
#define uintr_csr_read(csr)                            \
    ({                                                 \
        uint64_t value_;                               \
        __asm__ volatile("csrr %0, " UINTR_STRING(csr) \
                         : "=r"(value_)                \
                         :                             \
                         : "memory");                  \
        value_;                                        \
    })
#define uintr_csr_write(csr, value)                   \
    __asm__ volatile("csrw " UINTR_STRING(csr) ", %0" \
                     :                                \
                     : "rK"((uint64_t)(value))        \
                     : "memory")
#define uintr_csr_set(csr, bits)                      \
    __asm__ volatile("csrs " UINTR_STRING(csr) ", %0" \
                     :                                \
                     : "rK"((uint64_t)(bits))         \
                     : "memory")
#define uintr_csr_clear(csr, bits)                    \
    __asm__ volatile("csrc " UINTR_STRING(csr) ", %0" \
                     :                                \
                     : "rK"((uint64_t)(bits))         \
                     : "memory")

/*
 * Register the calling thread and point utvec at the entries; uie and UIE
 * stay clear. Returns DELIVERY_EMULATED or DELIVERY_NATIVE, or E_BUSY,
 * E_UNSUPPORTED (then take irqs by irq_bind and a notification).
 */
int64_t uintr_init(void);

/*
 * The same for a driver that finds its PLIC context by the number of its hart,
 * as was done before there was a virtual page: with the retry loop, which can
 * be fooled, or with a restartable sequence, which takes the thread's one
 * thread_rseq(). For measurements and labs: such a driver can reach other
 * drivers' contexts. `system` has R_CONTEXTS; E_RIGHTS without.
 */
int64_t uintr_init_retry(handle_t system);
int64_t uintr_init_rseq(handle_t system);

/*
 * Install a handler, then enable its class of interrupt in uie (NULL removes
 * it and leaves uie alone). Install before irq_attach: an interrupt without a
 * receiver is completed, counted in uintr_unexpected, and lost.
 *
 * External: called once a claim of `source`; the entry completes it when the
 * handler returns. E_ARG: source 0 or >= SOURCES_MAX.
 */
int64_t uintr_on_source(uint32_t source, void (*handler)(void *), void *arg);

/* Soft: USIP is clear already when it runs; drain after that, not before. */
void uintr_on_soft(void (*handler)(void *), void *arg);

/*
 * Timer: returns the next deadline in ticks, DEADLINE_NEVER for none; passing
 * it on clears UTIP, and a deadline that is past by then fires again at once,
 * so that two close timers cannot become one.
 */
void uintr_on_timer(uint64_t (*handler)(void *), void *arg);

/* Soft interrupts whenever `notification` is rung: uintr_on_soft + poll it. */
int64_t uintr_bind(handle_t notification);

/* Claims that found no handler; soft and timer interrupts without one. */
extern uint64_t uintr_unexpected;

/* Complete claims that went to the kernel while this thread was off-hart. */
extern uint64_t uintr_taken;

static inline void uintr_enable(void)
{
    uintr_csr_set(CSR_USTATUS, USTATUS_UIE);
}

static inline void uintr_disable(void)
{
    uintr_csr_clear(CSR_USTATUS, USTATUS_UIE);
}

/* Mask, and unmask only if it was unmasked: these pairs nest. */
static inline uint64_t uintr_save(void)
{
    uint64_t old;
    __asm__ volatile("csrrci %0, " UINTR_STRING(CSR_USTATUS) ", 1"
                     : "=r"(old)
                     :
                     : "memory");
    return old & USTATUS_UIE;
}

static inline void uintr_restore(uint64_t saved)
{
    if (saved)
        uintr_enable();
}

/*
 * Sleep until an enabled user interrupt is pending. To wait for a condition
 * that a handler makes true: uintr_disable(); while (!condition)
 * { uintr_sleep(...); uintr_enable(); uintr_disable(); } uintr_enable();
 * Looking with UIE set would lose an interrupt between look and sleep.
 */
static inline int64_t uintr_sleep(uint64_t deadline)
{
    return sys_uintr_wait(deadline);
}

/*
 * Sleep without a deadline and run the handlers of what ended it, called with UIE
 * clear, which it is again when this returns: for a thread that does nothing
 * but wait, or looks for work in between. On a hart with N this costs some 50
 * instructions an interrupt less than uintr_sleep() with UIE set; under emulation
 * it takes more CSR accesses and costs more. Drivers of uintr_init() and those
 * with contexts alike.
 */
void uintr_pause(void);

/*
 * The same with UIE set, which it stays: sleeps until *word is not 0. A handler
 * that changes it so calls uintr_woke() afterwards. Returns also when claims of
 * the kernel's have been handled (uintr_taken), and may for nothing. For the
 * thread that registered; where CSR accesses cost (emulation).
 */
void uintr_sleep_unless(const volatile uint64_t *word);
void uintr_woke_slow(void);
extern volatile uint32_t uintr_falling_asleep;

static inline void uintr_woke(void)
{
    if (uintr_falling_asleep)
        uintr_woke_slow();
}

/* What a handler must keep while it can itself be interrupted. */
struct uintr_nest {
    uint64_t uepc, ucause, ustatus;
};

/*
 * Around the part of a handler that other interrupts may come into. The
 * source being handled cannot: it is claimed and not yet completed.
 */
static inline void uintr_nest_begin(struct uintr_nest *n)
{
    n->uepc = uintr_csr_read(CSR_UEPC);
    n->ucause = uintr_csr_read(CSR_UCAUSE);
    n->ustatus = uintr_csr_read(CSR_USTATUS);
    uintr_enable();
}

static inline void uintr_nest_end(const struct uintr_nest *n)
{
    uintr_disable();
    uintr_csr_write(CSR_UEPC, n->uepc);
    uintr_csr_write(CSR_UCAUSE, n->ucause);
    uintr_csr_write(CSR_USTATUS, n->ustatus);
}

#endif
