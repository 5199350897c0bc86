/*
 * Where user interrupts enter: the vector table and one entry for each class.
 *
 * Vectored, so that nobody reads ucause: under emulation each CSR access
 * costs some 50 instructions. An entry saves the 16 registers that the ABI
 * lets a C function change, and no others (programs have no floating-point
 * registers); it keeps sp 16-byte aligned because it found it so. There is no
 * red zone below sp. All state is on the stack: a handler that sets UIE again
 * (uintr_nest_begin) can be interrupted by another run of the same code.
 */
#include "abi/layout.h"
#include "abi/uintr.h"

#define URET .word 0x00200073 /* [N 1.1] */

/* 16 registers, and the claimed source at 128. */
#define FRAME  144
#define SOURCE 128

        .macro  save
        addi    sp, sp, -FRAME
        sd      ra, 0(sp)
        sd      a0, 8(sp)
        sd      a1, 16(sp)
        sd      a2, 24(sp)
        sd      a3, 32(sp)
        sd      a4, 40(sp)
        sd      a5, 48(sp)
        sd      a6, 56(sp)
        sd      a7, 64(sp)
        sd      t0, 72(sp)
        sd      t1, 80(sp)
        sd      t2, 88(sp)
        sd      t3, 96(sp)
        sd      t4, 104(sp)
        sd      t5, 112(sp)
        sd      t6, 120(sp)
        .endm

        .macro  restore_return
        ld      ra, 0(sp)
        ld      a0, 8(sp)
        ld      a1, 16(sp)
        ld      a2, 24(sp)
        ld      a3, 32(sp)
        ld      a4, 40(sp)
        ld      a5, 48(sp)
        ld      a6, 56(sp)
        ld      a7, 64(sp)
        ld      t0, 72(sp)
        ld      t1, 80(sp)
        ld      t2, 88(sp)
        ld      t3, 96(sp)
        ld      t4, 104(sp)
        ld      t5, 112(sp)
        ld      t6, 120(sp)
        addi    sp, sp, FRAME
        URET
        .endm

        .text
        .globl  uintr_vectors
        .type   uintr_vectors, @function
        .option push
        .option norvc           /* cause c enters at base + 4c */
        .balign 64
uintr_vectors:
        j       soft            /* 0; exceptions too, but none is delegated */
        .rept   3
        unimp
        .endr
        j       timer           /* 4 */
        .rept   3
        unimp
        .endr
        j       external        /* 8 */
        .option pop

/*
 * External. Claim [plic 5]; call the source's handler; complete, on whatever
 * hart this thread is by now: the page follows it; claim again until there is
 * no more, which is cheaper than one more entry. A first claim of 0 says that
 * the kernel holds claims of ours: uintr_take_recorded() asks it.
 */
        .balign 4
external:
        save
        lui     t0, %hi(USER_UINTR_PLIC)
        lwu     a1, PLIC_CLAIM(t0)
        beqz    a1, recorded
dispatch:
1:      auipc   t1, %pcrel_hi(uintr_sources)
        slli    t2, a1, 4
        addi    t1, t1, %pcrel_lo(1b)
        add     t1, t1, t2
        ld      t2, 0(t1)
        ld      a0, 8(t1)
        sd      a1, SOURCE(sp)
        jalr    t2
        ld      a1, SOURCE(sp)
        lui     t0, %hi(USER_UINTR_PLIC)
        sw      a1, PLIC_CLAIM(t0)
        /* Count it for `irqs`, after the handler: not on its way in. */
        lui     t1, %hi(USER_UINTR_STATS)
        slli    t2, a1, 3
        addi    t1, t1, %lo(USER_UINTR_STATS)
        add     t1, t1, t2
        ld      t2, 0(t1)
        addi    t2, t2, 1
        sd      t2, 0(t1)
        lwu     a1, PLIC_CLAIM(t0)
        bnez    a1, dispatch
return:
        restore_return

recorded:
        call    uintr_take_recorded
        j       return

/*
 * Software. USIP is cleared before the handler drains what it was rung for:
 * a ring during the drain then sets it again and is not lost.
 */
soft:
        save
        csrci   CSR_UIP, UIRQ_SOFT
1:      auipc   t1, %pcrel_hi(uintr_soft)
        addi    t1, t1, %pcrel_lo(1b)
        ld      t2, 0(t1)
        ld      a0, 8(t1)
        jalr    t2
        j       return

/* Timer: the handler's answer is the next deadline; setting it clears UTIP. */
timer:
        save
        call    uintr_timer_expired
        j       return
        .size   uintr_vectors, . - uintr_vectors
