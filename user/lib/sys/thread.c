/*
 * Threads: a stack from a memory object of its own, a notification that tells
 * of the end. The last steps of a thread touch no stack, because whoever
 * joins frees it as soon as the doorbell has rung.
 */
#include <errno.h>
#include <uinta/map.h>
#include <uinta/process.h>
#include <uinta/thread.h>
#include "abi/errors.h"
#include "gen/syscalls.h"

enum { ENDED = 1 }; /* event bit */

/* At the top of the new stack; its address is the thread's tp. */
struct thread_begin {
    int64_t (*fn)(void *);
    void *argument;
    int64_t result;
    handle_t doorbell;
};

/* Ring and end without a stack. a7 survives nothing, so it is set twice. */
static _Noreturn void thread_end(handle_t doorbell)
{
    register uint64_t a0 __asm__("a0") = doorbell;
    __asm__ volatile("li a7, %1\n\tecall\n\t"
                     "li a7, %2\n\tecall"
                     : "+r"(a0)
                     : "i"(SYS_doorbell_ring), "i"(SYS_thread_exit)
                     : "a7", "memory");
    __builtin_unreachable();
}

static _Noreturn __attribute__((used)) void
thread_first(struct thread_begin *begin)
{
    begin->result = begin->fn(begin->argument);
    thread_end(begin->doorbell);
}

/* A new thread has no gp and no tp. */
void thread_entry(void);
__asm__(".pushsection .text.thread_entry, \"ax\"\n"
        ".globl thread_entry\n"
        "thread_entry:\n"
        ".option push\n"
        ".option norelax\n"
        "    la gp, __global_pointer$\n"
        ".option pop\n"
        "    mv tp, a0\n"
        "    tail thread_first\n"
        ".popsection\n");

/* Stack, mapped; leaves no handle behind. */
static void *make_stack(size_t size)
{
    int64_t memory = sys_memory_create(size, 0);
    if (memory < 0) {
        error_set(memory);
        return NULL;
    }
    void *stack = map_memory((handle_t)memory, size, PROT_R | PROT_W);
    sys_handle_close((uint64_t)memory);
    return stack;
}

int64_t thread_start(struct thread *t, int64_t (*fn)(void *), void *argument,
                     int priority)
{
    *t = (struct thread){.stack_size = THREAD_STACK_SIZE};
    int64_t error = sys_notification_create();
    if (error < 0)
        return error;
    t->notification = (handle_t)error;
    int64_t doorbell = error = sys_doorbell_create(t->notification, ENDED);
    if (error < 0)
        goto no_doorbell;
    t->stack = make_stack(t->stack_size);
    error = E_NOMEM;
    if (!t->stack)
        goto no_stack;
    struct thread_begin *begin =
        (struct thread_begin *)((char *)t->stack + t->stack_size) - 1;
    *begin = (struct thread_begin){fn, argument, 0, (handle_t)doorbell};
    t->start = begin;
    error = sys_thread_create(
        0, (uint64_t)thread_entry, (uint64_t)begin & ~15UL, (uint64_t)begin,
        priority < 0 ? PRIORITY_NORMAL : (uint64_t)priority, 0);
    if (error >= 0) {
        t->handle = (handle_t)error;
        return 0;
    }
    unmap_memory(t->stack, t->stack_size);
no_stack:
    sys_handle_close((uint64_t)doorbell);
no_doorbell:
    sys_handle_close(t->notification);
    return error;
}

int64_t thread_join(struct thread *t)
{
    int64_t events;
    do {
        events = sys_notification_wait(t->notification, ENDED, DEADLINE_NEVER);
    } while (events >= 0 && !(events & ENDED));
    if (events < 0)
        return events;
    struct thread_begin *begin = t->start;
    int64_t result = begin->result;
    sys_handle_close(begin->doorbell);
    sys_handle_close(t->notification);
    sys_handle_close(t->handle);
    unmap_memory(t->stack, t->stack_size);
    *t = (struct thread){0};
    return result;
}
