/*
 * Sleds: rows of nops in which time can be told by the instruction. With
 * -icount shift=4 an instruction takes 16 ns of virtual time, so a byte of
 * 1,600 ns is 100 instructions.
 */
    .text
    .option norvc

/*
 * unsigned probe(volatile uint8_t *store, uint8_t value,
 *                volatile uint8_t *load, unsigned n)
 * Stores, and loads with the n-th instruction after it, 2 <= n < 4096.
 */
    .globl probe
    .balign 4
probe:
    la t0, 2f
    addi a3, a3, -2
    slli a3, a3, 2
    sub t0, t0, a3
    sb a1, (a0)
    jr t0
    .rept 4096
    nop
    .endr
2:  lbu a0, (a2)
    ret

/*
 * int interrupted(volatile uint8_t *store, uint8_t value)
 * Stores with interrupts on. How many instructions after the store did the
 * interrupt come? -1: it did not in 4096.
 */
    .globl interrupted
    .balign 4
interrupted:
    la t0, 2f
    csrrw t2, mtvec, t0
    li t0, 1 << 11
    csrw mie, t0
    csrsi mstatus, 8
1:  sb a1, (a0)
    .rept 4096
    nop
    .endr
    li t0, -1
    j 3f
    .balign 4
2:  csrr t0, mepc
    la t1, 1b
    sub t0, t0, t1
    srai t0, t0, 2
    addi t0, t0, -1
    bgez t0, 3f
    li t0, 0 /* it was pending already */
3:  csrci mstatus, 8
    csrw mie, zero
    csrw mtvec, t2
    mv a0, t0
    ret
