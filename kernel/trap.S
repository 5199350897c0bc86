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

/* acquire: take a ticket, wait for the turn; clobbers t3..t5 */
.macro LOCK_ACQUIRE
    la      t3, kernel_lock
    li      t4, 1
    amoadd.w.aq t4, t4, (t3)
10: lw      t5, LOCK_OWNER(t3)
    bne     t4, t5, 11f
    fence   r, rw
.endm
.macro LOCK_WAIT
11: .insn   i 0x0f, 0, x0, x0, 0x010    /* pause */
    j       10b
.endm
.macro LOCK_RELEASE
    la      t3, kernel_lock
    lw      t4, LOCK_OWNER(t3)
    addiw   t4, t4, 1
    fence   rw, w
    sw      t4, LOCK_OWNER(t3)
.endm

    .text
    .balign 64
    .globl trap_entry
trap_entry:
    csrrw   tp, sscratch, tp
    beqz    tp, kernel_trap
    sd      ra, REG(1)(tp)
    sd      sp, REG(2)(tp)
    sd      t0, REG(5)(tp)
    sd      t1, REG(6)(tp)
    sd      t2, REG(7)(tp)
    csrrw   t0, sscratch, zero
    sd      t0, REG(4)(tp)
    csrr    t1, scause
    li      t2, 8               /* environment call from U-mode */
    csrr    t0, sepc
    bne     t1, t2, trap_slow

    addi    t0, t0, 4
    sd      t0, THREAD_PC(tp)
    sd      a0, REG(10)(tp)
    sd      a1, REG(11)(tp)
    sd      a2, REG(12)(tp)
    sd      a3, REG(13)(tp)
    sd      a4, REG(14)(tp)
    sd      a5, REG(15)(tp)
    sd      a6, REG(16)(tp)
    sd      t3, REG(28)(tp)     /* ipc_reply_receive's endpoint */
    ld      tp, THREAD_HART(tp)
    ld      sp, HART_STACK(tp)
    li      t1, SYSCALL_SLOTS
    la      t2, syscall_table
    bgeu    a7, t1, 3f
    slli    a7, a7, 3
    add     t2, t2, a7
    ld      t2, 0(t2)
1:  LOCK_ACQUIRE
    jalr    t2
    ld      t1, HART_CURRENT(tp)
    ld      t2, HART_TRAPPED(tp)
    lw      t0, HART_RESCHED(tp)
    bne     t1, t2, trap_switch
    lw      t5, THREAD_RELOAD(t1)
    or      t0, t0, t5
    bnez    t0, trap_switch
    LOCK_RELEASE
    ld      t0, THREAD_PC(t1)
    csrw    sepc, t0
    csrw    sscratch, t1
    ld      ra, REG(1)(t1)
    ld      sp, REG(2)(t1)
    ld      tp, REG(4)(t1)
    li      a1, 0               /* nothing of the kernel leaks */
    li      a2, 0
    li      a3, 0
    li      a4, 0
    li      a5, 0
    li      a6, 0
    li      a7, 0
    li      t0, 0
    li      t1, 0
    li      t2, 0
    li      t3, 0
    li      t4, 0
    li      t5, 0
    li      t6, 0
    sret
    LOCK_WAIT
3:  la      t2, sys_unknown
    j       1b

/* t2 = the thread that trapped; a0 = its result */
trap_switch:
    sd      a0, REG(10)(t2)
    sd      gp, REG(3)(t2)
    sd      s0, REG(8)(t2)
    sd      s1, REG(9)(t2)
    sd      s2, REG(18)(t2)
    sd      s3, REG(19)(t2)
    sd      s4, REG(20)(t2)
    sd      s5, REG(21)(t2)
    sd      s6, REG(22)(t2)
    sd      s7, REG(23)(t2)
    sd      s8, REG(24)(t2)
    sd      s9, REG(25)(t2)
    sd      s10, REG(26)(t2)
    sd      s11, REG(27)(t2)
    .globl trap_resume
trap_resume:
    call    sched_resume        /* a0 = the thread to run here */
    LOCK_RELEASE
    ld      t0, THREAD_PC(a0)
    csrw    sepc, t0
    csrw    sscratch, a0
    ld      ra, REG(1)(a0)
    ld      sp, REG(2)(a0)
    ld      gp, REG(3)(a0)
    ld      tp, REG(4)(a0)
    ld      t0, REG(5)(a0)
    ld      t1, REG(6)(a0)
    ld      t2, REG(7)(a0)
    ld      s0, REG(8)(a0)
    ld      s1, REG(9)(a0)
    ld      a1, REG(11)(a0)
    ld      a2, REG(12)(a0)
    ld      a3, REG(13)(a0)
    ld      a4, REG(14)(a0)
    ld      a5, REG(15)(a0)
    ld      a6, REG(16)(a0)
    ld      a7, REG(17)(a0)
    ld      s2, REG(18)(a0)
    ld      s3, REG(19)(a0)
    ld      s4, REG(20)(a0)
    ld      s5, REG(21)(a0)
    ld      s6, REG(22)(a0)
    ld      s7, REG(23)(a0)
    ld      s8, REG(24)(a0)
    ld      s9, REG(25)(a0)
    ld      s10, REG(26)(a0)
    ld      s11, REG(27)(a0)
    ld      t3, REG(28)(a0)
    ld      t4, REG(29)(a0)
    ld      t5, REG(30)(a0)
    ld      t6, REG(31)(a0)
    ld      a0, REG(10)(a0)
    sret

/* an interrupt or a fault: every register is live. t0 = sepc */
trap_slow:
    sd      t0, THREAD_PC(tp)
    sd      gp, REG(3)(tp)
    sd      s0, REG(8)(tp)
    sd      s1, REG(9)(tp)
    sd      a0, REG(10)(tp)
    sd      a1, REG(11)(tp)
    sd      a2, REG(12)(tp)
    sd      a3, REG(13)(tp)
    sd      a4, REG(14)(tp)
    sd      a5, REG(15)(tp)
    sd      a6, REG(16)(tp)
    sd      a7, REG(17)(tp)
    sd      s2, REG(18)(tp)
    sd      s3, REG(19)(tp)
    sd      s4, REG(20)(tp)
    sd      s5, REG(21)(tp)
    sd      s6, REG(22)(tp)
    sd      s7, REG(23)(tp)
    sd      s8, REG(24)(tp)
    sd      s9, REG(25)(tp)
    sd      s10, REG(26)(tp)
    sd      s11, REG(27)(tp)
    sd      t3, REG(28)(tp)
    sd      t4, REG(29)(tp)
    sd      t5, REG(30)(tp)
    sd      t6, REG(31)(tp)
    ld      tp, THREAD_HART(tp)
    ld      sp, HART_STACK(tp)
    LOCK_ACQUIRE
    csrr    a0, scause
    csrr    a1, stval
    call    trap_user
    j       trap_resume
    LOCK_WAIT

/* a trap inside the kernel is a kernel bug: report it and stop the machine */
kernel_trap:
    csrrw   tp, sscratch, zero  /* tp = struct hart again */
    la      t0, panic_frame
    sd      ra, REG(1)(t0)
    sd      sp, REG(2)(t0)
    sd      gp, REG(3)(t0)
    sd      tp, REG(4)(t0)
    sd      s0, REG(8)(t0)
    sd      s1, REG(9)(t0)
    sd      a0, REG(10)(t0)
    sd      a1, REG(11)(t0)
    sd      a2, REG(12)(t0)
    sd      a3, REG(13)(t0)
    sd      a4, REG(14)(t0)
    sd      a5, REG(15)(t0)
    sd      a6, REG(16)(t0)
    sd      a7, REG(17)(t0)
    csrr    a0, sepc
    sd      a0, THREAD_PC(t0)
    la      sp, panic_stack_top /* the hart's own may be the culprit */
    csrr    a0, scause
    csrr    a1, stval
    mv      a2, t0
    call    panic_trap
1:  wfi
    j       1b
