/*
 * Entry in M-mode, of all harts: hart 0 runs bare_main, the others wait for
 * bare_on. mscratch is 0 but for the traps' own use.
 */
#include "bare.h"

    .section .text.start, "ax"
    .globl _start
_start:
    csrw mie, zero
    la t0, trap
    csrw mtvec, t0
    li t0, BARE_HARTS
1:  bgeu a0, t0, 1b
    la sp, stacks
    addi t0, a0, 1
    li t1, BARE_STACK
    mul t0, t0, t1
    add sp, sp, t0
    bnez a0, other
    la t0, __bss_start
    la t1, __bss_end
2:  bgeu t0, t1, 3f
    sd zero, (t0)
    addi t0, t0, 8
    j 2b
3:  mv a0, a1
    call bare_main
/* Interrupts stay off; a software interrupt only ends the wfi. */
other:
    csrwi mie, 8
    call bare_other

/* Registers x1..x31 below the stack pointer, then C. */
    .balign 4
trap:
    addi sp, sp, -256
    .irp n, 1,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    sd x\n, 8*\n(sp)
    .endr
    addi t0, sp, 256
    sd t0, 16(sp)
    mv a0, sp
    call bare_trap
    .irp n, 1,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    ld x\n, 8*\n(sp)
    .endr
    addi sp, sp, 256
    mret

    /* Not in .bss: the other harts stand on theirs while hart 0 clears it. */
    .section .data.stacks, "aw"
    .balign 16
stacks:
    .space BARE_HARTS * BARE_STACK
