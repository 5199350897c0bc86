/*
 * Time in ticks of the timebase (rdtime), as deadlines of system calls have
 * it, and in ns. A duration too long to express becomes DEADLINE_NEVER.
 */
#ifndef UINTA_CLOCK_H
#define UINTA_CLOCK_H

#include <stdint.h>
#include "abi/object.h"

/* Ticks since the machine started. */
static inline uint64_t clock_ticks(void)
{
    uint64_t ticks;
    __asm__ volatile("rdtime %0" : "=r"(ticks));
    return ticks;
}

/* Instructions this hart has executed (user and kernel), [unpriv 10.1]. */
static inline uint64_t clock_instructions(void)
{
    uint64_t count;
    __asm__ volatile("rdinstret %0" : "=r"(count));
    return count;
}

uint64_t clock_ticks_from_ns(uint64_t ns); /* rounded up */
uint64_t clock_ns_from_ticks(uint64_t ticks);

/* The deadline `ns` from now. */
uint64_t clock_deadline(uint64_t ns);

/* Sleep at least that long. */
void clock_sleep_ns(uint64_t ns);

#endif
