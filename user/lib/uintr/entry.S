/*
 * Where user interrupts enter: the software and the timer interrupt, and the
 * external one of a driver with a virtual PLIC page, which is every driver
 * that did not ask for another (contexts.S).
 */
#include "user/lib/uintr/entry.inc"

        .text
        vectors uintr_vectors, external, uintr_external_asleep

/*
 * External. A first claim of 0 says that the kernel holds claims of ours:
 * uintr_take_recorded() asks it.
 */
external:
        save
        lui     t0, %hi(USER_UINTR_PLIC)
        STEP
        lwu     a1, PLIC_CLAIM(t0)
        STEP
        beqz    a1, recorded
        serve
return:
        restore_return

recorded:
        call    uintr_take_recorded
        j       return

/*
 * Software. USIP is cleared before the handler drains what it was rung for:
 * a ring during the drain then sets it again and is not lost.
 */
        .globl  uintr_entry_soft
uintr_entry_soft:
        save
        csrci   CSR_UIP, UIRQ_SOFT
        trace   TRACE_ENTER, zero
1:      auipc   t1, %pcrel_hi(uintr_soft)
        addi    t1, t1, %pcrel_lo(1b)
        ld      t2, 0(t1)
        ld      a0, 8(t1)
        jalr    t2
        trace   TRACE_EXIT, zero
        j       return

/* Timer: the handler's answer is the next deadline; setting it clears UTIP. */
        .globl  uintr_entry_timer
uintr_entry_timer:
        save
        call    uintr_timer_expired
        j       return
