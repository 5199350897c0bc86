/*
 * What a stream under v2 and v3 consists of: 8 bytes have come, credit for 8 has
 * come. Straight code that calls nothing and so keeps nothing on the stack.
 * Whatever else there is, the unusual in these two included, goes to serve.c with
 * what was read of the device, which reading may have cleared; that code does
 * the same for all cases, and says why.
 */
#include "port.h"

/* 8 bytes that are there, if all is well. */
HOT bool take(struct uart *u, unsigned long lsr)
{
    struct ring *r = u->in;
    if (((lsr | u->careful) & (LSR_ERRORS | LSR_FIFO_ERROR)) || !r ||
        u->trigger != CREDIT)
        return false;
    uint64_t own = r->own, slot = ring_slot(r, own);
    if (r->capacity - (own - r->peer) < CREDIT || slot + CREDIT > r->capacity)
        return false;
    read_fifo(u, r->data + slot, CREDIT);
    publish(r, RING_PRODUCER, CREDIT);
    TRACE(TRACE_UART_IN, u->count[UART_BYTES_IN], CREDIT);
    u->count[UART_BYTES_IN] += CREDIT;
    u->until_toggle -= CREDIT;
    if (u->until_toggle <= 0) {
        u->until_toggle += CREDIT;
        u->mcr ^= MCR_RTS;
        put(u, MCR, u->mcr);
    }
    return true;
}

/*
 * Credit for 8, if all is well: none was left, and 8 bytes of the same ring are
 * there. v3: the 8 that it confirms leave the ring, 8 more are ahead. IER_SEND
 * is on from the first bytes, and stays on.
 */
HOT bool give(struct uart *u, unsigned long msr, enum uart_flow flow)
{
    struct ring *r = u->out;
    unsigned long cts = msr & MSR_CTS;
    uint64_t ahead = flow == UART_FLOW_V3 ? u->ahead : 0;
    if ((msr & u->unexpected) || cts == u->cts || u->credit || !r ||
        u->turn < CREDIT)
        return false;
    if (flow == UART_FLOW_V3 &&
        (u->orphans || ahead < CREDIT || !(u->ier & IER_SEND)))
        return false;
    uint64_t slot = ring_slot(r, r->own + ahead);
    if (r->peer - r->own < ahead + CREDIT || slot + CREDIT > r->capacity)
        return false;
    u->cts = cts;
    u->turn -= CREDIT;
    if (flow == UART_FLOW_V3)
        publish(r, RING_CONSUMER, CREDIT);
    write_fifo(u, r->data + slot, CREDIT);
    if (flow != UART_FLOW_V3)
        publish(r, RING_CONSUMER, CREDIT);
    TRACE(TRACE_UART_OUT, u->count[UART_BYTES_OUT], CREDIT);
    u->count[UART_BYTES_OUT] += CREDIT;
    return true;
}

static __attribute__((noinline)) void wake(struct uart *u)
{
    if (u->in)
        wake_reader(u, u->in);
    if (u->out)
        wake_writer(u, u->out);
}

/* Whoever sleeps for what was moved; one look after all of it. */
HOT void wake_clients(struct uart *u)
{
    struct ring *in = u->in, *out = u->out;
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* rings.md 7: r2 */
    if (in) {
        uint64_t want = in->shared->wake[RING_CONSUMER];
        if (want && in->own - in->peer >= want)
            return wake(u);
    }
    if (out) {
        uint64_t want = out->shared->wake[RING_PRODUCER];
        if (want && out->capacity - (out->peer - out->own) >= want)
            return wake(u);
    }
}

static __attribute__((noinline)) void rest(struct uart *u, unsigned long iir,
                                           unsigned long status,
                                           enum uart_flow flow)
{
    wake(u);
    uart_serve_rest(u, iir, status, flow);
    u->count[UART_INTERRUPTS]++;
}

HOT void stream(struct uart *u, enum uart_flow flow)
{
    bool moved = false;
    for (;;) {
        unsigned long iir = get(u, IIR) & IIR_MASK, status;
        if (iir == IIR_RECEIVE) {
            if (!take(u, status = get(u, LSR)))
                return rest(u, iir, status, flow);
            moved = true;
            if (flow != UART_FLOW_V3)
                continue;
            /* Credit may have come meanwhile: no round of its own for it. */
            status = get(u, MSR);
            if (!(status & (MSR_DCTS | MSR_DDSR)))
                continue;
        } else if (iir == IIR_MODEM) {
            status = get(u, MSR);
            if (!(status & (MSR_DCTS | MSR_DDSR)))
                continue;
        } else if (iir == IIR_NONE) {
            break;
        } else {
            return rest(u, iir, 0, flow);
        }
        if (!give(u, status, flow))
            return rest(u, IIR_MODEM, status, flow);
        moved = true;
    }
    if (!moved)
        return;
    u->count[UART_INTERRUPTS]++;
    wake_clients(u);
}

void uart_stream_v2(void *u)
{
    stream(u, UART_FLOW_V2);
}

void uart_stream_v3(void *u)
{
    stream(u, UART_FLOW_V3);
}
