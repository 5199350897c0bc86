/* Threads: birth, blocking, waking, death; their system calls. */
#include "kernel/thread.h"
#include "kernel/endpoint.h"
#include "kernel/notification.h"
#include "kernel/offsets.h"
#include "kernel/sched.h"
#include "kernel/uintr.h"

#define AT(type, field, place) (offsetof(struct type, field) == (place))
static_assert(AT(thread, x, THREAD_REG(0)) && AT(thread, hart, THREAD_HART) &&
                  AT(thread, reload, THREAD_RELOAD) &&
                  AT(thread, dying, THREAD_DYING) &&
                  AT(hart, current, HART_CURRENT) &&
                  AT(hart, trapped, HART_TRAPPED) &&
                  AT(hart, stack, HART_STACK) &&
                  AT(hart, resched, HART_RESCHED) && AT(kernel_lock, held, 0) &&
                  AT(kernel_lock, next, LOCK_NEXT) &&
                  AT(kernel_lock, owner, LOCK_OWNER),
              "offsets.h");

struct list all_threads = {&all_threads, &all_threads};
struct thread *thread_slots[THREAD_SLOTS]; /* what tokens name */

static void timed_out(struct timer *timer)
{
    thread_wake(container_of(timer, struct thread, timer), E_TIMEDOUT);
}

struct thread *thread_new(struct process *p, uint32_t priority)
{
    uint32_t slot = 0;
    struct thread *t;

    while (slot < THREAD_SLOTS && thread_slots[slot])
        slot++;
    t = slot < THREAD_SLOTS ? object_new(OBJECT_THREAD) : NULL;
    if (!t)
        return NULL;
    thread_slots[slot] = t;
    t->token = slot;
    t->process = p;
    t->priority = t->base_priority = priority;
    t->hart_mask = ~0u;
    t->hart = this_hart;
    list_init(&t->queue);
    timer_init(&t->timer, timed_out);
    list_push(&p->threads, &t->of_process);
    list_push(&all_threads, &t->of_all);
    p->thread_count++;
    /* it may meet what only the driver thread's moves made stale */
    if (p->uintr_thread)
        p->space.fence_harts |= p->space.ran_harts;
    object_get(&p->object);
    return t;
}

void thread_unwait(struct thread *t)
{
    timer_cancel(&t->timer);
    if (t->state == THREAD_READY)
        sched_remove(t);
    else
        list_remove(&t->queue); /* an endpoint's, if any */
    if (t->notification)
        t->notification->waiter = NULL;
    t->notification = NULL;
    t->server = NULL;
}

void thread_wake(struct thread *t, int64_t result)
{
    thread_unwait(t);
    t->x[X_A0] = (uint64_t)result;
    sched_ready(t);
}

void thread_reap(struct thread *t)
{
    struct process *p = t->process;

    t->state = THREAD_DEAD;
    for (uint32_t i = 0; i < hart_count; i++) {
        if (harts[i].current == t)
            return; /* that hart has been kicked and calls again */
    }
    if (t->uhart)
        return; /* likewise */
    if (t->uintr)
        uintr_free(t);
    thread_slots[t->token % THREAD_SLOTS] = NULL;
    p->instructions += t->instructions;
    list_remove(&t->of_process);
    list_remove(&t->of_all);
    t->process = NULL;
    object_put(&t->object);
    if (--p->thread_count == 0)
        process_finish(p);
    object_put(&p->object);
}

void thread_leave(void)
{
    struct hart *h = this_hart;
    struct thread *t = h->current;

    h->current = NULL;
    if (h->trapped == t)
        h->trapped = h->sink;
    thread_reap(t);
}

void thread_kill(struct thread *t)
{
    if (t->dying)
        return;
    t->dying = 1;
    if (t->state != THREAD_RUNNING)
        thread_unwait(t);
    if (t->uintr)
        uintr_abandon(t);
    if (t == this_hart->current)
        thread_leave();
    else if (t->state == THREAD_RUNNING)
        hart_kick(t->hart); /* it calls thread_leave */
    else
        thread_reap(t);
}

int64_t sys_thread_create(uint64_t hp, uint64_t entry, uint64_t stack,
                          uint64_t argument, uint64_t priority, uint64_t mask)
{
    HANDLE_OR_SELF(struct process, p, current_process(), hp, OBJECT_PROCESS,
                   R_MANAGE);
    struct thread *t;

    TRY(check_priority(p, priority));
    if (mask && !(mask & harts_started))
        return E_ARG;
    if (p->ending)
        return E_DEAD;
    if ((entry & 1) || entry >= USER_END || stack > USER_END)
        return E_RANGE;
    if (stack & 15)
        return E_ALIGN;
    TRY(handle_reserve(&current_process()->table, 1));
    t = thread_new(p, (uint32_t)priority);
    if (!t)
        return E_NOMEM;
    t->x[X_PC] = entry;
    t->x[X_SP] = stack;
    t->x[X_A0] = argument;
    if (mask)
        t->hart_mask = (uint32_t)mask;
    sched_ready(t);
    return handle_add(&current_process()->table, &t->object, R_MANAGE | R_DUP,
                      0);
}

int64_t sys_thread_exit(void)
{
    thread_kill(current_thread());
    return OK;
}

int64_t sys_thread_set(uint64_t h, uint64_t priority, uint64_t mask)
{
    HANDLE_OR_SELF(struct thread, t, current_thread(), h, OBJECT_THREAD,
                   R_MANAGE);

    if (t->dying || t->state == THREAD_DEAD)
        return E_DEAD;
    if (priority != (uint64_t)-1)
        TRY(check_priority(current_process(), priority));
    if (mask && !(mask & harts_started))
        return E_ARG;

    bool queued = t->state == THREAD_READY;
    if (t->uhart && mask && !(mask >> t->uhart->index & 1))
        uintr_leave(t); /* may queue it anew: while it still is what it was */
    if (queued)
        sched_remove(t);
    if (priority != (uint64_t)-1)
        t->priority = t->base_priority = (uint32_t)priority;
    if (mask)
        t->hart_mask = (uint32_t)mask;
    if (queued)
        sched_ready(t);
    else if (t == this_hart->current)
        this_hart->resched = max(this_hart->resched, 1u);
    else if (t->state == THREAD_RUNNING)
        hart_kick(t->hart);
    return OK;
}

int64_t sys_thread_rseq(uint64_t start, uint64_t end, uint64_t abort)
{
    struct thread *t = current_thread();

    if (end < start || (start & 1) || (abort & 1))
        return E_ARG;
    if (end > USER_END || abort >= USER_END)
        return E_RANGE;
    if (abort - start < end - start)
        return E_ARG; /* it would never come out */
    t->rseq_start = start;
    t->rseq_size = end - start;
    t->rseq_abort = abort;
    t->switch_work &= ~(uint32_t)SWITCH_RSEQ;
    t->switch_work |= t->rseq_size ? SWITCH_RSEQ : 0;
    return OK;
}

int64_t sys_thread_yield(void)
{
    if (this_hart->ready_map >> current_thread()->priority)
        this_hart->resched = 2; /* to the back of its queue */
    return OK;
}
