/*
 * The end of the machine: a kernel bug, or a machine it cannot run on. Prints
 * hart, cause, registers and backtrace through SBI, powers off with failure.
 */
#pragma once

#include <stdint.h>

_Noreturn void panic(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* From trap.S: a trap taken while in the kernel; frame = struct thread's. */
_Noreturn void panic_trap(uint64_t cause, uint64_t address, uint64_t *frame);

/* An invariant: what must hold whatever user programs do. */
#define assert(condition)                                        \
    do {                                                         \
        if (__builtin_expect(!(condition), 0))                   \
            panic("%s: %s does not hold", __func__, #condition); \
    } while (0)
