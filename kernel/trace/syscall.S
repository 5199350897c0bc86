/*
 * A record before and one after each system call. trap.S comes here with the
 * arguments in a0..a6; t0..t6 and a7 are free. The number is not in a7 any more
 * if the hart had to wait for the lock, so each has an entry of its own.
 */
#include "abi/trace.h"
#include "kernel/offsets.h"
#include "kernel/trace/trace.h"

/* clobbers t0..t3 */
.macro RECORD event, a, b
    lwu     t0, TRACE_HART_INDEX(tp)
    la      t1, trace_writers
    slli    t0, t0, TRACE_WRITER_SHIFT
    add     t1, t1, t0
    ld      t0, 0(t1)
    ld      t2, TRACE_WRITER_END(t1)
    sd      zero, TRACE_EVENT(t0)
    rdcycle t3
    sd      t3, TRACE_TIME(t0)
    sd      \a, TRACE_A(t0)
    sd      \b, TRACE_B(t0)
    li      t3, \event
    sd      t3, TRACE_EVENT(t0)
    addi    t0, t0, TRACE_RECORD_SIZE
    bltu    t0, t2, 1f
    ld      t0, TRACE_WRITER_START(t1)
1:  sd      t0, 0(t1)
.endm

    .text
    .option push
    .option norvc           /* an entry is 8 bytes */
    .balign 8
entries:
    .set    number, 0
    .rept   SYSCALL_SLOTS
    li      a7, number * 8
    j       trace_syscall
    .set    number, number + 1
    .endr
    .option pop

trace_syscall:
    addi    sp, sp, -16
    sd      ra, 8(sp)
    srli    t6, a7, 3
    sd      t6, 0(sp)
    RECORD  TRACE_SYSCALL, t6, a0
    la      t0, trace_calls
    add     t0, t0, a7
    ld      t0, 0(t0)
    jalr    t0
    ld      t6, 0(sp)
    RECORD  TRACE_SYSCALL_DONE, t6, a0
    ld      ra, 8(sp)
    addi    sp, sp, 16
    ret

/* trap.S jumps through this in place of syscall_table */
    .section .rodata
    .balign 8
    .globl __wrap_syscall_table
__wrap_syscall_table:
    .set    number, 0
    .rept   SYSCALL_SLOTS
    .quad   entries + number * 8
    .set    number, number + 1
    .endr
