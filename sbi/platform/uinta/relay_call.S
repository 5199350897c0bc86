/*
 * Calling S-mode's handler in M-mode, so that it can be ended when it traps:
 * what a C function keeps is saved in a struct relay_frame, as setjmp would.
 */
    .text
    .balign 4
    .globl relay_call
relay_call:
    sd ra, 0(a2)
    sd sp, 8(a2)
    sd s0, 16(a2)
    sd s1, 24(a2)
    sd s2, 32(a2)
    sd s3, 40(a2)
    sd s4, 48(a2)
    sd s5, 56(a2)
    sd s6, 64(a2)
    sd s7, 72(a2)
    sd s8, 80(a2)
    sd s9, 88(a2)
    sd s10, 96(a2)
    sd s11, 104(a2)
    mv s0, a2
    mv t0, a0
    mv a0, a1
    jalr t0
    mv a2, s0
1:  ld ra, 0(a2)
    ld sp, 8(a2)
    ld s0, 16(a2)
    ld s1, 24(a2)
    ld s2, 32(a2)
    ld s3, 40(a2)
    ld s4, 48(a2)
    ld s5, 56(a2)
    ld s6, 64(a2)
    ld s7, 72(a2)
    ld s8, 80(a2)
    ld s9, 88(a2)
    ld s10, 96(a2)
    ld s11, 104(a2)
    ret

/* The way back of a handler that trapped; a0 = its frame. */
    .globl relay_abandon
    .balign 4
relay_abandon:
    mv a2, a0
    li a0, -1
    j 1b
