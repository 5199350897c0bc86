/*
 * National PC16550D, as found at "ns16550a" nodes. Section names in brackets
 * are those of its data sheet. The rules that people got wrong before:
 *  - IER is modified, never overwritten: each direction owns its own bit;
 *  - every condition that can raise the line has a reader, MSR included, or
 *    it raises it for ever;
 *  - reception goes by trigger level and IIR; LSR is looked at only for the
 *    tail of a burst, not for each byte;
 *  - the interrupt function returns only when IIR says "none": the line must
 *    have been low once before the source is completed, because a PLIC that
 *    samples edges would not see it again otherwise.
 */
#include "ns16550.h"
#include "registers.h"

enum reg {          /* [8.0 Registers], DLAB = 0 unless said */
           RBR = 0, /* read: received byte */
           THR = 0, /* write: byte to send */
           IER = 1,
           IIR = 2, /* read */
           FCR = 2, /* write */
           LCR = 3,
           MCR = 4,
           LSR = 5,
           MSR = 6,
           DLL = 0, /* DLAB = 1: divisor, low */
           DLM = 1, /* DLAB = 1: divisor, high */
};

enum { /* [8.7 IER] */
       IER_RECEIVE = 1 << 0,
       IER_SEND = 1 << 1,
       IER_LINE = 1 << 2,
};

enum { /* [8.6 IIR] bits 3..0 */
       IIR_MODEM = 0x0,
       IIR_NONE = 0x1,
       IIR_SEND = 0x2,
       IIR_RECEIVE = 0x4, /* at least the trigger level is in the FIFO */
       IIR_LINE = 0x6,
       IIR_TIMEOUT = 0xc, /* fewer, and no more came for 4 characters */
       IIR_MASK = 0xf,
};

enum { /* [8.5 FCR] */
       FCR_ENABLE = 1 << 0,
       FCR_CLEAR_BOTH = 3 << 1,
       FCR_TRIGGER_14 = 3 << 6,
};

enum { LCR_8N1 = 0x03, LCR_DLAB = 1 << 7 }; /* [8.1 LCR] */
enum { MCR_DTR = 1 << 0, MCR_RTS = 1 << 1, MCR_OUT2 = 1 << 3 };

enum { /* [8.4 LSR] */
       LSR_READY = 1 << 0,
       LSR_OVERRUN = 1 << 1,
       LSR_ERRORS = 7 << 2, /* parity, framing, break */
       LSR_SEND_EMPTY = 1 << 5,
};

static uint8_t get(struct ns16550 *u, enum reg r)
{
    return register_get(u->base + ((size_t)r << u->reg_shift));
}

static void put(struct ns16550 *u, enum reg r, uint8_t value)
{
    register_put(u->base + ((size_t)r << u->reg_shift), value);
}

static void ier_change(struct ns16550 *u, uint8_t clear, uint8_t set)
{
    uint8_t ier = (u->ier & ~clear) | set;
    if (ier != u->ier) {
        u->ier = ier;
        put(u, IER, ier);
    }
}

static uint8_t line_status(struct ns16550 *u)
{
    uint8_t lsr = get(u, LSR); /* reading clears the error bits */
    if (lsr & LSR_OVERRUN)
        u->overruns++;
    if (lsr & LSR_ERRORS)
        u->line_errors++;
    return lsr;
}

void ns16550_reset(struct ns16550 *u, uint32_t clock, uint32_t baud)
{
    /* Quiet first: the predecessor may have died anywhere. */
    put(u, LCR, LCR_8N1);
    u->ier = 0;
    put(u, IER, 0);
    uint32_t divisor = clock / (16 * baud);
    if (divisor > 0 && divisor <= 0xffff) {
        put(u, LCR, LCR_8N1 | LCR_DLAB);
        put(u, DLL, divisor & 0xff);
        put(u, DLM, divisor >> 8);
        put(u, LCR, LCR_8N1);
    }
    /*
     * The receive FIFO is not cleared: what it holds was typed while no
     * driver was there, and whoever typed it wants it to arrive. Enabling
     * FIFOs that were off clears them by itself [8.5 FCR bit 0].
     */
    put(u, FCR, FCR_ENABLE | FCR_TRIGGER_14);
    /* OUT2 gates the interrupt line on PC-style boards. */
    put(u, MCR, MCR_DTR | MCR_RTS | MCR_OUT2);
    line_status(u);
    get(u, MSR);
    get(u, IIR);
}

void ns16550_start(struct ns16550 *u)
{
    ier_change(u, 0, IER_RECEIVE | IER_LINE);
}

/*
 * The trigger level has been reached: that many bytes need no LSR look. One of
 * them is left in the FIFO: then either the next trigger or, when the burst is
 * over, the character timeout comes, and the owner is told that it is.
 */
static void receive_trigger(struct ns16550 *u)
{
    uint8_t bytes[NS16550_FIFO];
    size_t count = u->owner->space(u->context);
    if (count == 0) {
        /*
         * Nobody has room: leave the bytes where they are and stop
         * asking. The FIFO fills, then the sender is held back.
         */
        ier_change(u, IER_RECEIVE, 0);
        return;
    }
    if (count > NS16550_TRIGGER - 1)
        count = NS16550_TRIGGER - 1;
    for (size_t i = 0; i < count; i++)
        bytes[i] = get(u, RBR);
    u->taken += count;
    u->owner->received(u->context, bytes, count, true);
}

/* The end of a burst: its length is unknown, so LSR is asked each time. */
static void receive_tail(struct ns16550 *u)
{
    uint8_t bytes[NS16550_FIFO];
    size_t space = u->owner->space(u->context);
    size_t count = 0;
    if (space > sizeof(bytes))
        space = sizeof(bytes);
    if (space == 0)
        ier_change(u, IER_RECEIVE, 0);
    while (count < space && (line_status(u) & LSR_READY))
        bytes[count++] = get(u, RBR);
    u->taken += count;
    if (count > 0)
        u->owner->received(u->context, bytes, count, false);
    else if (space > 0)
        get(u, RBR); /* some chips time out on an empty FIFO: this ends it */
}

/*
 * The transmit FIFO is empty: fill it. The interrupt is asked for only if
 * that left something to send; a key's echo costs none.
 */
static void send(struct ns16550 *u)
{
    uint8_t bytes[NS16550_FIFO];
    size_t count = 0, more;
    do {
        more =
            u->owner->to_send(u->context, bytes + count, sizeof(bytes) - count);
        count += more;
    } while (more > 0 && count < sizeof(bytes));
    for (size_t i = 0; i < count; i++)
        put(u, THR, bytes[i]);
    u->sent += count;
    if (more > 0)
        ier_change(u, 0, IER_SEND);
    else
        ier_change(u, IER_SEND, 0);
}

void ns16550_interrupt(struct ns16550 *u)
{
    for (;;) {
        switch (get(u, IIR) & IIR_MASK) {
        case IIR_LINE:
            line_status(u);
            break;
        case IIR_RECEIVE:
            receive_trigger(u);
            break;
        case IIR_TIMEOUT:
            receive_tail(u);
            break;
        case IIR_SEND:
            send(u);
            break;
        case IIR_MODEM:
            get(u, MSR); /* reading it takes the line down */
            break;
        case IIR_NONE:
        default:
            return;
        }
    }
}

void ns16550_kick_send(struct ns16550 *u)
{
    /* While IER_SEND is on, the interrupt asks for more by itself. */
    if (!(u->ier & IER_SEND) && (line_status(u) & LSR_SEND_EMPTY))
        send(u);
    else
        ier_change(u, 0, IER_SEND);
}

void ns16550_kick_receive(struct ns16550 *u)
{
    if (u->owner->space(u->context) > 0)
        ier_change(u, 0, IER_RECEIVE);
}

bool ns16550_held(const struct ns16550 *u)
{
    return !(u->ier & IER_RECEIVE);
}
