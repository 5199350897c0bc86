/*
 * One struct a hart: what runs on it, its queues, its interrupt contexts.
 * tp points to it while in the kernel. All fields are guarded by the kernel
 * lock, also those of other harts.
 */
#pragma once

#include "abi/object.h"
#include "kernel/plic.h"
#include "kernel/timer.h"

struct thread;
struct process;

struct hart {
    /* assembly knows these: offsets.h */
    struct thread *current; /* runs when the kernel is left, NULL = idle */
    struct thread *trapped; /* whose registers the last entry saved */
    void *stack;            /* top of the kernel stack */
    uint32_t resched;       /* look at the queues before leaving */
    uint32_t kicked;        /* SSIP may be more than a waiting hart's own */
    uint64_t id;            /* hart id as the SBI knows it */

    uint32_t index; /* 0.. in `harts` */
    bool online;
    struct process *space;  /* whose page table satp holds, NULL = kernel's */
    struct thread *uthread; /* whose user-interrupt state the CSRs hold */
    uint64_t uthread_post;  /* uip bits other harts want set for it */
    struct plic_context plic_s, plic_u;
    uint64_t plic_page; /* leaf entry of the second's page */

    struct list ready[PRIORITIES];
    uint32_t ready_map; /* bit p: ready[p] is not empty */

    struct list timers;
    uint64_t slice_end;  /* ticks, DEADLINE_NEVER: nobody competes */
    bool turn_over;      /* the slice ended while a more urgent callee ran */
    uint64_t programmed; /* value in the comparator */

    struct thread *sink; /* takes the registers of a thread that is gone */
    uint64_t instret;    /* at the last accounting */
    uint64_t idle_since; /* ticks, 0 = not idle */
    uint64_t idle_ticks, switches, interrupts;
};

extern struct hart harts[HARTS_MAX];
extern uint32_t hart_count, sched_queued; /* harts; threads in their queues */
extern uint32_t harts_started; /* bit i: harts[i] runs or will in a moment */

register struct hart *this_hart __asm__("tp");

/*
 * The one kernel lock. Whoever finds it free takes it; a hart that has waited
 * for 100 ms draws a ticket, and then nobody without one overtakes it. (Time,
 * not looks: where an emulator runs harts in turns a look can take a round.)
 * Not tickets from the start: a host with fewer processors than harts would
 * have to run every hart in turn for each single system call.
 */
extern struct kernel_lock {
    uint32_t held;
    uint32_t next, owner; /* tickets; equal: nobody has one */
} kernel_lock;
void kernel_lock_wait(void);

static inline void kernel_lock_acquire(void)
{
    if (kernel_lock.next != kernel_lock.owner ||
        __atomic_exchange_n(&kernel_lock.held, 1, __ATOMIC_ACQUIRE))
        kernel_lock_wait();
}
static inline void kernel_lock_release(void)
{
    __atomic_store_n(&kernel_lock.held, 0, __ATOMIC_RELEASE);
}
/* Take up the first thread; the lock is held. */
_Noreturn void enter_scheduler(void);

/* Make another hart enter the kernel: it looks at its flags and queues. */
void hart_kick(struct hart *h);
