/*
 * Access to the device, as the parts of this library share it. IER and MCR are
 * modified, never overwritten whole: each direction owns its own bits.
 */
#ifndef UART_PORT_H
#define UART_PORT_H

#include <uinta/trace.h>
#include "uinta/uart.h"
#include "access.h"
#include "regs.h"

/* One straight version of the hot functions for each flow control. */
#define HOT static inline __attribute__((always_inline))

HOT unsigned long get(const struct uart *u, enum uart_reg r)
{
    return register_get(u->reg[r]);
}

HOT void put(const struct uart *u, enum uart_reg r, uint8_t value)
{
    register_put(u->reg[r], value);
}

HOT void ier_change(struct uart *u, uint8_t clear, uint8_t set)
{
    uint8_t ier = (u->ier & ~clear) | set;
    if (ier != u->ier) {
        u->ier = ier;
        put(u, IER, ier);
    }
}

HOT void mcr_change(struct uart *u, uint8_t clear, uint8_t set)
{
    u->mcr = (u->mcr & ~clear) | set;
    put(u, MCR, u->mcr);
}

enum {
    CREDIT = UART_FIFO / 2, /* bytes for each edge of RTS, v2 and v3 */
    /* In u->careful beside LSR's errors: what comes in may be no data. */
    NOT_UP = LSR_FIFO_ERROR,
};

/* Bytes taken and published: the other end may send as many more. */
HOT void give_credit(struct uart *u, uint32_t bytes, enum uart_flow flow)
{
    if (flow < UART_FLOW_V2)
        return;
    u->until_toggle -= bytes;
    if (u->until_toggle <= 0) {
        u->until_toggle += CREDIT;
        u->mcr ^= MCR_RTS;
        put(u, MCR, u->mcr);
    }
}

/* Notes what LSR says about the byte at `position`. */
void uart_note_errors(struct uart *u, uint8_t lsr, uint64_t position);

/*
 * `lsr` was read just now, which has cleared its errors in the device. Those
 * of the byte that is next are kept until it is taken (careful); an
 * overrun is noted: what is missing came behind the 16 bytes that were in the
 * FIFO, of which `since` have been taken since LSR was read before.
 */
void uart_keep_errors(struct uart *u, uint8_t lsr, uint32_t since);

/* Takes what is in the FIFO, as far as there is space; gives no credit. */
void uart_drain(struct uart *u);

/* session.c. With the device as uart_reset() leaves it, but its lines up. */
void uart_session_reset(struct uart *u);

/* MSR, as just read, has changes that are not in u->credit's business. */
void uart_session(struct uart *u, uint8_t msr);

/* What there was to agree on does not hold any more: once again. */
void uart_session_restart(struct uart *u);

/* NOT_UP, and a byte is there: false: it is data after all, else taken. */
bool uart_session_takes(struct uart *u);

/* `bytes` have arrived: how many of them are in u->out. */
uint32_t uart_confirm_orphans(struct uart *u, uint32_t bytes);

/* u->in is not u->counted, u->out is not u->numbered: now it is. */
void uart_count_input(struct uart *u);
void uart_number_output(struct uart *u);

#endif
