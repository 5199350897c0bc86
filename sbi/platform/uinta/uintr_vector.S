/*
 * M-mode trap vector, vectored [priv 3.1.7].
 */
    .text
    .globl uintr_vector
    .balign 256
uintr_vector:
    .rept 16
    .option push
    .option norvc
    j _trap_handler
    .option pop
    .endr
