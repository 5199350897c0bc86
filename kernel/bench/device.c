/*
 * The hot path of the benchmark's driver in the kernel, and its sessions: see
 * uart.c. Flow control none, v1, v2 and v3 as docs/design/uart.md describes them,
 * each a straight version of its own.
 */
#include "kernel/bench/port.h"

/* Registers and bits [16550 table II, 8.1 .. 8.9]. */
enum { DATA, IER, IIR, LCR, MCR, LSR, MSR, FCR = IIR };
enum { IER_RECEIVED = 1, IER_EMPTY = 2, IER_MODEM = 8 };
enum { IIR_MODEM = 0, IIR_NONE = 1, IIR_EMPTY = 2, IIR_RECEIVED = 4 };
enum { IIR_TIMEOUT = 12, IIR_CAUSE = 15 };
enum { FCR_ON_TRIGGER_8 = 0x81, FCR_CLEAR_IN = 2, FCR_CLEAR_OUT = 4 };
enum { LCR_8N1 = 3, LCR_DIVISOR = 0x80 };
enum { LSR_READY = 1, LSR_OVERRUN = 2, LSR_PARITY = 4, LSR_FRAMING = 8 };
enum { LSR_ERRORS = LSR_OVERRUN | LSR_PARITY | LSR_FRAMING };
enum { LSR_FIFO_EMPTY = 0x20, LSR_ALL_SENT = 0x40 };
enum { MCR_DTR = 1, MCR_RTS = 2, MSR_CTS_DELTA = 1, MSR_DSR_DELTA = 2 };
enum { MSR_CTS = 0x10, MSR_DSR = 0x20 };

enum { QUIET_LOOKS_MAX = 1 << 20 }; /* no character takes so long to leave */

#define INLINE static inline __attribute__((always_inline))

static void set_ier(struct port *p, uint8_t ier)
{
    if (p->ier != ier)
        p->reg[IER] = p->ier = ier;
}

static void set_mcr(struct port *p, uint8_t mcr)
{
    p->reg[MCR] = p->mcr = mcr;
}

static COLD void count_errors(struct port *p, uint8_t lsr)
{
    p->count[OVERRUNS] += !!(lsr & LSR_OVERRUN);
    p->count[PARITY] += !!(lsr & LSR_PARITY);
    p->count[FRAMING] += !!(lsr & LSR_FRAMING);
}

/* Reading LSR clears its errors, so whoever reads it counts them. */
INLINE unsigned line_status(struct port *p)
{
    unsigned lsr = p->reg[LSR];

    if (lsr & LSR_ERRORS)
        count_errors(p, lsr);
    return lsr;
}

/* Of n <= BATCH bytes that were taken from the FIFO v2 and v3 tell the sender. */
INLINE void took(struct port *p, uint32_t n)
{
    uint32_t taken = p->taken + n;

    p->taken = taken % BATCH;
    if (taken >= BATCH)
        set_mcr(p, p->mcr ^ MCR_RTS);
}

/* Byte by byte, at most a FIFO, as far as there is room. True: none is left. */
static HOT bool receive(struct port *p)
{
    for (uint32_t n = 0; line_status(p) & LSR_READY; n++) {
        if (n == FIFO || content(&p->in) == RING)
            return false;
        *at(&p->in, p->in.head++) = p->reg[DATA];
        if (p->flow >= FLOW_V2)
            took(p, 1);
    }
    return true;
}

/*
 * v1: the batch is over. RTS goes down first: the edge upwards says that all
 * was taken that had come before. Not empty: there will be another interrupt.
 */
static void pulse(struct port *p)
{
    set_mcr(p, p->mcr & ~MCR_RTS);
    if (receive(p))
        set_mcr(p, p->mcr | MCR_RTS);
}

/* n bytes from the ring's `index` on to the FIFO, n <= FIFO. */
static HOT void transmit(struct port *p, uint64_t index, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        p->reg[DATA] = *at(&p->out, index + i);
}

static void session(struct port *p, uint8_t msr);

/*
 * v1: a batch goes when all of the last one has arrived and CTS is up; pulses
 * until then count for nothing. So the next edge upwards is about this batch.
 */
static COLD bool silent(struct port *p)
{
    unsigned lsr = line_status(p);

    if (!(lsr & LSR_FIFO_EMPTY)) {
        set_ier(p, p->ier | IER_EMPTY);
        return false;
    }
    while (!(lsr & LSR_ALL_SENT)) /* the last character */
        lsr = line_status(p);
    uint8_t msr = p->reg[MSR];
    if (msr & p->news) {
        session(p, msr);
        return false;
    }
    return msr & MSR_CTS;
}

/* As much as may be sent now; FLOW_NONE: the transmit FIFO is empty. */
static HOT void send(struct port *p)
{
    uint64_t n = content(&p->out), ahead = 0;

    if (p->flow == FLOW_V3) { /* what is on its way is still in the ring */
        ahead = p->on_way;
        n = n > ahead ? min(n, FIFO) - ahead : 0;
    } else if (p->flow == FLOW_V2)
        n = min(n, FIFO - p->on_way);
    else if (p->flow == FLOW_V1)
        n = p->on_way ? 0 : min(n, BATCH);
    else
        n = min(n, FIFO);
    if (n && (p->flow != FLOW_V1 || silent(p))) {
        transmit(p, p->out.tail + ahead, n);
        p->out.tail += p->flow == FLOW_V3 ? 0 : n;
        p->on_way += p->flow == FLOW_NONE ? 0 : n;
    }
    /* With flow control a change of CTS says when to go on. */
    if (p->flow == FLOW_NONE)
        set_ier(p, n ? p->ier | IER_EMPTY : p->ier & ~IER_EMPTY);
}

/* Two edges between two looks show as a delta without a change. */
static HOT void modem(struct port *p, uint8_t msr)
{
    if (msr & p->news) {
        session(p, msr);
        return;
    }
    if (!(msr & MSR_CTS_DELTA))
        return;
    if (p->flow == FLOW_V1) {
        if (!(msr & MSR_CTS))
            return;
        p->on_way = 0;
    } else {
        uint32_t n = (msr ^ p->cts) & MSR_CTS ? BATCH : 2 * BATCH;

        n = min(n, p->on_way);
        p->cts = msr & MSR_CTS;
        p->on_way -= n;
        p->out.tail += p->flow == FLOW_V3 ? n : 0;
    }
    send(p);
}

/* ---- sessions: docs/design/uart.md has the table ---------------------- */

/*
 * This end falls silent, takes what has come, and only then lowers DTR. v3 has
 * what was not confirmed in its ring still.
 */
static void leave(struct port *p)
{
    p->reg[FCR] = FCR_ON_TRIGGER_8 | FCR_CLEAR_OUT;
    for (int i = 0; i < QUIET_LOOKS_MAX; i++)
        if (line_status(p) & LSR_ALL_SENT)
            break;
    if (p->session >= SESSION_OPEN)
        receive(p);
    p->session = SESSION_DOWN;
    p->news = MSR_DSR_DELTA | MSR_CTS_DELTA;
    p->on_way = FIFO; /* nothing is sent */
    set_ier(p, IER_MODEM);
    set_mcr(p, 0);
}

/* Each step is decided by a look at MSR after our own lines were set. */
static COLD void session(struct port *p, uint8_t msr)
{
    for (;; msr = p->reg[MSR]) {
        bool there = msr & MSR_DSR, ready = msr & MSR_CTS;

        switch (p->session) {
        case SESSION_DOWN:
            if (there)
                return;
            p->reg[FCR] = FCR_ON_TRIGGER_8 | FCR_CLEAR_IN;
            if (p->reg[MSR] & (MSR_DSR | MSR_DSR_DELTA))
                break; /* what was cleared may have been new */
            p->taken = 0;
            p->session = SESSION_READY;
            set_ier(p, IER_RECEIVED | IER_MODEM);
            set_mcr(p, MCR_RTS);
            break;
        case SESSION_READY:
            if (!there && !ready)
                return;
            p->session = SESSION_OPEN;
            set_mcr(p, MCR_RTS | MCR_DTR);
            break;
        case SESSION_OPEN:
            if (there) {
                p->session = SESSION_UP;
                p->news = MSR_DSR_DELTA;
                p->cts = msr & MSR_CTS;
                p->on_way = 0;
                send(p);
            }
            if (there || ready)
                return;
            leave(p);
            break;
        default:
            if (!(msr & MSR_DSR_DELTA))
                return;
            leave(p);
            break;
        }
    }
}

/* Ring once if somebody waits for what there is now. */
static HOT void wake(struct port *p)
{
    if ((p->want_in && content(&p->in) >= p->want_in) ||
        (p->want_out && RING - content(&p->out) >= p->want_out)) {
        p->want_in = p->want_out = 0;
        p->count[BELLS]++;
        doorbell_ring(p->bell);
    }
}

/* One condition; `status` is MSR of IIR_MODEM. */
static HOT void serve_one(struct port *p, unsigned cause, unsigned status)
{
    bool in = cause == IIR_RECEIVED || cause == IIR_TIMEOUT;

    if (in && RING - content(&p->in) < FIFO) {
        set_ier(p, p->ier & ~IER_RECEIVED); /* until there is room */
        p->count[FULL]++;
    } else if (in && p->flow == FLOW_V1)
        pulse(p);
    else if (in)
        receive(p);
    else if (cause == IIR_EMPTY) {
        if (p->flow == FLOW_V1) /* silent() asked for it */
            set_ier(p, p->ier & ~IER_EMPTY);
        send(p);
    } else if (cause == IIR_MODEM)
        modem(p, status);
    else
        line_status(p);
}

static void serve_v1(struct port *p);

/* What is rare: this condition, and then all there is. */
static COLD HOT void serve_rest(struct port *p, unsigned cause, unsigned status)
{
    do {
        serve_one(p, cause, status);
        cause = p->reg[IIR] & IIR_CAUSE;
        status = cause == IIR_MODEM ? p->reg[MSR] : 0;
    } while (cause != IIR_NONE);
    wake(p);
}

/* v1 took a batch. Its pulse is due whether or not there is room for more. */
static COLD HOT void serve_pulse(struct port *p)
{
    pulse(p);
    serve_v1(p);
}

/* ---- what a stream consists of: calls nothing, keeps nothing on the stack */

INLINE void eight_in(volatile uint8_t *reg, unsigned char *to)
{
#pragma GCC unroll 8
    for (int i = 0; i < BATCH; i++)
        to[i] = reg[DATA];
}

INLINE void eight_out(volatile uint8_t *reg, const unsigned char *from)
{
#pragma GCC unroll 8
    for (int i = 0; i < BATCH; i++)
        reg[DATA] = from[i];
}

/* The trigger level says that a batch is there: if all is well. */
INLINE bool take(struct port *p)
{
    uint64_t head = p->in.head;
    unsigned lsr;

    if (RING - (head - p->in.tail) < FIFO || head % RING > RING - BATCH)
        return false;
    lsr = p->reg[LSR];
    if (lsr & LSR_ERRORS) {
        count_errors(p, lsr);
        return false;
    }
    p->in.head = head + BATCH;
    eight_in(p->reg, at(&p->in, head));
    return true;
}

/* Credit for a batch that another one can follow: if it is no more than that. */
INLINE bool give(struct port *p, unsigned msr, enum flow flow)
{
    /* v3: what is on its way is still in the ring */
    uint64_t ahead = flow == FLOW_V3 ? FIFO : 0, tail = p->out.tail;
    uint64_t from = tail + ahead;

    if ((msr & p->news) || !((msr ^ p->cts) & MSR_CTS) || p->on_way != FIFO)
        return false;
    if (p->out.head - tail < ahead + BATCH || from % RING > RING - BATCH)
        return false;
    p->cts = msr & MSR_CTS;
    p->out.tail = tail + BATCH;
    eight_out(p->reg, at(&p->out, from));
    return true;
}

/* Without flow control: the FIFO is empty, and a whole one is there. */
INLINE bool fill(struct port *p)
{
    uint64_t tail = p->out.tail;

    if (p->out.head - tail < FIFO || tail % RING > RING - FIFO)
        return false;
    p->out.tail = tail + FIFO;
    eight_out(p->reg, at(&p->out, tail));
    eight_out(p->reg, at(&p->out, tail) + BATCH);
    return true;
}

/* `flow` is a constant in each of its versions. */
INLINE void serve(struct port *p, enum flow flow)
{
    for (;;) {
        unsigned cause = p->reg[IIR] & IIR_CAUSE, msr;

        if (cause == IIR_RECEIVED) {
            if (!take(p))
                return serve_rest(p, cause, 0);
            if (flow == FLOW_V1)
                return serve_pulse(p);
            if (flow >= FLOW_V2)
                took(p, BATCH);
            if (flow != FLOW_V3)
                continue;
            /* Credit may have come meanwhile: no round of its own for it. */
            msr = p->reg[MSR];
            if (!(msr & (MSR_CTS_DELTA | MSR_DSR_DELTA)))
                continue;
        } else if (cause == IIR_MODEM) {
            msr = p->reg[MSR];
        } else if (cause == IIR_NONE) {
            return wake(p);
        } else {
            if (flow == FLOW_NONE && cause == IIR_EMPTY && fill(p))
                continue;
            return serve_rest(p, cause, 0);
        }
        if (flow < FLOW_V2 || !give(p, msr, flow))
            return serve_rest(p, IIR_MODEM, msr);
    }
}

static HOT void serve_none(struct port *p)
{
    serve(p, FLOW_NONE);
}

static HOT void serve_v1(struct port *p)
{
    serve(p, FLOW_V1);
}

static HOT void serve_v2(struct port *p)
{
    serve(p, FLOW_V2);
}

static HOT void serve_v3(struct port *p)
{
    serve(p, FLOW_V3);
}

void (*const port_serve[FLOWS])(struct port *) = {serve_none, serve_v1,
                                                  serve_v2, serve_v3};

void port_send(struct port *p)
{
    if (p->flow != FLOW_NONE)
        send(p);
    else /* while IER_EMPTY is on, the interrupt asks for more by itself */
        set_ier(p, p->ier | IER_EMPTY);
}

void port_receive(struct port *p)
{
    if (p->session != SESSION_DOWN)
        set_ier(p, p->ier | IER_RECEIVED);
}

void port_start(struct port *p, uint16_t divisor)
{
    p->reg[IER] = 0;
    p->reg[LCR] = LCR_DIVISOR;
    p->reg[DATA] = divisor & 0xff;
    p->reg[IER] = divisor >> 8;
    p->reg[LCR] = LCR_8N1;
    p->reg[FCR] = FCR_ON_TRIGGER_8 | FCR_CLEAR_IN | FCR_CLEAR_OUT;
    leave(p);
    if (p->flow != FLOW_NONE) {
        session(p, p->reg[MSR]);
        return;
    }
    p->session = SESSION_UP;
    set_mcr(p, MCR_DTR | MCR_RTS);
    set_ier(p, IER_RECEIVED);
}
