/*
 * Deadlines. Each hart keeps its own sorted list and programs its own
 * comparator; a timer fires on the hart where it was armed, also when that
 * hart is idle and the thread has moved. Kernel lock held; arm on this hart.
 */
#pragma once

#include "kernel/lib.h"

struct hart;
struct timer {
    struct list node;
    uint64_t deadline; /* ticks */
    void (*fire)(struct timer *);
};

void timer_init(struct timer *t, void (*fire)(struct timer *));
void timer_arm(struct timer *t, uint64_t deadline); /* never: cancels */
static inline void timer_cancel(struct timer *t)    /* from any hart */
{
    list_remove(&t->node);
}

/* This hart's timer interrupt: fire what has expired. */
void timer_interrupt(void);
/* Program the comparator for the earliest of list and time slice. */
void timer_program(struct hart *h);
