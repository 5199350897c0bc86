/*
 * What a record costs, in instructions (under -icount shift=N an instruction is
 * 2^N ns): prints `record NS` for one of a program, and `null NS` for the null
 * system call, which on a traced kernel has two of the kernel's.
 */
#include <stdio.h>
#include <uinta/trace.h>
#include "gen/syscalls.h"

enum { ROUNDS = 1000 };

static uint64_t now(void)
{
    uint64_t ns;
    __asm__ volatile("rdcycle %0" : "=r"(ns));
    return ns;
}

/* The loop itself: taken off. */
static uint64_t empty(void)
{
    uint64_t start = now();
    for (uint64_t i = 0; i < ROUNDS; i++)
        __asm__ volatile("" : : "r"(i));
    return now() - start;
}

int main(void)
{
    uint64_t loop = empty(), start = now();
    for (uint64_t i = 0; i < ROUNDS; i++)
        TRACE(TRACE_USER, i, 1);
    uint64_t record = now() - start - loop;
    start = now();
    for (uint64_t i = 0; i < ROUNDS; i++)
        sys_null();
    uint64_t null = now() - start - loop;
    printf("record %lu\nnull %lu\n", record / ROUNDS, null / ROUNDS);
    return 0;
}
