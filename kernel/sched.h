/*
 * Who runs where. Each hart has a queue for each priority; the most urgent
 * thread runs, equals take turns of a time slice, idle harts steal. Kernel lock
 * held throughout.
 */
#pragma once

#include "kernel/thread.h"

void sched_init(struct hart *h);

/*
 * t is ready to run: choose a hart for it (its own if that is idle or runs
 * something less urgent, else an idle one, else the least urgent, else its
 * own queue), queue it there and make that hart look.
 */
void sched_ready(struct thread *t);
/* Take a ready thread out of its queue. */
void sched_remove(struct thread *t);

/* May this hart run t right now instead of what is queued? (IPC hand-off) */
static inline bool sched_may_switch(struct thread *t)
{
    struct hart *h = this_hart;

    return h->ready_map >> t->priority <= 1 && (t->hart_mask >> h->index & 1) &&
           (!t->uhart || t->uhart == h);
}

/* Run t on this hart next; the current thread must be blocked. */
static inline void sched_switch(struct thread *t)
{
    t->hart = this_hart;
    t->state = THREAD_RUNNING;
    this_hart->current = t;
}

/* trap.c: serve what is pending in sip and enabled. */
void trap_interrupts(void);

/* What the thread that is on this hart used so far goes to its account. */
static inline void sched_account(struct hart *h)
{
    uint64_t now = csr_read(CSR_INSTRET);

    h->trapped->instructions += now - h->instret;
    h->instret = now;
}

/* From trap.S, on the way out: the thread to resume; idles if there is none. */
struct thread *sched_resume(void);

/*
 * An interrupt is for t: most urgent until it blocks or its slice ends. But if
 * the current thread is in a handler of its own (UIE clear), and t is no more
 * urgent than that by nature, t is its equal and goes next.
 */
void sched_boost(struct thread *t);
