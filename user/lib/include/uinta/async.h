/*
 * Tasks written as straight-line code, and who wakes them. A task is a
 * function that is called again where it stopped waiting (a protothread): it
 * keeps in its struct what must survive a wait, has no stack of its own, and
 * costs a dozen instructions to resume. docs/design/uart.md says why so.
 *
 *     static enum task_state echo(struct task *t)
 *     {
 *         struct echo *e = task_of(t, struct echo, task);
 *         task_begin(t);
 *         for (;;) {
 *             task_await(t, &e->more, (e->n = take(e->bytes)) > 0);
 *             give(e->bytes, e->n);
 *         }
 *         task_end(t);
 *     }
 *
 * Impossible by construction:
 *  - lost wakers: a task waits for a condition, never for a call. Before it
 *    stops it is entered in the event, then looks again; a wake in between
 *    finds it there. An event that nobody waits for needs no memory of wakes;
 *  - unbounded spawning: a task is memory of its owner's, started once; it
 *    stands in the list of the ready at most once, however often it is woken.
 *
 * Who may call what: async_wake() also from a user-interrupt handler, the rest
 * only the executor's thread. async_run() is to be called with UIE set or
 * clear alike: the two words that a handler changes are changed atomically.
 */
#ifndef UINTA_ASYNC_H
#define UINTA_ASYNC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "uinta/trace.h"

enum task_state { TASK_WAITS, TASK_ENDED };

enum { ASYNC_TASKS = 64 };

struct task {
    enum task_state (*run)(struct task *);
    unsigned line; /* where it goes on */
    unsigned slot; /* its bit */
    struct async *executor;
};

/* Bit i: task in slot i is to be resumed, or waits for the event. */
struct async {
    uint64_t ready;
    uint64_t used;
    struct task *tasks[ASYNC_TASKS];
};

/* What tasks wait for. All zero: nobody does. */
struct event {
    struct async *executor;
    uint64_t waiting;
};

#define task_of(t, type, member) ((type *)((char *)(t)-offsetof(type, member)))

/* False: all slots are taken. A task that has ended can be started again. */
bool async_start(struct async *a, struct task *t,
                 enum task_state (*run)(struct task *));

/* Resumes what is ready until nothing is. True: something was. */
bool async_run(struct async *a);

/* Whoever waits for `e` is to look at its condition again. */
static inline void async_wake(struct event *e)
{
    uint64_t waiting = __atomic_exchange_n(&e->waiting, 0, __ATOMIC_ACQ_REL);
    if (waiting) {
        TRACE(TRACE_TASK_READY, waiting, 0);
        __atomic_fetch_or(&e->executor->ready, waiting, __ATOMIC_ACQ_REL);
    }
}

static inline void async_wait(struct event *e, const struct task *t)
{
    e->executor = t->executor;
    __atomic_fetch_or(&e->waiting, 1UL << t->slot, __ATOMIC_SEQ_CST);
}

#define task_begin(t)    \
    switch ((t)->line) { \
    case 0:

/*
 * Go on when `condition` is true; `event` is woken when that may have changed.
 * The condition is tested again after the task is entered in the event.
 */
#define task_await(t, event, condition) \
    do {                                \
        (t)->line = __LINE__;           \
        __attribute__((fallthrough));   \
    case __LINE__:                      \
        if (!(condition)) {             \
            async_wait(event, t);       \
            if (!(condition))           \
                return TASK_WAITS;      \
        }                               \
    } while (0)

/* Goes on after all the others that are ready. */
#define task_yield(t)                                              \
    do {                                                           \
        __atomic_fetch_or(&(t)->executor->ready, 1UL << (t)->slot, \
                          __ATOMIC_ACQ_REL);                       \
        (t)->line = __LINE__;                                      \
        return TASK_WAITS;                                         \
    case __LINE__:;                                                \
    } while (0)

#define task_end(t) \
    }               \
    (t)->line = 0;  \
    return TASK_ENDED

#endif
