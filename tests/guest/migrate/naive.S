/*
 * What the remedies remedy: the context is looked up once, and used for the
 * claim and for the completion.
 */
#include "step.inc"
#include "user/lib/uintr/entry.inc"

        .text
        vectors naive_vectors, external, external
external:
        save
        lui     t0, %hi(USER_UINTR_STATS)
        lwu     t1, %lo(USER_UINTR_STATS)(t0)
        lui     t2, %hi(USER_UINTR_CONTEXTS)
        slli    t0, t1, 12
        add     t0, t0, t2
        sd      t0, DIRECT(sp)
        STEP
        lwu     a1, PLIC_CLAIM(t0)
        STEP
        beqz    a1, recorded
taken:
        handle
        ld      a1, SOURCE(sp)
        STEP
        ld      t0, DIRECT(sp)
        STEP
        sw      a1, PLIC_CLAIM(t0)
        STEP
        restore_return
recorded:
        call    uintr_take_next
        mv      a1, a0
        bnez    a1, taken
        restore_return
        steps   naive_steps
