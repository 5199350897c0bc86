/*
 * Field offsets (bytes) that assembly needs. thread.c asserts each of them
 * against the C structures.
 */
#pragma once

/* struct thread: object header, pc in slot 0, then x1..x31 */
#define THREAD_REG(n) (16 + (n)*8)
#define THREAD_PC     THREAD_REG(0)
#define THREAD_HART   272
#define THREAD_RELOAD 280
#define THREAD_DYING  288

/* struct hart */
#define HART_CURRENT 0
#define HART_TRAPPED 8
#define HART_STACK   16
#define HART_RESCHED 24

#define SYSCALL_SLOTS      128 /* entries of syscall_table, a power of two */
#define SYSCALL_UINTR_WAIT 61

/* struct kernel_lock, whose first word is `held` */
#define LOCK_NEXT  4
#define LOCK_OWNER 8

#define KERNEL_BASE  0xffffffc000000000 /* virtual = physical + this */
#define STACK_SIZE   8192
#define STACK_STRIDE (STACK_SIZE + 4096) /* a guard page below each */
