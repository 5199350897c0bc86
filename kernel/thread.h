/*
 * Threads: the saved registers, what a thread waits for, and its place in the
 * scheduler. Guarded by the kernel lock.
 */
#pragma once

#include "abi/info.h"
#include "gen/syscall_table.h" /* of the current thread */
#include "kernel/process.h"

struct uintr;

/* index of the ABI's registers in thread.x[] */
enum { X_PC = 0, X_SP = 2, X_T0 = 5, X_T1 = 6, X_T2 = 7 };
enum { X_A0 = 10, X_A1 = 11, X_A2 = 12, X_T3 = 28, X_T4 = 29, X_T6 = 31 };

struct thread {
    struct object object; /* assembly knows from here: offsets.h */
    uint64_t x[32];       /* slot 0 is the pc */
    struct hart *hart;    /* where it runs or last ran */
    uint32_t reload;      /* leave through the frame: registers were changed */
    uint32_t state;       /* enum thread_state */
    uint32_t dying;       /* makes no system call any more */

    struct process *process;
    struct list of_process; /* in process->threads */
    struct list of_all;     /* in all_threads */

    uint32_t priority, base_priority; /* the first is boosted at times */
    uint32_t hart_mask;
    uint64_t slice_left; /* ticks, of its turn among equals; 0: a new turn */
    struct list queue;   /* ready queue, or an endpoint's list */

    /* what it waits for */
    struct timer timer;
    struct notification *notification;
    uint64_t wait_mask;
    uint64_t badge;         /* of the handle it called through */
    uint64_t send_handles;  /* packed, of a queued call */
    struct process *server; /* who has its call and owes a reply */
    uint64_t token;         /* names that call; sequence << 16 | slot */

    uint32_t switch_work; /* enum switch_work: what resuming it takes */
    struct uintr *uintr;  /* NULL = takes no user interrupts */
    struct hart *uhart;   /* whose CSRs hold its state, NULL = none */
    uint64_t rseq_start, rseq_size, rseq_abort; /* restartable sequence */

    uint64_t instructions;
};

/* Beyond registers and page table; most threads have none of it. */
enum switch_work { SWITCH_UINTR = 1, SWITCH_RSEQ = 2 };

extern struct list all_threads;

static inline struct thread *current_thread(void)
{
    return this_hart->current;
}

static inline struct process *current_process(void)
{
    return this_hart->current->process;
}

/* A new thread, blocked, its registers zero; NULL: no memory or no slot. */
struct thread *thread_new(struct process *p, uint32_t priority);

/* The caller of call `token` if it still waits for a reply from `server`. */
enum { THREAD_SLOTS = 1024 }; /* threads alive at once */
extern struct thread *thread_slots[THREAD_SLOTS];
static inline struct thread *thread_by_token(uint64_t token,
                                             struct process *server)
{
    struct thread *t = thread_slots[token % THREAD_SLOTS];

    return t && t->token == token && t->state == THREAD_REPLY &&
                   t->server == server
               ? t
               : NULL;
}

/*
 * Take the current thread off this hart. Its frame is complete only after
 * trap.S has saved the rest, before the lock is released.
 */
static inline void thread_block(enum thread_state state)
{
    struct thread *t = this_hart->current;

    t->state = state;
    t->priority = t->base_priority; /* a boost ends here */
    t->slice_left = 0;
    this_hart->current = NULL;
}
/* The same, until the deadline; E_TIMEDOUT if the time has come already. */
static inline int64_t thread_sleep(enum thread_state state, uint64_t deadline)
{
    if (deadline != DEADLINE_NEVER) {
        if (deadline <= rdtime())
            return E_TIMEDOUT;
        timer_arm(&current_thread()->timer, deadline);
    }
    thread_block(state);
    return OK;
}

/* End a wait of any kind with this result; the thread becomes ready. */
void thread_wake(struct thread *t, int64_t result);
/* Undo whatever t waits for: queues, timer, notification. State unchanged. */
void thread_unwait(struct thread *t);

/* The current thread is dying: take it off this hart, and free it. */
void thread_leave(void);
/* Begin the end of t. It goes at once if it runs nowhere else. */
void thread_kill(struct thread *t);
/* Free a dying thread that no hart holds any more. */
void thread_reap(struct thread *t);
