/*
 * Entry from the firmware, and the switch to the code under test and back.
 */
#include "isa.h"

    .section .text.start, "ax"
    .globl _start
_start:
    la sp, stack_top
    la t0, __bss_start
    la t1, __bss_end
1:  sd zero, (t0)
    addi t0, t0, 8
    bltu t0, t1, 1b
    la t0, trap
    csrw stvec, t0
    csrw sscratch, zero
    call main
2:  wfi
    j 2b

/* A second hart: a1 = its stack top. */
    .globl second_start
    .balign 4
second_start:
    mv sp, a1
    la t0, trap
    csrw stvec, t0
    csrw sscratch, zero
    call second_main
3:  wfi
    j 3b

    .globl park_start
    .balign 4
park_start:
    mv sp, a1
    call park_main
4:  wfi
    j 4b

/*
 * run_status(ctx, sstatus): ctx is in sscratch while the code runs. UIE and
 * UPIE are the case's own: on a hart with N they are bits of sstatus.
 */
    .globl run_status
    .balign 4
run_status:
    sd ra, CTX_HOST+0(a0)
    sd sp, CTX_HOST+8(a0)
    sd s0, CTX_HOST+16(a0)
    sd s1, CTX_HOST+24(a0)
    sd s2, CTX_HOST+32(a0)
    sd s3, CTX_HOST+40(a0)
    sd s4, CTX_HOST+48(a0)
    sd s5, CTX_HOST+56(a0)
    sd s6, CTX_HOST+64(a0)
    sd s7, CTX_HOST+72(a0)
    sd s8, CTX_HOST+80(a0)
    sd s9, CTX_HOST+88(a0)
    sd s10, CTX_HOST+96(a0)
    sd s11, CTX_HOST+104(a0)
    csrw sscratch, a0
    csrr t0, sstatus
    andi t0, t0, 0x11
    or t0, t0, a1
    csrw sstatus, t0
    ld t0, CTX_PC(a0)
    csrw sepc, t0
    .irp n, 1,2,3,4,5,6,7,8,9,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    ld x\n, 8*\n(a0)
    .endr
    ld a0, 80(a0)
    sret

    .balign 4
trap:
    csrrw a0, sscratch, a0
    beqz a0, lost
    .irp n, 1,2,3,4,5,6,7,8,9,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    sd x\n, 8*\n(a0)
    .endr
    csrrw t0, sscratch, zero
    sd t0, 80(a0)
    csrr t0, sepc
    sd t0, CTX_PC(a0)
    csrr t0, scause
    sd t0, CTX_CAUSE(a0)
    csrr t0, stval
    sd t0, CTX_TVAL(a0)
    csrr t0, sstatus
    sd t0, CTX_STATUS(a0)
    ld ra, CTX_HOST+0(a0)
    ld sp, CTX_HOST+8(a0)
    ld s0, CTX_HOST+16(a0)
    ld s1, CTX_HOST+24(a0)
    ld s2, CTX_HOST+32(a0)
    ld s3, CTX_HOST+40(a0)
    ld s4, CTX_HOST+48(a0)
    ld s5, CTX_HOST+56(a0)
    ld s6, CTX_HOST+64(a0)
    ld s7, CTX_HOST+72(a0)
    ld s8, CTX_HOST+80(a0)
    ld s9, CTX_HOST+88(a0)
    ld s10, CTX_HOST+96(a0)
    ld s11, CTX_HOST+104(a0)
    ret

/* The checker itself trapped: say where, and end. */
lost:
    la sp, stack_top
    csrr a0, scause
    csrr a1, sepc
    csrr a2, stval
    call checker_trapped

    .section .bss.stack, "aw", @nobits
    .balign 4096
    .space 16384
stack_top:
