/*
 * Processes: an address space, a handle table, threads, and how it ended.
 * Guarded by the kernel lock.
 */
#pragma once

#include "kernel/object.h"
#include "kernel/space.h"

struct doorbell;

struct process {
    struct object object;
    uint32_t pid, parent;
    char name[NAME_SIZE];
    uint32_t max_priority;
    struct list of_all; /* in all_processes */
    struct list doomed; /* while process_finish has it */
    struct list threads;
    uint32_t thread_count;
    struct thread *uintr_thread; /* the one that takes user interrupts */
    struct handle_table table;
    struct space space;
    struct list irqs; /* sources it owns */
    struct process_status status;
    struct doorbell *watcher; /* rung at the end */
    uint64_t instructions;    /* of threads that are gone */
    bool ending;
    enum exit_reason end_reason; /* becomes status.reason when all is freed */
};

extern struct list all_processes;

/* NULL: out of memory. One reference is the process's own while it lives. */
struct process *process_new(const char name[NAME_SIZE], uint32_t max_priority);
void process_hangup(struct object *object);
void process_destroy(struct object *object);

/* Begin the end: kill every thread; the last one's reaper finishes. */
void process_end(struct process *p, enum exit_reason reason, int32_t code);
/* Called when no thread is left: free everything, tell the watcher. */
void process_finish(struct process *p);

/* May a thread, or a child's threads, of p have it? E_ARG, E_RIGHTS if not. */
static inline int64_t check_priority(struct process *p, uint64_t priority)
{
    return priority >= PRIORITIES       ? E_ARG
           : priority > p->max_priority ? E_RIGHTS
                                        : OK;
}

/*
 * Copy between the kernel and the memory of the current process, through its
 * page table: E_FAULT with nothing copied unless all of it is mapped, and
 * writable if written.
 */
int64_t copy_to_user(uint64_t to, const void *from, uint64_t size);
int64_t copy_from_user(void *to, uint64_t from, uint64_t size);
