/*
 * First instructions of every hart, at physical addresses with satp = 0.
 * Both ways in turn translation on with boot_root, which maps all of memory
 * at its own address and at KERNEL_BASE, and go on high.
 *
 * Boot hart: a0 = hart id, a1 = device tree [SBI, HSM]. The firmware starts
 * one hart; the others arrive at secondary_entry through hart_start.
 */
#include "kernel/offsets.h"

    .section .text.entry, "ax"
    .globl _start
_start:
    csrw    sie, zero
    csrw    sscratch, zero
    li      tp, 0
    mv      s0, a0
    mv      s1, a1
    la      t0, bss_start
    la      t1, bss_end
1:  sd      zero, 0(t0)
    addi    t0, t0, 8
    bltu    t0, t1, 1b
    la      sp, hart_stacks + STACK_STRIDE
    la      ra, boot_main
    j       translate

/* a0 = hart id, a1 = virtual address of its struct hart */
    .globl secondary_entry
secondary_entry:
    csrw    sie, zero
    csrw    sscratch, zero
    mv      s0, a0
    mv      s1, a1
    mv      tp, a1
    la      ra, secondary_main
    li      sp, 0
    j       translate

/* to ra's high address, with a0 = s0, a1 = s1, on sp's high address */
translate:
    li      t0, KERNEL_BASE
    add     ra, ra, t0
    add     sp, sp, t0
    la      t1, boot_root
    srli    t1, t1, 12
    li      t2, 8 << 60
    or      t1, t1, t2
    la      t3, 1f
    add     t3, t3, t0
    csrw    stvec, t3           /* the fetch after satp may fault to 1: */
    sfence.vma
    csrw    satp, t1
    jr      t3
    .balign 4
1:  la      t0, trap_entry
    csrw    stvec, t0
    beqz    tp, 2f              /* the boot hart has no struct hart yet */
    ld      sp, HART_STACK(tp)
2:  mv      a0, s0
    mv      a1, s1
    jr      ra

/* GiB leaves: all of memory high, and all of it where it is */
    .section .rodata
    .balign 4096
boot_root:
    .set    gib, 0
    .rept   512
    .quad   0xcf | (gib & 255) << 28    /* D A X W R V; PPN of a GiB */
    .set    gib, gib + 1
    .endr
