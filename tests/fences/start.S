/* Entry from the firmware in S-mode: the first hart, and those it starts. */
    .section .text.start, "ax"
    .globl _start
_start:
    la sp, stacks_end
    la t0, trap
    csrw stvec, t0
    csrw sie, zero
    call main

    /* a1: the end of its stack */
    .globl second_start
second_start:
    mv sp, a1
    la t0, trap
    csrw stvec, t0
    csrw sie, zero
    call second

    .balign 4
trap:
    csrr a0, scause
    csrr a1, sepc
    call trapped

    .bss
    .balign 16
    .globl stacks
stacks:
    .space 8 * 4096
stacks_end:
