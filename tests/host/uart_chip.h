/*
 * A simulated PC16550D for host tests of the UART library: FIFOs, IIR with its
 * priorities, registers that change by being read; and the rings on the other
 * side of the driver. The device checks what a driver must never do: overrun
 * the transmit FIFO, touch a register that is not there. Included by one file
 * a program.
 */
#ifndef UART_CHIP_H
#define UART_CHIP_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "user/lib/include/uinta/uart.h"
#include "user/lib/uart/access.h"

enum { SHIFT = 2, FIFO = 16, TRIGGER = 14, MANY = 4096, CLOCK = 3686400 };
enum { CTS = 0x10, DSR = 0x20, DCTS = 1, DDSR = 2 }; /* MSR */
enum { RECEIVE = 1, SEND = 2, LINE = 4, MODEM = 8 }; /* IER */
enum { DLAB = 0x80, READY = 1, OVERRUN = 2, FRAMING = 8, EMPTY = 0x20 };
enum { ALL_SENT = 0x40, NOBODY = 1, FRESH = 2, KNOWN = 3 };

/* The device. */
static uint8_t file[8 << SHIFT];
static struct {
    uint8_t ier, lcr, mcr, fcr, errors, modem, divisor[2];
    uint8_t rx[FIFO], rx_errors[FIFO], tx[FIFO];
    unsigned rx_count, tx_count;
    bool timeout;  /* characters lie below the trigger level */
    bool tx_empty; /* the interrupt "transmitter empty" waits */
    unsigned lsr_reads, thr_writes, empty_reads, rts_edges;
    uint8_t wire[MANY]; /* what was sent */
    unsigned wired;
} chip;

static uint8_t chip_iir(void)
{
    if (chip.ier & LINE && chip.errors)
        return 0xc6;
    static const unsigned triggers[] = {1, 4, 8, 14};
    if (chip.ier & RECEIVE && chip.rx_count >= triggers[chip.fcr >> 6])
        return 0xc4;
    if (chip.ier & RECEIVE && chip.timeout)
        return 0xcc;
    if (chip.ier & SEND && chip.tx_empty)
        return 0xc2;
    if (chip.ier & MODEM && chip.modem & 0xf)
        return 0xc0;
    return 0xc1;
}

static bool line_high(void)
{
    return !(chip_iir() & 1);
}

static uint8_t chip_rbr(void)
{
    chip.timeout = false;
    if (!chip.rx_count) {
        chip.empty_reads++;
        return 0;
    }
    uint8_t byte = chip.rx[0];
    memmove(chip.rx, chip.rx + 1, --chip.rx_count);
    memmove(chip.rx_errors, chip.rx_errors + 1, FIFO - 1);
    chip.errors |= chip.rx_count ? chip.rx_errors[0] : 0;
    return byte;
}

uint8_t register_get(volatile uint8_t *address)
{
    size_t offset = address - file;
    uint8_t value;
    assert_int_equal(offset % (1 << SHIFT), 0);
    switch (offset >> SHIFT) {
    case 0:
        return chip.lcr & DLAB ? chip.divisor[0] : chip_rbr();
    case 1:
        return chip.lcr & DLAB ? chip.divisor[1] : chip.ier;
    case 2:
        value = chip_iir();
        if (value == 0xc2)
            chip.tx_empty = false; /* reading it is the answer */
        return value;
    case 3:
        return chip.lcr;
    case 4:
        return chip.mcr;
    case 5:
        chip.lsr_reads++;
        value = (chip.rx_count ? READY : 0) |
                (chip.tx_count ? 0 : EMPTY | ALL_SENT) | chip.errors;
        for (unsigned i = 0; i < chip.rx_count; i++)
            value |= chip.rx_errors[i] ? 0x80 : 0;
        if (chip.rx_count)
            chip.rx_errors[0] = 0;
        chip.errors = 0;
        return value;
    case 6:
        value = chip.modem;
        chip.modem &= 0xf0;
        return value;
    default:
        fail_msg("read of register %zu", offset >> SHIFT);
        return 0;
    }
}

static void chip_thr(uint8_t byte)
{
    assert_true(chip.tx_count < FIFO); /* overrun */
    chip.tx[chip.tx_count++] = byte;
    chip.tx_empty = false;
    chip.thr_writes++;
}

void register_put(volatile uint8_t *address, uint8_t value)
{
    size_t offset = address - file;
    assert_int_equal(offset % (1 << SHIFT), 0);
    switch (offset >> SHIFT) {
    case 0:
        if (chip.lcr & DLAB)
            chip.divisor[0] = value;
        else
            chip_thr(value);
        return;
    case 1:
        if (chip.lcr & DLAB) {
            chip.divisor[1] = value;
            return;
        }
        if (value & ~chip.ier & SEND && !chip.tx_count)
            chip.tx_empty = true;
        chip.ier = value;
        return;
    case 2:
        if ((value ^ chip.fcr) & 1 || value & 2)
            chip.rx_count = 0;
        if ((value ^ chip.fcr) & 1 || value & 4)
            chip.tx_count = 0;
        chip.fcr = value;
        return;
    case 3:
        chip.lcr = value;
        return;
    case 4:
        chip.rts_edges += ((chip.mcr ^ value) & 2) != 0;
        chip.mcr = value;
        return;
    default:
        fail_msg("write of register %zu", offset >> SHIFT);
    }
}

/* A byte comes in; false: no room, it is lost. */
static bool chip_receive(uint8_t byte)
{
    chip.timeout = false;
    if (chip.rx_count == FIFO) {
        chip.errors |= OVERRUN;
        return false;
    }
    chip.rx_errors[chip.rx_count] = 0;
    chip.rx[chip.rx_count++] = byte;
    return true;
}

static inline void chip_receive_broken(uint8_t byte, uint8_t errors)
{
    assert_true(chip_receive(byte));
    chip.rx_errors[chip.rx_count - 1] = errors;
    if (chip.rx_count == 1)
        chip.errors |= errors;
}

/* The other end moves its line: deltas of two edges are one. */
static inline void chip_modem(uint8_t line, uint8_t delta)
{
    chip.modem = (chip.modem ^ line) | delta;
}

static inline void chip_cts(void)
{
    chip_modem(CTS, DCTS);
}

static void chip_quiet(void)
{
    chip.timeout = chip.rx_count > 0;
}

/* Up to n bytes leave by the wire. */
static void chip_drain(unsigned n)
{
    for (; n && chip.tx_count; n--) {
        assert_true(chip.wired < MANY);
        chip.wire[chip.wired++] = chip.tx[0];
        memmove(chip.tx, chip.tx + 1, --chip.tx_count);
        if (!chip.tx_count)
            chip.tx_empty = true;
    }
}

/* The owner: a ring each way, of which this test has the other end. */
static struct uart uart;
static struct ring_shared in_shared, out_shared;
static uint8_t in_data[MANY], out_data[MANY];
static struct ring in, in_end, out, out_end;
static uint8_t got[MANY];
static unsigned got_count, filler, wakes; /* filler: no data, see no_room */
static bool have_in, have_out;
static bool told_none; /* the last call of need_bytes() */
static unsigned late;  /* calls of need_space() until the client has read */
enum { TURN = 5 };     /* bytes: clients take turns */
static uint32_t turn_length;

static struct ring *need_space(struct uart *u)
{
    assert_ptr_equal(u, &uart);
    if (late && late--)
        return NULL;
    return have_in && ring_available(&in, 1) > 0 ? &in : NULL;
}

static struct ring *need_bytes(struct uart *u)
{
    u->turn = turn_length;
    told_none = !have_out || ring_available(&out, u->ahead + 1) <= u->ahead;
    return told_none ? NULL : &out;
}

static void wake(struct uart *u, struct ring *ring)
{
    assert_ptr_equal(u, &uart);
    assert_true(ring == &in || ring == &out);
    wakes += ring_should_ring(ring);
}

static const struct uart_owner owner = {need_space, need_bytes, wake};

static unsigned served; /* interrupts since it started */

/* What PLICs that sample edges need: the line is low when it returns. */
static void interrupt(void)
{
    served += line_high();
    uart_interrupt(&uart);
    assert_false(line_high());
}

/* The other end's lines are to be so. */
static void chip_lines(uint8_t lines)
{
    uint8_t changed = (chip.modem ^ lines) & (CTS | DSR);
    chip_modem(changed, changed >> 4);
}

/* CRC-8: what is left of (0xff ^ low, high, 0) divided by x^8 + x^2 + x + 1. */
static inline uint8_t chip_check(uint8_t low, uint8_t high)
{
    uint32_t rest = (0xffU ^ low) << 16 | high << 8;
    for (int bit = 23; bit >= 8; bit--)
        if (rest >> bit & 1)
            rest ^= 0x107U << (bit - 8);
    return rest;
}

/* v3: what the other end says of its position. */
static void chip_message(unsigned kind, unsigned at)
{
    uint8_t high = (at >> 8 & 0x3f) | kind << 6;
    assert_true(chip_receive(at));
    assert_true(chip_receive(high));
    assert_true(chip_receive(chip_check(at, high)));
    chip_quiet();
}

static uint8_t said[3]; /* v3: what the driver said */

/* The other end's driver has started, and is ready when this one is. */
static void peer_comes(unsigned kind, unsigned at)
{
    chip_lines(0);
    interrupt();
    assert_int_equal(chip.mcr & 3, 2); /* RTS: ready */
    chip_lines(CTS);
    interrupt();
    assert_int_equal(chip.mcr & 3, 3); /* and DTR: open */
    assert_int_equal(chip.thr_writes, 0);
    chip_lines(CTS | DSR);
    interrupt();
    if (uart.config.flow == UART_FLOW_V3) {
        assert_int_equal(chip.tx_count, sizeof(said));
        memcpy(said, chip.tx, sizeof(said));
        chip_drain(FIFO);
        chip.wired = chip.thr_writes = 0;
        chip_message(kind, at);
        interrupt();
    }
    assert_int_equal(uart.session, UART_SESSION_UP);
}

static void start_alone(enum uart_flow flow, unsigned trigger)
{
    struct uart_config config = uart_config_default();
    char why[100];
    config.flow = flow;
    config.clock = CLOCK;
    config.trigger = trigger;
    assert_int_equal(uart_config_check(&config, why, sizeof(why)), 0);
    uart.owner = &owner;
    served = 0;
    uart_reset(&uart, file, SHIFT, &config);
    uart_start(&uart);
}

static void start(enum uart_flow flow, unsigned trigger)
{
    start_alone(flow, trigger);
    if (flow != UART_FLOW_NONE)
        peer_comes(FRESH, 0);
}

static int setup(void **state)
{
    (void)state;
    memset(&chip, 0, sizeof(chip));
    memset(&uart, 0, sizeof(uart));
    chip.fcr = 1; /* firmware was here before */
    assert_int_equal(ring_init(&in, RING_PRODUCER, &in_shared, in_data, MANY),
                     OK);
    assert_int_equal(
        ring_attach(&in_end, RING_CONSUMER, &in_shared, in_data, MANY), OK);
    assert_int_equal(
        ring_init(&out_end, RING_PRODUCER, &out_shared, out_data, MANY), OK);
    assert_int_equal(
        ring_attach(&out, RING_CONSUMER, &out_shared, out_data, MANY), OK);
    have_in = have_out = true;
    turn_length = TURN;
    got_count = filler = wakes = late = 0;
    start(UART_FLOW_NONE, TRIGGER);
    return 0;
}

/* No space in the ring, then again as much. */
static inline void no_room(void)
{
    filler = ring_available(&in, MANY);
    ring_publish(&in, filler);
    uart.in = &in;
}

static void make_room(unsigned n)
{
    n = n < filler ? n : filler;
    assert_true(ring_available(&in_end, n) >= n);
    ring_publish(&in_end, n);
    filler -= n;
}

static unsigned take(void)
{
    make_room(filler);
    int64_t n = ring_read(&in_end, got + got_count, MANY - got_count);
    assert_true(n >= 0);
    got_count += n;
    return got_count;
}

static inline void give(const char *text)
{
    assert_int_equal(ring_write(&out_end, text, strlen(text)), strlen(text));
}

static inline void fill_out(void)
{
    for (int i = 0; i < MANY / 8; i++)
        give("01234567");
}

#endif
