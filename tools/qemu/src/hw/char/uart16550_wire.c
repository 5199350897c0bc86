/*
 * National PC16550D UART: shift registers and the wire between two of them
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Section numbers are those of the data sheet (National, June 1995).
 *
 * A frame is a row of bits with the sender's format and bit time; the
 * receiver samples it in the middle of its own bits. So a wrong baud rate or
 * format, and a flipped bit, have the consequences that they have in reality.
 *
 * Simplifications:
 *  - a byte moves from an idle THR to the shift register at once; the part
 *    takes 8 to 24 clocks of 16 a bit;
 *  - a frame keeps the format and the rate that it was begun with;
 *  - it arrives when the sender's first stop bit ends, whatever the
 *    receiver's rate; the receiver is free again for the sender's next frame;
 *  - after a framing error the receiver waits for the next falling edge;
 *  - a break shorter than a character of the receiver is not seen, nor is a
 *    frame that a break has cut into.
 */

#include "qemu/osdep.h"
#include "hw/char/uart16550.h"
#include "trace.h"

#define FS_PER_NS 1000000
#define TIMEOUT_CHARACTERS 4 /* [8.11] */

/* Half bits of a frame up to the end of its first stop bit. */
static unsigned half_bits_to_stop(uint8_t lcr)
{
    return 2 * (1 + 5 + (lcr & UART16550_LCR_WLS) +
                !!(lcr & UART16550_LCR_PEN) + 1);
}

/* [8.1 bit 2] Half bits of a whole frame. */
static unsigned half_bits(uint8_t lcr)
{
    unsigned more = 0;

    if (lcr & UART16550_LCR_STB) {
        more = lcr & UART16550_LCR_WLS ? 2 : 1;
    }
    return half_bits_to_stop(lcr) + more;
}

/* When the half bit @n of the frame being sent begins, ns, rounded up. */
static int64_t frame_time(const UART16550State *s, unsigned n)
{
    uint64_t fs = s->tsr_start_fs + n * s->tsr_bit_fs / 2;

    return s->tsr_start + DIV_ROUND_UP(fs, FS_PER_NS);
}

/* Nanoseconds of @n half bits at the present rate, rounded up. */
static int64_t duration(const UART16550State *s, unsigned n)
{
    return DIV_ROUND_UP(n * s->bit_fs / 2, FS_PER_NS);
}

void uart16550_rate_changed(UART16550State *s)
{
    /* fs of one clock period: 10^18 by millihertz, under 0.1 ppm off */
    uint64_t mhz = s->clock_frequency * (uint64_t)(1000000 + s->skew_ppm) /
                   1000;

    s->bit_fs = 16ull * s->divisor * (1000000000000000000ull / mhz);
    trace_uart16550_rate(s, s->divisor, s->bit_fs);
}

void uart16550_restart_timeout(UART16550State *s, int64_t now)
{
    s->rx_timeout_at = now + duration(s, TIMEOUT_CHARACTERS *
                                         half_bits(s->lcr));
}

static void check_timeout(UART16550State *s, int64_t now)
{
    if (s->rx_count && (s->fcr & UART16550_FCR_ENABLE) && s->bit_fs &&
        s->rx_timeout_at <= now) {
        s->rx_timeout = true;
    }
}

/* A character is complete in the receiver's shift register. */
static void receive(UART16550State *s, uint8_t byte, uint8_t error,
                    int64_t now)
{
    unsigned at;

    /* [8.11] "longer than": one that comes on time still counts */
    check_timeout(s, now - 1);
    trace_uart16550_receive(s, byte, error);
    s->counter[UART16550_PARITY] += !!(error & UART16550_LSR_PE);
    s->counter[UART16550_FRAMING] += !!(error & UART16550_LSR_FE);
    s->counter[UART16550_BREAKS] += !!(error & UART16550_LSR_BI);
    if (s->rx_count == uart16550_depth(s)) {
        /* [8.4 bit 1] */
        trace_uart16550_overrun(s, byte);
        s->lsr |= UART16550_LSR_OE;
        s->counter[UART16550_OVERRUNS]++;
        if (s->fcr & UART16550_FCR_ENABLE) {
            /* the character in the shift register will be overwritten */
            uart16550_restart_timeout(s, now);
            return;
        }
        s->rx_count = 0; /* the one in the RBR is destroyed */
    }
    at = (s->rx_head + s->rx_count) % UART16550_FIFO_SIZE;
    s->rx_fifo[at] = byte;
    s->rx_error[at] = error;
    s->counter[UART16550_RECEIVED]++;
    if (s->arrivals_file) {
        uart16550_note_arrival(s, byte, now);
    }
    if (s->rx_count++ == 0) {
        s->lsr |= error; /* revealed at the head of the FIFO [8.4] */
    }
    uart16550_restart_timeout(s, now);
}

/* [8.1 bits 3..5] The parity bit of @byte, whose bits are all data. */
static bool parity_bit(uint8_t lcr, uint8_t byte)
{
    bool odd = ctpop8(byte) & 1;

    if (lcr & UART16550_LCR_STICK) {
        return !(lcr & UART16550_LCR_EPS);
    }
    return lcr & UART16550_LCR_EPS ? odd : !odd;
}

static uint8_t word_mask(uint8_t lcr)
{
    return 0xff >> (3 - (lcr & UART16550_LCR_WLS));
}

/* The levels of a frame, its start bit in bit 0, marking after its end. */
static uint32_t frame_levels(uint8_t lcr, uint8_t byte)
{
    unsigned width = 5 + (lcr & UART16550_LCR_WLS);
    uint32_t levels;

    byte &= word_mask(lcr);
    levels = UINT32_MAX << (width + 1) | byte << 1;
    if ((lcr & UART16550_LCR_PEN) && !parity_bit(lcr, byte)) {
        levels &= ~(1u << (width + 1));
    }
    return levels;
}

/* Which bits of the next @count on this wire come out wrong; xorshift64*. */
static uint32_t wire_errors(UART16550State *s, unsigned count)
{
    uint64_t limit = ((uint64_t)s->bit_error_ppb << 32) / 1000000000;
    uint64_t x = s->error_state;
    uint32_t flips = 0;

    if (!s->bit_error_ppb) {
        return 0;
    }
    for (unsigned i = 0; i < count; i++) {
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        if ((x * 0x2545f4914f6cdd1dull) >> 32 < limit) {
            flips |= 1u << i;
        }
    }
    s->error_state = x;
    return flips;
}

/* A frame of @s as the receiver samples it. */
struct line {
    uint32_t levels;    /* of the sender's bits */
    unsigned half_bits; /* where the next frame begins */
    bool next;          /* there is one */
    uint64_t bit_fs;    /* the sender's */
};

static bool line_level(const struct line *l, uint64_t fs)
{
    uint64_t half = fs / (l->bit_fs / 2);

    if (half >= l->half_bits) {
        return !l->next || half >= l->half_bits + 2;
    }
    return l->levels >> (half / 2) & 1;
}

/* The sender's bit at which a falling edge begins, @from or later; or -1. */
static int line_edge(const struct line *l, unsigned from)
{
    for (unsigned i = from; i < l->half_bits / 2; i++) {
        if (!(l->levels >> i & 1) && (i == 0 || l->levels >> (i - 1) & 1)) {
            return i;
        }
    }
    return -1;
}

/*
 * One character, sampled from the edge of its start bit at sender's bit
 * @edge. Returns the sender's bit in which its stop bit was sampled.
 */
static unsigned sample(UART16550State *r, const struct line *l, unsigned edge,
                       int64_t now)
{
    unsigned width = 5 + (r->lcr & UART16550_LCR_WLS);
    uint64_t at = edge * l->bit_fs + r->bit_fs / 2; /* middle of the start */
    uint8_t byte = 0, error = 0;
    bool parity = false;

    if (line_level(l, at)) {
        return edge; /* a false start */
    }
    for (unsigned i = 0; i < width; i++) {
        at += r->bit_fs;
        byte |= line_level(l, at) << i;
    }
    if (r->lcr & UART16550_LCR_PEN) {
        at += r->bit_fs;
        parity = line_level(l, at);
        if (parity != parity_bit(r->lcr, byte)) {
            error |= UART16550_LSR_PE;
        }
    }
    at += r->bit_fs;
    if (!line_level(l, at)) {
        error |= UART16550_LSR_FE;
        if (!byte && !parity) {
            error |= UART16550_LSR_BI; /* a whole character of spacing */
        }
    }
    receive(r, byte, error, now);
    return at / l->bit_fs;
}

/* Who hears what @s sends; [8.8 bit 4] for loopback. NULL: nobody. */
static UART16550State *receiver(UART16550State *s)
{
    if (s->mcr & UART16550_MCR_LOOP) {
        return s;
    }
    if (!s->peer || (s->peer->mcr & UART16550_MCR_LOOP)) {
        return NULL;
    }
    return s->peer;
}

/* Both ends agree, and nothing on the wire disturbs. */
static bool clean(const UART16550State *s, const UART16550State *r)
{
    return s == r || (!s->bit_error_ppb && !s->cut_data &&
                      s->bit_fs == r->bit_fs &&
                      !((s->lcr ^ r->lcr) & UART16550_LCR_FORMAT));
}

/* The first stop bit of the frame in @s's shift register has ended. */
static void deliver(UART16550State *s, int64_t now)
{
    UART16550State *r = receiver(s);
    uint32_t flips;
    struct line l;
    int edge;

    if (r == s) {
        receive(s, s->tsr & word_mask(s->tsr_lcr), 0, now);
        return;
    }
    flips = wire_errors(s, half_bits_to_stop(s->tsr_lcr) / 2);
    if (s->peer && (!r || !r->bit_fs || s->cut_data || s->tsr_broken)) {
        s->counter[UART16550_LOST]++;
        return;
    }
    if (!r) {
        return;
    }
    if (!flips && s->tsr_bit_fs == r->bit_fs &&
        !((s->tsr_lcr ^ r->lcr) & UART16550_LCR_FORMAT)) {
        receive(r, s->tsr & word_mask(s->tsr_lcr), 0, now);
        return;
    }
    l.levels = frame_levels(s->tsr_lcr, s->tsr) ^ flips;
    l.half_bits = half_bits(s->tsr_lcr);
    l.next = s->tx_count && s->bit_fs;
    l.bit_fs = s->tsr_bit_fs;
    edge = line_edge(&l, 0);
    if (edge < 0) {
        s->counter[UART16550_LOST]++;
    }
    while (edge >= 0) {
        edge = line_edge(&l, sample(r, &l, edge, now) + 1);
    }
}

/* [8.11 B] The last byte has left the FIFO for the shift register. */
static void thr_empty(UART16550State *s)
{
    if ((s->fcr & UART16550_FCR_ENABLE) && !s->tx_two && !s->tx_first) {
        s->thre_at = frame_time(s, half_bits(s->tsr_lcr) - 2);
    } else {
        s->thr_ipending = true;
        s->thre_at = UART16550_NEVER;
    }
    s->tx_two = s->tx_first = false;
}

/* From the FIFO to the shift register, at tsr_start. */
static void load(UART16550State *s)
{
    s->tsr = s->tx_fifo[s->tx_head];
    s->tx_head = (s->tx_head + 1) % UART16550_FIFO_SIZE;
    s->tx_count--;
    s->tsr_lcr = s->lcr;
    s->tsr_bit_fs = s->bit_fs;
    s->tsr_busy = true;
    s->tsr_delivered = false;
    s->tsr_broken = s->lcr & UART16550_LCR_BREAK;
    if (!s->tx_count) {
        thr_empty(s);
    }
}

void uart16550_kick(UART16550State *s, int64_t now)
{
    if (!s->tsr_busy && s->tx_count && s->bit_fs) {
        s->tsr_start = now;
        s->tsr_start_fs = 0;
        load(s);
    }
}

void uart16550_break_changed(UART16550State *s, int64_t now)
{
    UART16550State *r = s->peer;

    s->break_at = UART16550_NEVER;
    if (s->lcr & UART16550_LCR_BREAK) {
        s->tsr_broken = true;
        if (r && r->bit_fs) {
            s->break_at = now + duration(r, half_bits(r->lcr));
        }
    }
}

/* The transmitter of @s, and with it the receiver at the other end. */
static void transmit(UART16550State *s, int64_t now)
{
    while (s->tsr_busy) {
        int64_t arrival = frame_time(s, half_bits_to_stop(s->tsr_lcr));
        uint64_t fs;

        if (arrival > now) {
            break;
        }
        if (!s->tsr_delivered) {
            s->tsr_delivered = true;
            deliver(s, arrival);
        }
        if (frame_time(s, half_bits(s->tsr_lcr)) > now) {
            break;
        }
        s->counter[UART16550_SENT]++;
        s->tsr_busy = false;
        fs = s->tsr_start_fs + half_bits(s->tsr_lcr) * s->tsr_bit_fs / 2;
        s->tsr_start += fs / FS_PER_NS;
        s->tsr_start_fs = fs % FS_PER_NS;
        if (s->tx_count && s->bit_fs) {
            load(s);
        }
    }
    if (s->thre_at <= now) {
        s->thre_at = UART16550_NEVER;
        s->thr_ipending = true;
    }
    if (s->break_at <= now) {
        UART16550State *r = receiver(s);

        if (r && r != s && !s->cut_data) {
            uint8_t lcr = r->lcr;
            bool wrong = (lcr & UART16550_LCR_PEN) && parity_bit(lcr, 0);

            receive(r, 0, UART16550_LSR_BI | UART16550_LSR_FE |
                          (wrong ? UART16550_LSR_PE : 0), s->break_at);
        }
        s->break_at = UART16550_NEVER;
    }
}

void uart16550_advance(UART16550State *s, int64_t now)
{
    transmit(s, now);
    if (s->peer) {
        transmit(s->peer, now);
        check_timeout(s->peer, now);
    }
    check_timeout(s, now);
}

/* The time-out of @s when @count frames come from @w, the first at @first. */
static int64_t next_timeout(UART16550State *s, UART16550State *w,
                            unsigned count, int64_t first, int64_t last)
{
    int64_t wait = duration(s, TIMEOUT_CHARACTERS * half_bits(s->lcr));

    if (s->rx_timeout || !(s->fcr & UART16550_FCR_ENABLE) || !s->bit_fs ||
        !(s->ier & UART16550_IER_ERBFI)) {
        return UART16550_NEVER;
    }
    if (s->rx_count && (!count || first > s->rx_timeout_at)) {
        return s->rx_timeout_at;
    }
    if (!count) {
        return UART16550_NEVER;
    }
    /* A sender this slow lets it expire between two bytes. */
    if (duration(w, half_bits(w->lcr)) > wait) {
        return first + wait;
    }
    return last + wait;
}

/* When the @n-th frame from now (from 1) of @w, which is sending, arrives. */
static int64_t arrival(const UART16550State *w, unsigned n)
{
    unsigned more = n - 1 - !w->tsr_delivered; /* frames after the second */
    uint64_t fs = w->tsr_start_fs +
                  half_bits(w->tsr_lcr) * w->tsr_bit_fs / 2 +
                  half_bits_to_stop(w->lcr) * w->bit_fs / 2;

    if (n == 1 && !w->tsr_delivered) {
        return frame_time(w, half_bits_to_stop(w->tsr_lcr));
    }
    fs += more * (half_bits(w->lcr) * w->bit_fs / 2);
    return w->tsr_start + DIV_ROUND_UP(fs, FS_PER_NS);
}

/* When what @w sends to @s would raise an interrupt, or earlier. */
static int64_t next_receive(UART16550State *s, UART16550State *w)
{
    unsigned count = 0, need = UINT_MAX;
    int64_t next = UART16550_NEVER;

    if (w->tsr_busy) {
        count = (w->bit_fs ? w->tx_count : 0) + !w->tsr_delivered;
    }
    if (!count) {
        return next_timeout(s, w, 0, 0, 0);
    }
    if (!clean(w, s)) {
        /* Errors are drawn as bytes arrive: look at each. */
        return MIN(arrival(w, 1), next_timeout(s, w, 0, 0, 0));
    }
    if (s->ier & UART16550_IER_ERBFI) {
        need = uart16550_trigger(s) - MIN(s->rx_count, uart16550_trigger(s));
    }
    if (s->ier & UART16550_IER_ELSI) {
        need = MIN(need, uart16550_depth(s) - s->rx_count + 1);
    }
    if (need && need <= count) {
        next = arrival(w, need);
    }
    return MIN(next, next_timeout(s, w, count, arrival(w, 1),
                                  arrival(w, count)));
}

int64_t uart16550_next_event(UART16550State *s)
{
    UART16550State *w = s->mcr & UART16550_MCR_LOOP ? s : s->peer;
    int64_t next = UART16550_NEVER;

    if (s->irq_level) {
        return next; /* only an access can change it */
    }
    if ((s->ier & UART16550_IER_ETBEI) && !s->thr_ipending) {
        next = s->thre_at;
        if (s->tsr_busy && s->tx_count && s->bit_fs) {
            uint64_t fs = s->tsr_start_fs +
                          half_bits(s->tsr_lcr) * s->tsr_bit_fs / 2 +
                          (s->tx_count - 1) * (half_bits(s->lcr) *
                                               s->bit_fs / 2);

            next = MIN(next, s->tsr_start +
                             (int64_t)DIV_ROUND_UP(fs, FS_PER_NS));
        }
    }
    if (w && (s->ier & (UART16550_IER_ERBFI | UART16550_IER_ELSI))) {
        next = MIN(next, next_receive(s, w));
        if (w != s) {
            next = MIN(next, w->break_at);
        }
    }
    return next;
}
