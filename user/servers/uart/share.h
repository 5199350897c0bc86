/*
 * Giving way to clients on the driver's own hart. A driver is more urgent than
 * its clients, and under load it thrashes: it sleeps, the kernel switches to a
 * client, and before that has run an instruction the next 8 bytes are there and
 * the kernel switches back. Each such switch costs more than the bytes take on
 * the wire, and the client stands still until its ring is full.
 *
 * So a driver that finds that its interrupt was claimed by the kernel, because
 * others run on this hart, while a client has work to do, takes none for a time
 * in which a client can do some. Flow control holds the other end back
 * meanwhile; without any, bytes would be lost, and it does not give way.
 */
#ifndef UART_SHARE_H
#define UART_SHARE_H

#include <stdbool.h>
#include <stdint.h>
#include <uinta/uart.h>
#include <uinta/uintr.h>

void share_init(const struct uart *uart);

/* Handler of the timer. */
void share_timer(void);

extern uint64_t share_seen; /* of uintr_taken */
void share_give_way(bool native);

/*
 * After each sleep. native: how to sleep, and UIE is clear; else by
 * uintr_sleep_unless(), and it is set.
 */
static inline void share_hart(bool native)
{
    if (uintr_taken != share_seen)
        share_give_way(native);
}

#endif
