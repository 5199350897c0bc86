/* Entry from the firmware in S-mode, and traps, all of which are mistakes. */
    .section .text.start, "ax"
    .globl _start
_start:
    la sp, stack_top
    la t0, __bss_start
    la t1, __bss_end
1:  bgeu t0, t1, 2f
    sd zero, (t0)
    addi t0, t0, 8
    j 1b
2:  la t0, trap
    csrw stvec, t0
    csrw sie, zero
    call main

    .balign 4
trap:
    la sp, stack_top
    csrr a0, scause
    csrr a1, sepc
    csrr a2, stval
    call trapped

/* A second hart, started by a case: says so, and sleeps. */
    .globl second_start
    .balign 4
second_start:
    li t0, 1
    sd t0, (a1)
    fence
3:  wfi
    j 3b

    .section .bss.stack, "aw", @nobits
    .balign 16
    .globl stack
stack:
    .space 16384
    .globl stack_top
stack_top:
