/*
 * The two historic remedies for the completion that goes to the wrong hart, for
 * drivers that see the U contexts of all harts (uintr_init_contexts): the
 * retry loop and the restartable sequence. docs/design/interrupts.md compares
 * them with the virtual page.
 *
 * Both claim by the hart's index, which the kernel writes in the page of the
 * counters. A first claim of 0 says that the kernel holds claims of ours:
 * uintr_take_next() asks for one, and it is handled and completed as any other.
 */
#include "user/lib/uintr/entry.inc"

        /* t1 = index of the hart we run on, t0 = its context: true until we move */
        .macro  context
        lui     t0, %hi(USER_UINTR_STATS)
        STEP
        lwu     t1, %lo(USER_UINTR_STATS)(t0)
        STEP
        lui     t2, %hi(USER_UINTR_CONTEXTS)
        STEP
        slli    t0, t1, 12
        STEP
        add     t0, t0, t2
        STEP
        .endm

        /* Count source a1 for `irqs` if this thread claimed it. */
        .macro  count
        ld      t2, DIRECT(sp)
        lui     t1, %hi(USER_UINTR_STATS)
        slli    t0, a1, 3
        addi    t1, t1, %lo(USER_UINTR_STATS)
        add     t1, t1, t0
        ld      t0, 0(t1)
        add     t0, t0, t2
        sd      t0, 0(t1)
        .endm

        /*
         * Nothing to claim. Directly after a claim that is all there was; else
         * the kernel may have one for us: to `dispatch` with a1 = its source.
         */
        .macro  nothing dispatch
        ld      t0, DIRECT(sp)
        bnez    t0, 4f
        call    uintr_take_next
        mv      a1, a0
        sd      zero, DIRECT(sp)
        bnez    a1, \dispatch
4:      restore_return
        .endm

        .text
/*
 * The retry loop: if the hart is another one afterwards, the access may have gone
 * to a context that was no longer ours: once more. It is fooled by a thread that
 * goes to another hart and back between its two looks at the index: such a
 * completion is ignored, and the device is silent for ever.
 */
        vectors uintr_vectors_retry, external_retry, external_retry
external_retry:
        save
        sd      zero, DIRECT(sp)
claim_retry:
        context
        lwu     a1, PLIC_CLAIM(t0)
        STEP
        lui     t2, %hi(USER_UINTR_STATS)
        STEP
        lwu     t2, %lo(USER_UINTR_STATS)(t2)
        STEP
        bnez    a1, 2f
        bne     t1, t2, claim_retry
        nothing dispatch_retry
2:      li      t0, 1
        sd      t0, DIRECT(sp)
        trace   TRACE_CLAIM, a1
        STEP
dispatch_retry:
        handle
        ld      a1, SOURCE(sp)
        STEP
complete_retry:
        context
        sw      a1, PLIC_CLAIM(t0)
        STEP
        lui     t2, %hi(USER_UINTR_STATS)
        STEP
        lwu     t2, %lo(USER_UINTR_STATS)(t2)
        STEP
        bne     t1, t2, complete_retry
        trace   TRACE_COMPLETE, a1
        count
        j       claim_retry

/*
 * The restartable sequence, from look at the index to access, is completion and
 * claim one after the other: registered as one range, and t6 tells the abort
 * code how far the thread had come when it was taken off its hart. The access
 * is the last instruction of each, so that no access is made twice.
 */
        vectors uintr_vectors_rseq, external_rseq, external_rseq
external_rseq:
        save
        sd      zero, DIRECT(sp)
        j       claim_rseq
dispatch_rseq:
        handle
        ld      a1, SOURCE(sp)
        /* Before it: in the sequence, which may begin again, it would be two. */
        trace   TRACE_COMPLETE, a1
        count
        STEP
        .globl  uintr_rseq_start
uintr_rseq_start:
complete_rseq:
        context
        sw      a1, PLIC_CLAIM(t0)
claim_rseq:
        STEP
        context
        lwu     a1, PLIC_CLAIM(t0)
        .globl  uintr_rseq_end
uintr_rseq_end:
        STEP
        beqz    a1, 3f
        li      t0, 1
        sd      t0, DIRECT(sp)
        trace   TRACE_CLAIM, a1
        STEP
        j       dispatch_rseq
3:      nothing dispatch_rseq

        .globl  uintr_rseq_abort
uintr_rseq_abort:
        la      t0, claim_rseq
        bltu    t6, t0, complete_rseq
        j       claim_rseq
