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

/* Notes what LSR says about the byte at `position`. */
void uart_note_errors(struct uart *u, uint8_t lsr, uint64_t position);

/*
 * `lsr` was read just now, which has cleared its errors in the device. Those
 * of the byte that is next are kept until it is taken (unread_errors); an
 * overrun is noted: what is missing came behind the 16 bytes that were in the
 * FIFO, of which `since` have been taken since LSR was read before.
 */
void uart_keep_errors(struct uart *u, uint8_t lsr, uint32_t since);

#endif
