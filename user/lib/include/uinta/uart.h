/*
 * A 16550A between two byte rings: what comes in goes into `in`, what is in
 * `out` goes out, with the flow control asked for. It knows no client and no
 * kernel, so the same code runs under any delivery, in the benchmark and, on a
 * simulated device, on the host. docs/design/uart.md tells how and why.
 *
 * Contract: one thread; every function here runs where the device's interrupt
 * cannot come in between (inside its handler, or before it is enabled).
 */
#ifndef UINTA_UART_H
#define UINTA_UART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "uinta/ring.h"
#include "uinta/uart_config.h"
#include "uinta/uart_counters.h"

enum { UART_FIFO = 16 }; /* bytes, each way */

struct uart_error {
    uint64_t position; /* of the byte in its stream: the first one is 0 */
    uint64_t what;     /* UART_ERROR_* */
};

enum { UART_ERRORS_KEPT = 256 };

struct uart;

/* Where the rings come from. Called only when there is no way on without. */
struct uart_owner {
    /* `in` is NULL or full: a ring with space, NULL: none, and whoever has
     * space again will call uart_kick_receive(). */
    struct ring *(*need_space)(struct uart *);
    /* `out` is NULL or empty (but for `ahead`), or its turn is over: a ring
     * with bytes and u->turn for it, NULL: none, and whoever has some will
     * call uart_kick_send(). While `ahead` is not 0, only `out` itself. */
    struct ring *(*need_bytes)(struct uart *);
    /* Something was moved that the other side of `ring` waits for: ring it. */
    void (*wake)(struct uart *, struct ring *ring);
};

struct uart {
    /* What the hot path uses comes first. */
    volatile uint8_t *reg[7]; /* where each register is */
    uint8_t ier, mcr;         /* what these registers of the device hold */
    uint8_t cts;              /* MSR.CTS when last read */
    bool held;                /* reception stopped: the client has no space */
    uint32_t trigger;
    int32_t until_toggle; /* v2, v3: bytes to take until RTS changes */
    uint32_t credit;      /* v1..v3: bytes that may be written to THR */
    uint32_t turn;        /* bytes that `out` may still send in this turn */
    uint32_t ahead; /* v3: bytes sent and not yet acknowledged: still in out */
    uint32_t orphans;      /* v3: the same, of a ring that is gone */
    uint8_t unread_errors; /* of the next byte, which had no space yet */
    struct ring *in, *out;
    uint64_t place; /* `in` is NULL: where its next byte would have been put */
    uint64_t count[UART_COUNTER_COUNT];
    const struct uart_owner *owner;
    void *context; /* the owner's */
    struct uart_config config;
    uint64_t error_count; /* errors so far; the last ones are kept */
    uint64_t gap;         /* position behind the last overrun that was noted */
    struct uart_error errors[UART_ERRORS_KEPT];
};

/*
 * Takes the device over in whatever state the last driver left it:
 * interrupts off, rate and format, FIFOs on. Without flow control what is in
 * the receive FIFO stays: somebody has typed it while no driver was there.
 */
void uart_reset(struct uart *u, volatile void *base, unsigned reg_shift,
                const struct uart_config *config);

/* Ready to receive: raises DTR and RTS, switches the interrupts on. */
void uart_start(struct uart *u);

/* Serves every condition the device reports, until it reports none. */
void uart_interrupt(struct uart *u);

/*
 * The same function for one flow control, without the choice at each call, and
 * as uintr_on_source() takes it: its argument is the struct uart.
 */
void (*uart_handler(enum uart_flow flow))(void *);

/* There may be bytes to send (again). */
void uart_kick_send(struct uart *u);

/* There may be space to receive into (again). */
void uart_kick_receive(struct uart *u);

/* The ring is going away. */
void uart_forget(struct uart *u, const struct ring *ring);

/*
 * Error number `index`, from 0: OK, E_NOENT: there were not that many,
 * E_RANGE: it is too long ago; e->position is then the oldest number kept.
 */
int64_t uart_error(const struct uart *u, uint64_t index, struct uart_error *e);

void uart_reset_counters(struct uart *u);

#endif
