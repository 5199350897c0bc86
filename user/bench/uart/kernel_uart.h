/*
 * Calls of the benchmark's kernel (kernel/bench/uart.c), which are no part of
 * the ABI: the UART driver inside the kernel, one end of the wire a process.
 * Other kernels answer E_NOSYS.
 */
#ifndef BENCH_KERNEL_UART_H
#define BENCH_KERNEL_UART_H

#include <stdint.h>
#include "gen/syscalls.h"

enum {
    KERNEL_UART_OPEN = 120,
    KERNEL_UART_READ,
    KERNEL_UART_WRITE,
    KERNEL_UART_ARM,
    KERNEL_UART_COUNT
};

/* Of kernel_uart_count(). */
enum {
    KERNEL_UART_OVERRUNS,
    KERNEL_UART_PARITY,
    KERNEL_UART_FRAMING,
    KERNEL_UART_DOORBELLS,
    KERNEL_UART_CLIENT_FULL,
    KERNEL_UART_IN,
    KERNEL_UART_OUT,
    KERNEL_UART_INTERRUPTS,
    KERNEL_UART_COUNTERS
};

static inline int64_t kernel_uart_call(uint64_t number, uint64_t x0,
                                       uint64_t x1, uint64_t x2, uint64_t x3)
{
    register uint64_t a0 __asm__("a0") = x0;
    register uint64_t a1 __asm__("a1") = x1;
    register uint64_t a2 __asm__("a2") = x2;
    register uint64_t a3 __asm__("a3") = x3;
    register uint64_t a7 __asm__("a7") = number;
    __asm__ volatile("ecall"
                     : "+r"(a0), "+r"(a1), "+r"(a2), "+r"(a3), "+r"(a7)
                     :
                     : "a4", "a5", "a6", "t0", "t1", "t2", "t3", "t4", "t5",
                       "t6", "memory");
    return (int64_t)a0;
}

/* config: divisor, enum uart_flow in bits 16, 17. `bell` rings: see arm. */
static inline int64_t kernel_uart_open(uint64_t irq, uint64_t mmio,
                                       uint64_t bell, uint64_t config)
{
    return kernel_uart_call(KERNEL_UART_OPEN, irq, mmio, bell, config);
}

/* Moves what is there or fits now, at most n bytes; 0 = nothing. */
static inline int64_t kernel_uart_read(void *to, uint64_t n)
{
    return kernel_uart_call(KERNEL_UART_READ, (uint64_t)to, n, 0, 0);
}

static inline int64_t kernel_uart_write(const void *from, uint64_t n)
{
    return kernel_uart_call(KERNEL_UART_WRITE, (uint64_t)from, n, 0, 0);
}

/*
 * 1: `in` bytes are there or `out` would fit (0 = do not care). 0: the bell
 * will ring once when that is so.
 */
static inline int64_t kernel_uart_arm(uint64_t in, uint64_t out)
{
    return kernel_uart_call(KERNEL_UART_ARM, in, out, 0, 0);
}

/* A counter of this process's port. */
static inline int64_t kernel_uart_count(uint64_t which)
{
    return kernel_uart_call(KERNEL_UART_COUNT, which, 0, 0, 0);
}

#endif
