/*
 * TRACE(event, a, b): one record in the build of `make trace`, and nothing at
 * all in any other: neither a nor b is evaluated. Events: abi/trace.h.
 */
#ifndef UINTA_TRACE_H
#define UINTA_TRACE_H

#ifdef UINTA_TRACE
#include <stdint.h>
#include "abi/layout.h"
#include "abi/trace.h"

/* Bytes written ever, modulo 2^64; the ring is at USER_TRACE. */
extern uint64_t trace_next;

/*
 * Any thread, any handler: the place is taken by one instruction, so whoever
 * comes in between writes elsewhere. `event` is 0 until the rest is there.
 */
static inline __attribute__((always_inline)) void
trace_record(uint64_t event, uint64_t a, uint64_t b)
{
    uint64_t time;
    __asm__ volatile("rdcycle %0" : "=r"(time));
    uint64_t at =
        __atomic_fetch_add(&trace_next, TRACE_RECORD_SIZE, __ATOMIC_RELAXED) &
        (TRACE_RING_SIZE - 1);
    volatile struct trace_record *r =
        (volatile struct trace_record *)(USER_TRACE + at);
    r->event = 0;
    r->time = time;
    r->a = a;
    r->b = b;
    r->event = event;
}

#define TRACE(event, a, b) trace_record(event, (uint64_t)(a), (uint64_t)(b))
#else
#define TRACE(event, a, b) ((void)0)
#endif
#endif
