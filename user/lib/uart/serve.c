/*
 * The hot path: from the device's interrupt to bytes in and out of the rings.
 * Rules that people got wrong before, each of which has a test:
 *  - every condition that can raise the line has a reader, MSR included, or it
 *    raises it for ever;
 *  - reception goes by trigger level and IIR; LSR is looked at once a batch,
 *    for errors, and for each byte only where the length is not known;
 *  - the function returns only when IIR says "none": the line must have been
 *    low once before the source is completed, because a PLIC that samples
 *    edges would not see it again otherwise;
 *  - two edges of CTS between two looks are one delta with an unchanged level;
 *  - bytes are published before credit is given for them: what the other end
 *    was told to have arrived survives the death of this driver.
 */
#include "port.h"

/*
 * Leave the bytes where they are and stop asking. The FIFO fills, the other end
 * gets no credit, or is held back by QEMU's character device.
 */
static void hold(struct uart *u)
{
    u->count[UART_CLIENT_FULL] += !u->held;
    TRACE(TRACE_RING_FULL, u->in ? u->in->shared : NULL, 1);
    u->held = true;
    ier_change(u, IER_RECEIVE, 0);
}

/* A ring with space for one byte; NULL: none, and reception is held. */
static struct ring *ring_with_space(struct uart *u)
{
    if (!u->in || ring_available(u->in, 1) <= 0) {
        if (u->in)
            u->place = u->in->own;
        u->in = u->owner->need_space(u);
    }
    if (!u->in)
        hold(u);
    else if (u->in != u->counted)
        uart_count_input(u);
    return u->in;
}

/*
 * Up to `max` bytes with a look at LSR for each: for the end of a burst, whose
 * length is not known, and where a byte has an error. `lsr` was read just now,
 * which has cleared its errors in the device: if there is no space to put the
 * byte they are kept for when there is.
 */
static __attribute__((noinline)) uint32_t
receive_each(struct uart *u, uint32_t max, uint8_t lsr, enum uart_flow flow)
{
    uint32_t taken = 0;
    for (;;) {
        uart_keep_errors(u, lsr, taken != 0);
        if (taken == max || !(lsr & LSR_READY))
            break;
        if (u->careful & NOT_UP) {
            if (!uart_session_take(u))
                break;
            lsr = get(u, LSR);
            continue;
        }
        struct ring *r = ring_with_space(u);
        if (!r)
            break;
        if (u->careful)
            uart_note_errors(u, u->careful, r->own);
        u->careful = 0;
        r->data[ring_slot(r, r->own)] = get(u, RBR);
        ring_publish(r, 1);
        give_credit(u, 1, flow);
        taken++;
        lsr = get(u, LSR);
    }
    u->count[UART_BYTES_IN] += taken;
    TRACE(taken ? TRACE_UART_IN : 0, u->count[UART_BYTES_IN] - taken, taken);
    return taken;
}

/*
 * The batch is over: v1 asks for the next one with a pulse of RTS, when the
 * FIFO is empty. That a batch seems over (no byte for 4 characters) may be its
 * sender's having been stopped in the middle of it; see v1_silent().
 */
static __attribute__((noinline)) void end_batch_v1(struct uart *u)
{
    if (u->careful & NOT_UP)
        return;
    mcr_change(u, MCR_RTS, 0); /* first: see v1_silent() */
    uint8_t lsr = look(u);
    if ((lsr & LSR_READY) && receive_each(u, UART_FIFO, lsr, UART_FLOW_V1)) {
        if (u->in)
            wake_reader(u, u->in);
        lsr = look(u);
    }
    if (lsr & LSR_READY)
        return;
    u->held = false; /* the client has read meanwhile */
    ier_change(u, 0, IER_RECEIVE);
    mcr_change(u, 0, MCR_RTS);
}

HOT void end_batch(struct uart *u, enum uart_flow flow)
{
    if (flow == UART_FLOW_V1)
        end_batch_v1(u);
}

/* Within a burst: for half a ring; with a low trigger no timeout ends it. */
HOT void wake_in_burst(struct uart *u, struct ring *r, enum uart_flow flow)
{
    if (flow != UART_FLOW_NONE || u->trigger < CREDIT ||
        r->own - r->peer >= r->capacity / 2)
        wake_reader(u, r);
}

/*
 * The trigger level has been reached: that many bytes need no look at LSR but
 * one for errors. Without flow control one byte is left in the FIFO: then
 * either the next trigger or, when the burst is over, the character timeout
 * comes, and a sleeping reader is not woken for each piece of a burst.
 */
static __attribute__((noinline)) void
receive_carefully(struct uart *u, uint32_t n, uint8_t lsr, enum uart_flow flow)
{
    /* with a low trigger more than that may be there */
    uint32_t max = flow >= UART_FLOW_V2 || n == 1 ? UART_FIFO : n;
    /*
     * After a tail, credit for some that have been taken waits for others: the
     * other end has so many fewer outstanding, and the wire runs dry. It is
     * completed, and the rest stays: from here on batches end where credits do.
     */
    if (flow >= UART_FLOW_V2 && u->until_toggle < CREDIT)
        max = u->until_toggle;
    if (receive_each(u, max, lsr, flow) && u->in)
        wake_in_burst(u, u->in, flow);
}

/* `n` bytes that are there, if all is well. */
HOT bool receive_batch(struct uart *u, uint32_t n, unsigned long lsr,
                       enum uart_flow flow)
{
    struct ring *r = u->in;
    if (__builtin_expect(lsr & (LSR_ERRORS | LSR_FIFO_ERROR), 0) || !r)
        return false;
    uint64_t slot = ring_slot(r, r->own);
    if (r->capacity - (r->own - r->peer) < n || slot + n > r->capacity)
        return false;
    read_fifo(u, r->data + slot, n);
    publish(r, RING_PRODUCER, n);
    u->count[UART_BYTES_IN] += n;
    TRACE(TRACE_UART_IN, u->count[UART_BYTES_IN] - n, n);
    give_credit(u, n, flow);
    wake_in_burst(u, r, flow);
    return true;
}

HOT void receive_trigger(struct uart *u, unsigned long lsr, enum uart_flow flow)
{
    uint32_t n = u->trigger;
    bool done;
    lsr |= u->careful;
    if (flow >= UART_FLOW_V2) /* straight code for the only case that counts */
        done = n == CREDIT && u->until_toggle == CREDIT &&
               receive_batch(u, CREDIT, lsr, flow);
    else
        done = n > 4 &&
               receive_batch(u, flow == UART_FLOW_NONE ? --n : n, lsr, flow);
    if (!done)
        receive_carefully(u, n, lsr, flow);
    end_batch(u, flow);
}

static void receive_tail(struct uart *u, uint8_t lsr, enum uart_flow flow)
{
    if (!(lsr & LSR_READY)) {
        get(u, RBR); /* some chips time out on an empty FIFO: this ends it */
        return;
    }
    if (receive_each(u, UART_FIFO, lsr, flow) && u->in)
        wake_reader(u, u->in);
    end_batch(u, flow);
}

void uart_drain(struct uart *u)
{
    if (receive_each(u, UART_FIFO, get(u, LSR), UART_FLOW_NONE) && u->in)
        wake_reader(u, u->in);
}

/* The next byte has an error, or an overrun is to be told of. */
static void line_status(struct uart *u, uint8_t lsr, enum uart_flow flow)
{
    if (receive_each(u, 1, lsr, flow) && u->in)
        wake_reader(u, u->in);
}

/* Bytes of u->out that can be sent, as far as is known. */
HOT uint64_t to_send(const struct uart *u)
{
    return u->out ? u->out->peer - u->out->own - u->ahead : 0;
}

HOT void sent(struct uart *u, struct ring *r, uint32_t n, enum uart_flow flow)
{
    TRACE(TRACE_UART_OUT, u->count[UART_BYTES_OUT], n);
    u->count[UART_BYTES_OUT] += n;
    u->turn -= n;
    if (flow == UART_FLOW_V3) {
        u->ahead += n; /* published when acknowledged */
        return;
    }
    publish(r, RING_CONSUMER, n);
    wake_writer(u, r);
}

/* Up to `max` bytes, from wherever they are; returns how many. */
static __attribute__((noinline)) uint32_t
send_each(struct uart *u, uint32_t max, enum uart_flow flow)
{
    uint32_t done = 0;
    while (done < max) {
        struct ring *r = u->out;
        int64_t there = r && u->turn ? ring_available(r, u->ahead + max) : 0;
        if (there <= (int64_t)u->ahead) {
            r = u->owner->need_bytes(u);
            if (r != u->out && u->ahead && (!r || !uart_let_go(u)))
                break;
            u->out = r;
            if (r && r != u->numbered) {
                uart_number_output(u); /* may find that all have arrived */
                continue;
            }
            there = r ? ring_available(r, u->ahead + 1) : 0;
            if (there <= (int64_t)u->ahead || !u->turn)
                break;
        }
        uint64_t n = there - u->ahead, slot = ring_slot(r, r->own + u->ahead);
        n = n < max - done ? n : max - done;
        n = n < u->turn ? n : u->turn;
        n = n < r->capacity - slot ? n : r->capacity - slot;
        write_fifo(u, r->data + slot, n);
        sent(u, r, n, flow);
        done += n;
    }
    return done;
}

/* Up to `max` bytes, at most what the FIFO is known to have room for. */
HOT uint32_t send(struct uart *u, uint32_t max, enum uart_flow flow)
{
    struct ring *r = u->out;
    if (max != CREDIT && max != UART_FIFO)
        return send_each(u, max, flow);
    if (to_send(u) < max || u->turn < max)
        return send_each(u, max, flow);
    uint64_t slot =
        ring_slot(r, r->own + (flow == UART_FLOW_V3 ? u->ahead : 0));
    if (slot + max > r->capacity)
        return send_each(u, max, flow);
    write_fifo(u, r->data + slot, CREDIT);
    if (max == UART_FIFO)
        write_fifo(u, r->data + slot + CREDIT, CREDIT);
    sent(u, r, max, flow);
    return max;
}

/*
 * v1: may the next batch go? Only when all of the last one has arrived, and CTS
 * is up; pulses until then count for nothing. The receiver lowers RTS, empties
 * its FIFO, raises RTS: so the next edge upwards says that it has emptied it
 * after this, and what it may not have read is the batch sent now. With one
 * more that is 16 bytes at most, however long either end is stopped wherever.
 */
static __attribute__((noinline)) bool v1_silent(struct uart *u)
{
    uint8_t lsr = look(u);
    if (!(lsr & LSR_SEND_EMPTY)) {
        ier_change(u, 0, IER_SEND);
        return false;
    }
    while (!(lsr & LSR_ALL_SENT)) /* the last character */
        lsr = look(u);
    uint8_t msr = get(u, MSR);
    if (msr & u->unexpected) {
        uart_session(u, msr);
        return false;
    }
    return msr & MSR_CTS;
}

HOT void send_credit(struct uart *u, enum uart_flow flow)
{
    if (!u->credit || (flow == UART_FLOW_V1 && !v1_silent(u)))
        return;
    uint32_t n = send(u, u->credit, flow);
    /* v1: one batch a pulse, however small */
    u->credit = flow == UART_FLOW_V1 && n ? 0 : u->credit - n;
    /* v3 hears of the FIFO running empty when a ring is to be let go then */
    if (flow == UART_FLOW_V3)
        ier_change(u, u->switching ? 0 : IER_SEND, u->switching ? IER_SEND : 0);
}

/*
 * The transmit FIFO is empty: fill it. The interrupt is asked for only if
 * that left something to send; a key's echo costs none.
 */
static void send_when_empty(struct uart *u)
{
    bool more = send(u, UART_FIFO, UART_FLOW_NONE) == UART_FIFO;
    ier_change(u, IER_SEND, more ? IER_SEND : 0);
}

/* v3: so many more bytes have arrived; only now they leave the ring. */
HOT void acknowledged(struct uart *u, uint32_t bytes)
{
    if (__builtin_expect(u->orphans, 0))
        bytes = uart_confirm_orphans(u, bytes);
    if (!u->out || !bytes)
        return;
    u->ahead -= bytes;
    publish(u->out, RING_CONSUMER, bytes);
    wake_writer(u, u->out);
}

/*
 * Reading MSR clears the deltas and takes the line down. Changed, and the level
 * is what it was: two edges have merged. More than two cannot have been, since
 * 16 bytes are outstanding at most.
 */
HOT void modem(struct uart *u, unsigned long msr, enum uart_flow flow)
{
    unsigned long cts = msr & MSR_CTS;
    if (flow == UART_FLOW_NONE || !(msr & (MSR_DCTS | MSR_DDSR)))
        return; /* no credit has come, so nothing has changed */
    if (__builtin_expect(msr & u->unexpected, 0)) {
        uart_session(u, msr);
        return;
    }
    uint32_t bytes = cts != u->cts ? CREDIT : UART_FIFO;
    u->cts = cts;
    if (flow == UART_FLOW_V1) {
        if (cts)
            u->credit = u->trigger;
    } else if (__builtin_expect(u->credit + bytes > UART_FIFO, 0)) {
        /* an edge for bytes that were not sent */
        if (flow == UART_FLOW_V3) {
            uart_session_restart(u);
            return;
        }
        u->credit += (UART_FIFO - u->credit) / CREDIT * CREDIT;
    } else {
        u->credit += bytes;
        if (flow == UART_FLOW_V3)
            acknowledged(u, bytes);
    }
    send_credit(u, flow);
}

/* v3: the transmit FIFO has run empty. Credit may just have come. */
static __attribute__((noinline)) void ran_empty(struct uart *u)
{
    modem(u, get(u, MSR), UART_FLOW_V3);
    if (u->switching)
        send_credit(u, UART_FLOW_V3);
}

/* Serves one condition; `status` is LSR if it is of reception, MSR of IIR_MODEM. */
HOT void serve_one(struct uart *u, unsigned long iir, unsigned long status,
                   enum uart_flow flow)
{
    switch (iir) {
    case IIR_RECEIVE:
        receive_trigger(u, status, flow);
        /* Credit may have come meanwhile: no round of its own for it. */
        if (flow == UART_FLOW_V3)
            modem(u, get(u, MSR), flow);
        break;
    case IIR_MODEM:
        modem(u, status, flow);
        break;
    case IIR_TIMEOUT:
        receive_tail(u, status, flow);
        break;
    case IIR_LINE:
        line_status(u, status, flow);
        break;
    default:
        if (flow == UART_FLOW_NONE)
            send_when_empty(u);
        if (flow == UART_FLOW_V1) { /* asked for by v1_silent() */
            ier_change(u, IER_SEND, 0);
            send_credit(u, flow);
        }
        if (flow == UART_FLOW_V3)
            ran_empty(u);
    }
}

/* All there is; was there any? */
HOT bool serve(struct uart *u, enum uart_flow flow)
{
    uint64_t rounds = 0;
    for (unsigned long iir; (iir = get(u, IIR) & IIR_MASK) != IIR_NONE;
         rounds++) {
        unsigned long status = 0;
        if (iir == IIR_MODEM)
            status = get(u, MSR);
        else if (iir != IIR_SEND)
            status = get(u, LSR);
        serve_one(u, iir, status, flow);
    }
    return rounds != 0;
}

void uart_serve_rest(struct uart *u, unsigned long iir, unsigned long status,
                     enum uart_flow flow)
{
    if (flow == UART_FLOW_V3) {
        serve_one(u, iir, status, UART_FLOW_V3);
        serve(u, UART_FLOW_V3);
    } else {
        serve_one(u, iir, status, UART_FLOW_V2);
        serve(u, UART_FLOW_V2);
    }
}

static void serve_none(void *argument)
{
    struct uart *u = argument;
    u->count[UART_INTERRUPTS] += serve(u, UART_FLOW_NONE);
}
static void serve_v1(void *argument)
{
    struct uart *u = argument;
    u->count[UART_INTERRUPTS] += serve(u, UART_FLOW_V1);
}

void (*uart_handler(enum uart_flow flow))(void *)
{
    static void (*const handlers[UART_FLOWS])(void *) = {
        serve_none, serve_v1, uart_stream_v2, uart_stream_v3};
    return handlers[flow];
}

void uart_interrupt(struct uart *u)
{
    uart_handler(u->config.flow)(u);
}

void uart_kick_send(struct uart *u)
{
    /* A task has put it there. What of the last one has arrived is known. */
    if (!(u->unexpected & MSR_DCTS) && u->out && u->out != u->numbered)
        uart_number_output(u);
    switch (u->config.flow) {
    case UART_FLOW_NONE:
        if (!to_send(u) && !(u->out = u->owner->need_bytes(u)))
            break;
        /* While IER_SEND is on, the interrupt asks for more by itself. */
        if (!(u->ier & IER_SEND) && (look(u) & LSR_SEND_EMPTY))
            send_when_empty(u);
        else
            ier_change(u, 0, IER_SEND);
        break;
    case UART_FLOW_V1:
        send_credit(u, UART_FLOW_V1);
        break;
    case UART_FLOW_V2:
        send_credit(u, UART_FLOW_V2);
        break;
    default:
        send_credit(u, UART_FLOW_V3);
        break;
    }
}

void uart_kick_receive(struct uart *u)
{
    if (u->rest) {
        uart_session(u, get(u, MSR));
        return;
    }
    if (u->told_nobody) {
        if (!u->in && !(u->in = u->owner->need_space(u)))
            return;
        uart_count_input(u);
        uart_session_restart(u);
    }
    if (u->in && u->in != u->counted)
        uart_count_input(u); /* a task has put it there */
    if (!u->held || !ring_with_space(u))
        return;
    u->held = false;
    ier_change(u, 0, IER_RECEIVE);
}
