/*
 * Registers by number: jump tables. Register n of the trapped program is in its place, but tp is in
 * mscratch and t0..t3 are in the state.
 */
#include "uintr_asm.inc"
    .balign 256
    .globl uintr_read_gpr
uintr_read_gpr:
    .irp n, 0,1,2,3
    mv t1, x\n
    jr t2
    .endr
    csrr t1, CSR_MSCRATCH
    jr t2
    .irp slot, UINTR_T0, UINTR_T1, UINTR_T2
    ld t1, \slot(tp)
    jr t2
    .endr
    .irp n, 8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27
    mv t1, x\n
    jr t2
    .endr
    ld t1, UINTR_T3(tp)
    jr t2
    .irp n, 29,30,31
    mv t1, x\n
    jr t2
    .endr

    .balign 256
    .globl uintr_write_gpr
uintr_write_gpr:
    .irp n, 0,1,2,3
    mv x\n, t1
    jr t2
    .endr
    csrw CSR_MSCRATCH, t1
    jr t2
    .irp slot, UINTR_T0, UINTR_T1, UINTR_T2
    sd t1, \slot(tp)
    jr t2
    .endr
    .irp n, 8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27
    mv x\n, t1
    jr t2
    .endr
    sd t1, UINTR_T3(tp)
    jr t2
    .irp n, 29,30,31
    mv x\n, t1
    jr t2
    .endr

/* The same and back to the program; t3 has not been spilled here. */
    .balign 1024
    .globl uintr_return_gpr
uintr_return_gpr:
    .irp n, 0,1,2,3
    mv x\n, t1
    RESTORE_3
    mret
    .balign 32
    .endr
    csrw CSR_MSCRATCH, t1
    RESTORE_3
    mret
    .balign 32
    .irp slot, UINTR_T0, UINTR_T1, UINTR_T2
    sd t1, \slot(tp)
    RESTORE_3
    mret
    .balign 32
    .endr
    .irp n, 8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    mv x\n, t1
    RESTORE_3
    mret
    .balign 32
    .endr
