/*
 * Sessions: with a flow control, both ends first agree that both are there, and
 * v3 also on what has arrived. So a driver can be killed at any instruction and
 * the next one goes on where it was. docs/design/uart.md "Sessions" has the
 * protocol and why it is right; out of the hot path, all of it.
 */
#include "port.h"

enum {
    LINES = MCR_DTR | MCR_RTS,
    QUIET_LOOKS_MAX = 1 << 20, /* no character takes so long to leave */
    POSITION = 0x3fff,         /* positions in messages, modulo its successor */
    MESSAGE_UNREAD = 1U << 31, /* in u->orphans: by the other end, maybe */
    NOTED = 1U << 31,          /* in a ring's note: the rest is a position */
};

/* What a message says about its position: where the next byte belongs. */
enum {
    NOBODY = 1, /* nobody listens here: send nothing */
    FRESH = 2,  /* it is the first one that this end knows of */
    KNOWN = 3,  /* all before it have arrived, none behind it */
};

static void show(struct uart *u, uint8_t lines)
{
    u->mcr = (u->mcr & ~LINES) | lines;
    put(u, MCR, u->mcr);
}

/* Unless both directions are up, the hot path leaves what is new to us. */
static void enter(struct uart *u, enum uart_session session)
{
    bool up = session == UART_SESSION_UP;
    u->session = session;
    u->unexpected = up ? MSR_DDSR : MSR_DDSR | MSR_DCTS;
    u->careful = (u->careful & ~NOT_UP) | (up && !u->told_nobody ? 0 : NOT_UP);
}

/* Waits for what is on its way, and has not been taken back. */
static void fall_silent(struct uart *u, uint8_t clear)
{
    put(u, FCR, u->fcr | clear);
    for (unsigned i = 0; i < QUIET_LOOKS_MAX; i++)
        if (look(u) & LSR_ALL_SENT)
            break;
}

/*
 * No session any more. What the other end has sent is taken first. DTR goes
 * down when this end is silent: that is what it says. v3 takes back what it
 * has not sent; v1 and v2 cannot, so each end sends that still, at most 16
 * bytes, and the other takes it when there is silence: `rest`.
 */
static void leave(struct uart *u)
{
    bool up = u->session == UART_SESSION_UP;
    bool sure = u->config.flow == UART_FLOW_V3;
    /* OPEN: the other end may have been in a session, and sent */
    u->rest = u->rest || (u->session >= UART_SESSION_OPEN && !sure);
    ier_change(u, IER_SEND | (u->rest ? IER_RECEIVE | IER_LINE : 0), 0);
    fall_silent(u, sure ? FCR_CLEAR_SEND : 0);
    if (up)
        uart_drain(u);
    u->credit = u->ahead = u->orphans = 0;
    enter(u, UART_SESSION_NONE);
    show(u, 0);
}

/* False: the client has no space for it; whoever kicks us goes on here. */
static bool take_rest(struct uart *u)
{
    if (u->rest) {
        u->careful &= ~NOT_UP;
        uart_drain(u);
        u->careful |= NOT_UP;
        u->rest = look(u) & LSR_READY;
    }
    return !u->rest;
}

/* Wire positions of what each direction does next. */

static uint32_t arrived(const struct uart *u)
{
    return u->in_base + (u->counted ? u->counted->own : 0);
}

static uint32_t confirmed(const struct uart *u)
{
    return u->out_base + (u->numbered ? u->numbered->own : 0);
}

/* In the ring's memory, for this driver's next life. */
static void note(struct ring *r, uint32_t base)
{
    __atomic_store_n(&r->shared->note, NOTED | (base & POSITION),
                     __ATOMIC_RELAXED);
}

static bool noted(const struct ring *r, uint32_t *position)
{
    uint32_t base = __atomic_load_n(&r->shared->note, __ATOMIC_RELAXED);
    *position = base + r->own;
    return base & NOTED;
}

static void forget_note(struct ring *r)
{
    if (r)
        __atomic_store_n(&r->shared->note, 0, __ATOMIC_RELAXED);
}

/* So many bytes of `r` have arrived; false: that cannot be. */
static bool skip(struct uart *u, struct ring *r, uint32_t bytes)
{
    if (bytes > UART_FIFO || ring_available(r, bytes) < (int64_t)bytes)
        return false;
    ring_publish(r, bytes);
    if (bytes)
        u->owner->wake(u, r);
    return true;
}

void uart_count_input(struct uart *u)
{
    struct ring *r = u->in;
    uint32_t at = arrived(u), before;
    if (r == u->counted)
        return;
    if (!u->in_known && noted(r, &before)) {
        at = before;
        u->in_known = true;
    }
    u->in_base = at - r->own;
    if (u->in_known)
        note(r, u->in_base); /* first: killed here, both say the same */
    forget_note(u->counted);
    u->counted = r;
}

void uart_number_output(struct uart *u)
{
    struct ring *r = u->out;
    uint32_t at = confirmed(u), before;
    if (u->first_known && noted(r, &before)) {
        skip(u, r, (u->first - before) & POSITION);
        u->first_known = false;
    }
    u->out_base = at - r->own;
    note(r, u->out_base);
    forget_note(u->numbered);
    u->numbered = r;
}

/*
 * Orphans are bytes whose ring has let go of them before they were confirmed:
 * it was another one's turn, or its client has left. Should they not arrive in
 * this session, nobody but this end has them.
 */

static uint32_t orphans(const struct uart *u)
{
    return u->orphans & ~MESSAGE_UNREAD;
}

/* What is ahead in `r` is let go. */
static void keep_ahead(struct uart *u, const struct ring *r)
{
    for (uint32_t i = 0; i < u->ahead && u->kept_count < UART_FIFO; i++) {
        u->kept[u->kept_count++] = r->data[ring_slot(r, r->own + i)];
        u->orphans++;
    }
    u->ahead = 0;
}

/* The oldest ones have arrived. */
static void drop_kept(struct uart *u, uint32_t n)
{
    u->kept_count -= n;
    for (uint32_t i = 0; i < u->kept_count; i++)
        u->kept[i] = u->kept[i + n];
}

/*
 * Before anything else in a new session. What there is no credit for (it begins
 * with 13) goes when the first comes, which is before anybody else has any.
 */
static void send_kept(struct uart *u)
{
    uint32_t sent = orphans(u), n = u->kept_count - sent;
    n = n < u->credit ? n : u->credit;
    write_fifo(u, u->kept + sent, n);
    u->count[UART_BYTES_OUT] += n;
    u->orphans += n;
    u->credit -= n;
}

/* v3: the other end has said what has arrived there. */
static void agree(struct uart *u, uint32_t at, unsigned kind)
{
    struct ring *r = u->numbered;
    uint32_t came = (at - confirmed(u) + u->kept_count) & POSITION;
    if (kind == KNOWN && came <= u->kept_count + UART_FIFO) {
        uint32_t n = came < u->kept_count ? came : u->kept_count;
        drop_kept(u, n);
        if (r)
            skip(u, r, came - n);
    }
    if (kind == KNOWN && !r && !u->out_known) {
        u->first = at; /* a ring that the last driver used may still come */
        u->first_known = true;
    }
    u->out_known = true;
    u->out_base = at + u->kept_count - (r ? r->own : 0);
    if (r)
        note(r, u->out_base);
}

static void up(struct uart *u, uint32_t credit)
{
    u->credit = credit;
    u->count[UART_SESSIONS] += u->config.flow == UART_FLOW_V3;
    enter(u, UART_SESSION_UP);
    send_kept(u);
    uart_kick_send(u);
}

/*
 * CRC-8 (polynomial 0x07, from 0xff): one that does not depend on the order of
 * the bytes takes the end of one message and the beginning of the next for one.
 */
static uint8_t check(uint8_t low, uint8_t high)
{
    uint16_t crc = 0xff << 8 ^ low << 8 ^ high;
    for (int bit = 0; bit < 16; bit++)
        crc = crc << 1 ^ (crc & 0x8000 ? 0x0700 : 0);
    return crc >> 8;
}

static void send_message(struct uart *u)
{
    if (!u->in)
        u->in = u->owner->need_space(u);
    if (u->in && u->in != u->counted)
        uart_count_input(u);
    unsigned kind = u->in_known ? KNOWN : u->counted ? FRESH : NOBODY;
    u->told_nobody = kind == NOBODY;
    if (kind == FRESH) {
        u->in_known = true;
        note(u->counted, u->in_base);
    }
    uint8_t low = arrived(u), high = (arrived(u) & POSITION) >> 8 | kind << 6;
    put(u, THR, low);
    put(u, THR, high);
    put(u, THR, check(low, high));
    u->orphans = MESSAGE_UNREAD;
}

/*
 * Credit for 8 bytes of data: the message has been read, too. It gets no credit
 * of its own: with 3 bytes more or less the rhythm of 8 would never be whole,
 * and 13 bytes would be what can be outstanding.
 */
uint32_t uart_confirm_orphans(struct uart *u, uint32_t bytes)
{
    if (u->orphans & MESSAGE_UNREAD) {
        u->orphans &= ~MESSAGE_UNREAD;
        u->credit += sizeof(u->message);
    }
    uint32_t n = u->orphans < bytes ? u->orphans : bytes;
    u->orphans -= n;
    drop_kept(u, n);
    send_kept(u);
    if (bytes - n <= u->ahead)
        return bytes - n;
    uart_session_restart(u); /* an edge for bytes that were not sent */
    return 0;
}

/* The third byte of the other end's message has come. */
static void take_message(struct uart *u)
{
    uint8_t low = u->message[0], high = u->message[1];
    unsigned kind = high >> 6;
    if (!kind || u->message[2] != check(low, high)) {
        uart_session_restart(u);
    } else if (kind == NOBODY) {
        enter(u, UART_SESSION_UP);
        u->unexpected = MSR_DDSR | MSR_DCTS; /* an edge is no credit now */
    } else {
        agree(u, low | (high << 8 & POSITION), kind);
        up(u, UART_FIFO - sizeof(u->message));
    }
}

/*
 * The session's news comes first: it may be older than the byte. It can also
 * clear the FIFO and be in the next session when it returns, so the byte is
 * looked for again: an empty FIFO shows its last one once more.
 */
bool uart_session_take(struct uart *u)
{
    if (u->session == UART_SESSION_OPEN) {
        uint8_t msr = get(u, MSR);
        if ((msr & (MSR_DSR | MSR_CTS)) == MSR_CTS)
            get(u, RBR); /* there was no session yet that could send it */
        uart_session(u, msr);
        return !u->rest;
    }
    if (u->rest)
        return false;
    u->careful = NOT_UP; /* what is wrong with the byte goes with it */
    uint8_t byte = get(u, RBR);
    if (u->session != UART_SESSION_AGREE)
        return true; /* of a time before both were there */
    u->message[u->message_length++] = byte;
    if (u->message_length == sizeof(u->message))
        take_message(u);
    return true;
}

bool uart_let_go(struct uart *u)
{
    u->switching = u->ahead && !(look(u) & LSR_SEND_EMPTY);
    if (u->switching) {
        ier_change(u, 0, IER_SEND); /* a task asks, who has no credit to send */
        return false;
    }
    if (!u->ahead)
        return true;
    uint32_t n = u->ahead;
    keep_ahead(u, u->out);
    ring_publish(u->out, n);
    u->owner->wake(u, u->out);
    return true;
}

/*
 * None to ready: the other end is silent, so what is in the FIFO is old. False:
 * it has moved meanwhile, and what has been cleared may have been new.
 */
static bool make_ready(struct uart *u, uint8_t *msr)
{
    put(u, FCR, u->fcr | FCR_CLEAR_RECEIVE);
    *msr = get(u, MSR);
    if (*msr & (MSR_DSR | MSR_DDSR))
        return false;
    u->careful = NOT_UP;
    u->told_nobody = false;
    u->until_toggle = CREDIT;
    u->message_length = 0;
    u->held = false;
    ier_change(u, 0, IER_RECEIVE | IER_LINE);
    return true;
}

/* Both ends are there. */
static void begin(struct uart *u, uint8_t msr)
{
    u->cts = msr & MSR_CTS;
    if (u->config.flow == UART_FLOW_V3) {
        enter(u, UART_SESSION_AGREE);
        send_message(u);
    } else {
        up(u, u->config.flow == UART_FLOW_V1 ? u->trigger : UART_FIFO);
    }
}

/*
 * The table of docs/design/uart.md. Each step is decided by a look at MSR that
 * came after this end's own lines were changed.
 */
void uart_session(struct uart *u, uint8_t msr)
{
    for (;; msr = get(u, MSR)) {
        switch (u->session) {
        case UART_SESSION_NONE:
            do {
                if ((msr & MSR_DSR) || !take_rest(u))
                    return;
            } while (!make_ready(u, &msr));
            enter(u, UART_SESSION_READY);
            show(u, MCR_RTS);
            break;
        case UART_SESSION_READY:
            if (!(msr & (MSR_DSR | MSR_CTS)))
                return;
            enter(u, UART_SESSION_OPEN);
            show(u, MCR_RTS | MCR_DTR);
            break;
        case UART_SESSION_OPEN:
            if (msr & MSR_DSR)
                begin(u, msr);
            if (msr & (MSR_DSR | MSR_CTS))
                return;
            leave(u);
            break;
        default:
            if (!(msr & MSR_DDSR))
                return;
            leave(u);
            break;
        }
    }
}

void uart_session_restart(struct uart *u)
{
    leave(u);
    uart_session(u, get(u, MSR));
}

/* Can only the other end let us go on with what there is to send? */
static bool waits(struct uart *u)
{
    if (u->session == UART_SESSION_AGREE)
        return true;
    if (u->session != UART_SESSION_UP || (u->unexpected & MSR_DCTS))
        return false; /* there is no session, or nobody who reads */
    if (u->ahead + orphans(u) >= CREDIT)
        return true; /* 8 bytes are a credit */
    if (u->credit)
        return false;
    if (u->out)
        return ring_available(u->out, u->ahead + 1) > (int64_t)u->ahead;
    return u->owner->need_bytes(u) != NULL;
}

void uart_watch(struct uart *u)
{
    bool sure = u->config.flow == UART_FLOW_V3;
    uint64_t mark = u->count[UART_BYTES_OUT] - u->ahead - orphans(u);
    bool waited = u->waited && mark == u->mark;
    u->waited = u->config.flow != UART_FLOW_NONE && waits(u);
    u->mark = mark;
    if (!u->waited || !waited || (u->held && !sure))
        return;
    u->waited = false;
    uart_session_restart(u);
}

uint64_t uart_watch_ns(const struct uart_config *c)
{
    enum { PATIENCE_MS = 100, FIFO_BITS = 4 * UART_FIFO * 12 };
    uint64_t ms = c->flow == UART_FLOW_V3 ? PATIENCE_MS : 5 * PATIENCE_MS;
    return ms * 1000000 + FIFO_BITS * 1000000000UL / c->baud;
}

void uart_session_reset(struct uart *u)
{
    if (u->config.flow == UART_FLOW_NONE) {
        enter(u, UART_SESSION_UP);
        return;
    }
    fall_silent(u, FCR_CLEAR_RECEIVE | FCR_CLEAR_SEND);
    u->count[UART_OVERRUNS] = u->error_count = u->gap = 0; /* not ours */
    u->careful = 0;
    enter(u, UART_SESSION_NONE);
}

void uart_forget(struct uart *u, const struct ring *ring)
{
    uint32_t ahead = u->out == ring ? u->ahead : 0;
    if (u->in == ring)
        u->in = NULL;
    if (u->counted == ring) {
        u->in_base = arrived(u);
        forget_note(u->counted);
        u->counted = NULL;
    }
    if (u->numbered == ring) {
        u->out_base = confirmed(u) + ahead;
        forget_note(u->numbered);
        u->numbered = NULL;
    }
    if (u->out == ring) {
        keep_ahead(u, ring);
        u->out = NULL;
    }
}
