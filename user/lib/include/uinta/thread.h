/*
 * Threads of one process, each with a stack of its own between unmapped
 * pages, and a mutex. errno and stdio are the process's: stdio locks its
 * files, errno is shared, so threads use the uinta calls, whose errors are
 * return values, or take their errno under a lock.
 */
#ifndef UINTA_THREAD_H
#define UINTA_THREAD_H

#include <stddef.h>
#include <stdint.h>
#include "abi/object.h"

struct thread {
    handle_t handle;       /* OBJECT_THREAD: thread_set's */
    handle_t notification; /* rung when it has returned */
    void *stack;           /* lowest address, bytes: */
    size_t stack_size;
    void *start; /* struct thread_begin, on its stack */
};

enum { THREAD_STACK_SIZE = 32768 };

/*
 * Run fn(argument) in a new thread. priority -1: PRIORITY_NORMAL. Fills `t`,
 * which must stay where it is until thread_join. Negative enum error: nothing
 * was started and nothing is left behind.
 */
int64_t thread_start(struct thread *t, int64_t (*fn)(void *), void *argument,
                     int priority);

/* Wait until fn has returned, free its stack, return what it returned. */
int64_t thread_join(struct thread *t);

/* A mutex; zero is unlocked. Not recursive, may be held across anything. */
struct mutex {
    uint32_t held;
};

void mutex_lock(struct mutex *m);
int mutex_try(struct mutex *m); /* 1: taken */
void mutex_unlock(struct mutex *m);

#endif
