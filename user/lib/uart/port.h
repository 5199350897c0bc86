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

/* ring_publish() without a call. */
HOT void publish(struct ring *r, int role, uint64_t n)
{
    r->own += n;
    store_release(&r->shared->index[role].value, r->own);
}

/* One for each direction: `moved` bytes count for the other side's sleep. */

HOT void wake_reader(struct uart *u, struct ring *r)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* rings.md 7: r2 */
    uint32_t want =
        __atomic_load_n(&r->shared->wake[RING_CONSUMER], __ATOMIC_RELAXED);
    if (want && r->own - r->peer >= want)
        u->owner->wake(u, r);
}

HOT void wake_writer(struct uart *u, struct ring *r)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    uint32_t want =
        __atomic_load_n(&r->shared->wake[RING_PRODUCER], __ATOMIC_RELAXED);
    if (want && r->capacity - (r->peer - r->own) >= want)
        u->owner->wake(u, r);
}

HOT void read_fifo(const struct uart *u, unsigned char *to, uint32_t n)
{
    volatile uint8_t *rbr = u->reg[RBR];
    for (; n >= 8; n -= 8, to += 8) {
        to[0] = register_get(rbr), to[1] = register_get(rbr);
        to[2] = register_get(rbr), to[3] = register_get(rbr);
        to[4] = register_get(rbr), to[5] = register_get(rbr);
        to[6] = register_get(rbr), to[7] = register_get(rbr);
    }
    for (; n; n--)
        *to++ = register_get(rbr);
}

HOT void write_fifo(const struct uart *u, const unsigned char *from, uint32_t n)
{
    volatile uint8_t *thr = u->reg[THR];
    for (; n >= 8; n -= 8, from += 8) {
        register_put(thr, from[0]), register_put(thr, from[1]);
        register_put(thr, from[2]), register_put(thr, from[3]);
        register_put(thr, from[4]), register_put(thr, from[5]);
        register_put(thr, from[6]), register_put(thr, from[7]);
    }
    for (; n; n--)
        register_put(thr, *from++);
}

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

/*
 * NOT_UP, and a byte is there. True: look again, it may be there still and be
 * data. False: it is data of an ended session, and stays until there is space.
 */
bool uart_session_take(struct uart *u);

/* `bytes` have arrived: how many of them are in u->out. */
uint32_t uart_confirm_orphans(struct uart *u, uint32_t bytes);

/* u->in is not u->counted, u->out is not u->numbered: now it is. */
void uart_count_input(struct uart *u);
void uart_number_output(struct uart *u);

/* stream.c: handlers for v2 and v3, whose argument is the struct uart. */
void uart_stream_v2(void *u);
void uart_stream_v3(void *u);

/*
 * What these leave: this condition, with what it takes of LSR or MSR, and then
 * all others.
 */
void uart_serve_rest(struct uart *u, unsigned long iir, unsigned long status,
                     enum uart_flow flow);

/* LSR, for its other bits: those that reading clears are kept. */
static inline uint8_t look(struct uart *u)
{
    uint8_t lsr = get(u, LSR);
    uart_keep_errors(u, lsr, 0);
    return lsr;
}

#endif
