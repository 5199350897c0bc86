/*
 * The way into the kernel and out of it.
 *
 * In user mode sscratch holds the running struct thread, in the kernel 0. The
 * kernel runs with interrupts off on the hart's one stack, under the kernel lock.
 *
 * A system call that returns to its own thread saves what a C function would
 * not keep and nothing more: s0..s11 and gp are saved only when another
 * thread is resumed, after the C code has restored them. Until then a blocked
 * thread's frame is incomplete, which nobody can see: the lock is not
 * released before (see sched_resume).
 */
#include "kernel/offsets.h"

#define REG(n) THREAD_REG(n)

/* store, load registers x[n] of the struct thread that `base` points to */
.macro SAVE base, n:vararg
    .irp    r, \n
    sd      x\r, REG(\r)(\base)
    .endr
.endm
.macro LOAD base, n:vararg
    .irp    r, \n
    ld      x\r, REG(\r)(\base)
    .endr
.endm

/* acquire: as kernel_lock_acquire (boot.c) when nobody waits; clobbers t3..t5 */
.macro LOCK_ACQUIRE wait
    la      t3, kernel_lock
    lw      t4, LOCK_NEXT(t3)
    lw      t5, LOCK_OWNER(t3)
    bne     t4, t5, \wait
    li      t4, 1
    amoswap.w.aq t4, t4, (t3)
    bnez    t4, \wait
.endm
.macro LOCK_RELEASE
    la      t3, kernel_lock
    amoswap.w.rl zero, zero, (t3)
.endm

    .text
    .balign 64
    .globl trap_entry
trap_entry:
    csrrw   tp, sscratch, tp
    beqz    tp, kernel_trap
    SAVE    tp, 1, 2, 5, 6, 7
    csrrw   t0, sscratch, zero
    sd      t0, REG(4)(tp)
    csrr    t1, scause
    li      t2, 8               /* environment call from U-mode */
    csrr    t0, sepc
    bne     t1, t2, trap_slow

    addi    t0, t0, 4
    sd      t0, THREAD_PC(tp)
    li      t1, SYSCALL_UINTR_WAIT
    beq     a7, t1, 6f
0:  SAVE    tp, 10, 11, 12, 13, 14, 15, 16, 28  /* ipc_reply_receive's endpoint */
    ld      tp, THREAD_HART(tp)
    ld      sp, HART_STACK(tp)
    li      t1, SYSCALL_SLOTS
    la      t2, syscall_table
    bgeu    a7, t1, 3f
    slli    a7, a7, 3
    add     t2, t2, a7
    ld      t2, 0(t2)
1:  LOCK_ACQUIRE 5f
2:  ld      t3, HART_CURRENT(tp)
    lw      t3, THREAD_DYING(t3)
    bnez    t3, 4f              /* killed while it waited for the lock */
    jalr    t2
    ld      t1, HART_CURRENT(tp)
    ld      t2, HART_TRAPPED(tp)
    lw      t0, HART_RESCHED(tp)
    bne     t1, t2, trap_switch
    lw      t5, THREAD_RELOAD(t1)
    or      t0, t0, t5
    bnez    t0, trap_switch
    LOCK_RELEASE
7:  ld      t0, THREAD_PC(t1)
    csrw    sepc, t0
    csrw    sscratch, t1
    ld      ra, REG(1)(t1)
    ld      sp, REG(2)(t1)
    ld      tp, REG(4)(t1)
    .irp    r, a1, a2, a3, a4, a5, a6, a7, t0, t1, t2, t3, t4, t5, t6
    li      \r, 0               /* nothing of the kernel leaks */
    .endr
    sret
3:  la      t2, sys_unknown
    j       1b
4:  call    thread_leave
    j       trap_resume
5:  addi    sp, sp, -16
    sd      t2, 0(sp)
    call    kernel_lock_wait
    ld      t2, 0(sp)
    addi    sp, sp, 16
    ld      t3, HART_CURRENT(tp)
    LOAD    t3, 10, 11, 12, 13, 14, 15, 16
    j       2b
6:  SAVE    tp, 10
    ld      tp, THREAD_HART(tp)
    ld      sp, HART_STACK(tp)
    call    uintr_nap
    ld      t1, HART_CURRENT(tp)
    addi    a0, a0, -1          /* OK, if it slept */
    beqz    a0, 7b
    mv      tp, t1
    LOAD    tp, 10
    li      a7, SYSCALL_UINTR_WAIT
    j       0b

    .globl enter_scheduler
/* the lock held: take up the first thread, on the hart's empty stack */
enter_scheduler:
    ld      sp, HART_STACK(tp)
    j       trap_resume

/* t2 = the thread that trapped; a0 = its result */
trap_switch:
    SAVE    t2, 10, 3, 8, 9, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27
trap_resume:
    call    sched_resume        /* a0 = the thread to run here */
    LOCK_RELEASE
    ld      t0, THREAD_PC(a0)
    csrw    sepc, t0
    csrw    sscratch, a0
    LOAD    a0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    ld      a0, REG(10)(a0)
    sret

/* an interrupt or a fault: every register is live. t0 = sepc */
trap_slow:
    sd      t0, THREAD_PC(tp)
    SAVE    tp, 3, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    ld      tp, THREAD_HART(tp)
    ld      sp, HART_STACK(tp)
    LOCK_ACQUIRE 2f
1:  csrr    a0, scause
    csrr    a1, stval
    call    trap_user
    j       trap_resume
2:  call    kernel_lock_wait
    j       1b

/* a trap inside the kernel is a kernel bug: report it and stop the machine */
kernel_trap:
    csrrw   tp, sscratch, zero  /* tp = struct hart again */
    la      t0, panic_frame
    SAVE    t0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17
    csrr    a0, sepc
    sd      a0, THREAD_PC(t0)
    la      sp, panic_stack_top /* the hart's own may be the culprit */
    csrr    a0, scause
    csrr    a1, stval
    mv      a2, t0
    call    panic_trap
1:  wfi
    j       1b
