/*
 * What a stream under v2 and v3 consists of: 8 bytes have come, or its last few
 * ones, and credit for 8 has come. Straight code that calls nothing and so keeps
 * nothing on the stack. Whatever else there is, the unusual in these included,
 * goes to serve.c with what was read of the device, which reading may have
 * cleared; that code does the same for all cases, and says why.
 */
#include "port.h"

enum { TAKEN = 0x100 }; /* beside LSR's bits: bytes were taken before it */

/* n <= CREDIT bytes are in the ring. */
HOT void took(struct uart *u, struct ring *r, uint32_t n)
{
    publish(r, RING_PRODUCER, n);
    TRACE(TRACE_UART_IN, u->count[UART_BYTES_IN], n);
    u->count[UART_BYTES_IN] += n;
    give_credit(u, n, UART_FLOW_V3);
}

/* 8 bytes that are there, if all is well. */
HOT bool take(struct uart *u, unsigned long lsr)
{
    struct ring *r = u->in;
    if (((lsr | u->careful) & (LSR_ERRORS | LSR_FIFO_ERROR)) || !r ||
        u->trigger != CREDIT || u->until_toggle != CREDIT)
        return false;
    uint64_t own = r->own, slot = ring_slot(r, own);
    if (r->capacity - (own - r->peer) < CREDIT || slot + CREDIT > r->capacity)
        return false;
    read_fifo(u, r->data + slot, CREDIT);
    took(u, r, CREDIT);
    return true;
}

/*
 * The end of a burst: as many as LSR says, if all is well, in pieces of a credit
 * for each of which there must be free space behind each other. Else LSR as it
 * was read last.
 */
HOT bool take_tail(struct uart *u, unsigned long *status)
{
    struct ring *r = u->in;
    unsigned long lsr = get(u, LSR), taken = 0;
    for (int pieces = UART_FIFO / CREDIT; pieces && (lsr & LSR_READY);
         pieces--) {
        *status = lsr | taken;
        if (u->careful || !r)
            return false;
        uint64_t slot = ring_slot(r, r->own);
        if (r->capacity - (r->own - r->peer) < CREDIT ||
            slot + CREDIT > r->capacity)
            return false;
        uint32_t n = 0;
        for (; n < CREDIT &&
               (lsr & (LSR_READY | LSR_ERRORS | LSR_FIFO_ERROR)) == LSR_READY;
             lsr = get(u, LSR))
            r->data[slot + n++] = register_get(u->reg[RBR]);
        if (!n)
            break;
        took(u, r, n);
        taken = TAKEN;
    }
    *status = lsr | taken;
    return taken && !(lsr & (LSR_READY | LSR_ERRORS | LSR_FIFO_ERROR));
}

/*
 * Credit for 8, if all is well: none was left, and 8 bytes of the same ring are
 * there. v3: the 8 that it confirms leave the ring, 8 more are ahead.
 */
HOT bool give(struct uart *u, unsigned long msr, enum uart_flow flow)
{
    struct ring *r = u->out;
    unsigned long cts = msr & MSR_CTS;
    uint64_t ahead = flow == UART_FLOW_V3 ? u->ahead : 0;
    if ((msr & u->unexpected) || cts == u->cts || u->credit || !r ||
        u->turn < CREDIT)
        return false;
    if (flow == UART_FLOW_V3 && (u->orphans || ahead < CREDIT))
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
    if (status & TAKEN) {
        uart_keep_errors(u, status, 1);
        status &= ~(unsigned long)(TAKEN | LSR_OVERRUN);
    }
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
        } else if (iir == IIR_TIMEOUT) {
            if (!take_tail(u, &status))
                return rest(u, iir, status, flow);
            moved = true;
            continue;
        } else if (iir == IIR_NONE) {
            break;
        } else {
            status = iir == IIR_LINE ? get(u, LSR) : 0;
            return rest(u, iir, status, flow);
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
