/* The executor: a word of bits, one a task. */
#include "uinta/async.h"

bool async_start(struct async *a, struct task *t,
                 enum task_state (*run)(struct task *))
{
    if (!~a->used)
        return false;
    t->slot = __builtin_ctzl(~a->used);
    t->run = run;
    t->line = 0;
    t->executor = a;
    a->tasks[t->slot] = t;
    a->used |= 1UL << t->slot;
    __atomic_fetch_or(&a->ready, 1UL << t->slot, __ATOMIC_ACQ_REL);
    return true;
}

bool async_run(struct async *a)
{
    bool any = false;
    uint64_t ready;
    while ((ready = __atomic_exchange_n(&a->ready, 0, __ATOMIC_ACQ_REL))) {
        /* Each once before any of them again: none can starve the others. */
        for (unsigned slot = 0; ready; slot++, ready >>= 1) {
            struct task *t = a->tasks[slot];
            /* one that has ended may still be in some event */
            if (!(ready & a->used >> slot & 1))
                continue;
            TRACE(TRACE_TASK_RUN, slot, 0);
            if (t->run(t) == TASK_ENDED)
                a->used &= ~(1UL << slot);
            TRACE(TRACE_TASK_STOP, slot, ~a->used >> slot & 1);
        }
        any = true;
    }
    return any;
}
