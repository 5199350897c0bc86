/*
 * How a client reaches its UART: a stream to the driver in another process,
 * or calls of the kernel, whose driver that is (mode=kernel). One thread.
 * In both the client fills and takes bytes in place.
 */
#ifndef BENCH_PORT_H
#define BENCH_PORT_H

#include "row.h"

/* Connect. The handles come from measure(): see port.c. */
int64_t port_open(const struct row *row);

/*
 * Bytes that came and can be looked at; *span. 0 = none now, or negative
 * error. Then port_took() says how many of them are done with.
 */
int64_t port_in(unsigned char **span);
void port_took(uint64_t n);

/* The same for what is to be sent: room at *span, then port_gave(). */
int64_t port_out(unsigned char **span);
int64_t port_gave(uint64_t n);
/* 1: all that was given is with the driver. 0: wait for room, call again. */
int64_t port_flush(void);

/*
 * Sleep until `in` bytes have come, there is room for `out` (0 = do not care),
 * or something else rang, or the deadline (ticks) has come; not at all if that is
 * so. Event bits, 0, or an error.
 */
int64_t port_wait(uint64_t in, uint64_t out, uint64_t deadline);

/*
 * The driver's own counters since it began, by uinta/uart_counters.h, those that
 * it has.
 */
int64_t port_counters(volatile uint64_t count[UART_COUNTER_COUNT]);

/* Bytes to let gather before one wakes up: a quarter of what fits. */
uint64_t port_gather(void);

#endif
