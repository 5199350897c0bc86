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

/* Flow controls only: how far the two ends are; none: always UP. */
enum uart_session {
    UART_SESSION_NONE,  /* DTR and RTS down: silent, and knows of nobody */
    UART_SESSION_READY, /* RTS up: the other end was silent, all old is gone */
    UART_SESSION_OPEN,  /* DTR up: the other end is ready, too */
    UART_SESSION_AGREE, /* it is open: v3's message on its way */
    UART_SESSION_UP
};

/* Where the rings come from. Called only when there is no way on without. */
struct uart_owner {
    /* `in` is NULL or full: a ring with space, NULL: none, and whoever has
     * space again will call uart_kick_receive(). */
    struct ring *(*need_space)(struct uart *);
    /* `out` is NULL or empty (but for `ahead`), or its turn is over: a ring
     * with bytes (`out`: beyond `ahead`) and u->turn for it, NULL: none, and
     * whoever has some will call uart_kick_send(). */
    struct ring *(*need_bytes)(struct uart *);
    /* Something was moved that the other side of `ring` waits for: ring it. */
    void (*wake)(struct uart *, struct ring *ring);
};

struct uart {
    /* What the hot path uses comes first. */
    volatile uint8_t *reg[7]; /* where each register is */
    uint8_t ier, mcr;         /* what these registers of the device hold */
    uint8_t cts;              /* MSR.CTS when last read */
    uint8_t unexpected;       /* changes in MSR that are the session's affair */
    uint8_t careful; /* not 0: look at the next byte: its errors, or NOT_UP */
    bool held;       /* reception stopped: the client has no space */
    uint32_t trigger;
    int32_t until_toggle; /* v2, v3: bytes to take until RTS changes */
    uint32_t credit;      /* v1..v3: bytes that may be written to THR */
    uint32_t turn;        /* bytes that `out` may still send in this turn */
    uint32_t ahead; /* v3: bytes sent and not yet acknowledged: still in out */
    uint32_t orphans; /* v3: the same, of rings that are gone: in kept */
    struct ring *in, *out;
    uint64_t place; /* `in` is NULL: where its next byte would have been put */
    uint64_t count[UART_COUNTER_COUNT];
    const struct uart_owner *owner;
    void *context; /* the owner's */
    struct uart_config config;
    /*
     * The session, session.c: the rings whose indices count, and what is to be
     * added to these for a position that both ends understand.
     */
    enum uart_session session;
    uint8_t fcr;
    uint8_t message[3], message_length; /* the other end's */
    bool switching;        /* `out` shall let go when the FIFO is empty */
    bool rest;             /* v1, v2: of an ended session, to be taken */
    bool waited;           /* when uart_watch() looked, ... */
    uint64_t mark;         /* ... so far had what is sent been confirmed */
    bool told_nobody;      /* the other end: that nobody listens here */
    bool in_known;         /* in_base has a meaning for the other end */
    bool out_known;        /* it has told how far it is, in this life */
    bool first_known;      /* `first`: how far it was */
    struct ring *counted;  /* the last `in`; NULL: its index is in in_base */
    struct ring *numbered; /* the last `out` */
    uint32_t in_base, out_base, first;
    uint8_t kept[UART_FIFO]; /* the orphans, oldest first, to be sent again */
    uint32_t kept_count;     /* in the next session if they do not arrive */
    uint64_t error_count;    /* errors so far; the last ones are kept */
    uint64_t gap; /* position behind the last overrun that was noted */
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

/*
 * To be called every uart_watch_ns() with a flow control: if the other end has
 * given no credit for what is to be sent since the last call, bytes or edges
 * may have been lost on the wire, and it begins a new session. One end that is
 * only slow loses nothing by it.
 */
void uart_watch(struct uart *u);
uint64_t uart_watch_ns(const struct uart_config *config);

/*
 * v3: another ring is to send, and `out` has bytes ahead. False: not yet; an
 * interrupt will come when all of them are on the wire. True: `out` has let go
 * of them without hearing that they have arrived; the library keeps them.
 */
bool uart_let_go(struct uart *u);

/* The ring is going away. */
void uart_forget(struct uart *u, const struct ring *ring);

/*
 * Error number `index`, from 0: OK, E_NOENT: there were not that many,
 * E_RANGE: it is too long ago; e->position is then the oldest number kept.
 */
int64_t uart_error(const struct uart *u, uint64_t index, struct uart_error *e);

void uart_reset_counters(struct uart *u);

#endif
