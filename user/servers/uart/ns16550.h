/*
 * The 16550A and nothing else: registers, FIFOs, line errors. It knows no
 * client and no kernel: bytes come and go through three functions that the
 * owner supplies, so the same code runs under any delivery and on the host.
 *
 * Contract: one thread, and every function with the device's interrupt unable
 * to come in between (inside its handler, or before it is enabled).
 */
#ifndef UART_NS16550_H
#define UART_NS16550_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NS16550_FIFO = 16, NS16550_TRIGGER = 14 }; /* bytes */

struct ns16550_owner {
    /* Bytes that received() can take now. */
    size_t (*space)(void *context);
    /*
     * Takes all `count` bytes; count <= the last space(). more: the burst goes
     * on, there will be another call; so its reader need not be woken yet.
     */
    void (*received)(void *context, const uint8_t *bytes, size_t count,
                     bool more);
    /* Fills in up to `max` bytes to send; returns how many, 0 = nothing. */
    size_t (*to_send)(void *context, uint8_t *bytes, size_t max);
};

struct ns16550 {
    volatile uint8_t *base;
    unsigned reg_shift;
    const struct ns16550_owner *owner;
    void *context;
    uint8_t ier;                    /* what the device's IER holds */
    uint64_t sent, taken;           /* bytes */
    uint64_t overruns, line_errors; /* LSR.OE; parity, framing, break */
};

/*
 * Resets the device into 8N1 with both FIFOs on, whatever state the last
 * driver left it in; interrupts stay off. clock and baud in Hz; clock 0
 * (unknown) leaves the divisor alone.
 */
void ns16550_reset(struct ns16550 *u, uint32_t clock, uint32_t baud);

/* Receive and line-status interrupts on. */
void ns16550_start(struct ns16550 *u);

/* Serves every condition the device reports, until it reports none. */
void ns16550_interrupt(struct ns16550 *u);

/* The owner may have bytes to send: starts the transmitter if it is idle. */
void ns16550_kick_send(struct ns16550 *u);

/* The owner may have space again: resumes reception if it was held back. */
void ns16550_kick_receive(struct ns16550 *u);

/* Reception is held back for want of space. */
bool ns16550_held(const struct ns16550 *u);

#endif
