/* link: user/servers/uart/ns16550.c */
/*
 * The UART driver against a simulated PC16550D: FIFOs, IIR with its
 * priorities, registers that change by being read. The device checks what a
 * driver must never do: overrun the transmit FIFO, read an empty receive
 * FIFO for no reason, touch the divisor while it means the data register.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "user/servers/uart/ns16550.h"
#include "user/servers/uart/registers.h"

enum { SHIFT = 2, FIFO = 16, TRIGGER = 14, MANY = 4096 };
enum { RECEIVE = 1, SEND = 2, LINE = 4, MODEM = 8 }; /* IER */
enum { DLAB = 0x80, READY = 1, OVERRUN = 2, FRAMING = 8, EMPTY = 0x20 };

/* The device. */
static uint8_t file[8 << SHIFT];
static struct {
    uint8_t ier, lcr, mcr, fcr, errors, modem, divisor[2];
    uint8_t rx[FIFO], tx[FIFO];
    unsigned rx_count, tx_count;
    bool timeout;  /* characters lie below the trigger level */
    bool tx_empty; /* the interrupt "transmitter empty" waits */
    unsigned lsr_reads, thr_writes, empty_reads;
    uint8_t wire[MANY]; /* what was sent */
    unsigned wired;
} chip;

static uint8_t chip_iir(void)
{
    if (chip.ier & LINE && chip.errors)
        return 0xc6;
    if (chip.ier & RECEIVE && chip.rx_count >= TRIGGER)
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
        value = (chip.rx_count ? READY : 0) | (chip.tx_count ? 0 : EMPTY) |
                chip.errors;
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
    chip.rx[chip.rx_count++] = byte;
    return true;
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

/* The owner: a buffer each way. */
static struct ns16550 uart;
static uint8_t got[MANY], out[MANY];
static unsigned got_count, room, out_count, out_taken, bursts, ends;

static size_t space(void *context)
{
    assert_ptr_equal(context, &uart);
    return room;
}

static void received(void *context, const uint8_t *bytes, size_t count,
                     bool more)
{
    assert_ptr_equal(context, &uart);
    assert_true(count > 0 && count <= room && got_count + count <= MANY);
    memcpy(got + got_count, bytes, count);
    got_count += count;
    room -= count;
    *(more ? &bursts : &ends) += 1;
}

static size_t to_send(void *context, uint8_t *bytes, size_t max)
{
    assert_ptr_equal(context, &uart);
    size_t count = out_count - out_taken;
    if (count > max)
        count = max;
    if (count > 5)
        count = 5; /* clients give pieces */
    memcpy(bytes, out + out_taken, count);
    out_taken += count;
    return count;
}

static const struct ns16550_owner owner = {space, received, to_send};

static int setup(void **state)
{
    (void)state;
    memset(&chip, 0, sizeof(chip));
    chip.fcr = 1; /* firmware was here before */
    uart = (struct ns16550){
        .base = file, .reg_shift = SHIFT, .owner = &owner, .context = &uart};
    got_count = out_count = out_taken = bursts = ends = 0;
    room = MANY;
    ns16550_reset(&uart, 3686400, 115200);
    ns16550_start(&uart);
    return 0;
}

/* What PLICs that sample edges need: the line is low when it returns. */
static void interrupt(void)
{
    ns16550_interrupt(&uart);
    assert_false(line_high());
}

static void give(const char *text)
{
    memcpy(out + out_count, text, strlen(text));
    out_count += strlen(text);
}

static void reset_after_a_driver_that_died_anywhere(void **state)
{
    (void)state;
    chip.ier = 0xf;
    chip.lcr = 0xff; /* in the middle of setting the divisor */
    chip.errors = FRAMING;
    chip.modem = 0xff;
    chip_receive('x');
    chip.divisor[0] = chip.divisor[1] = 0x55;
    ns16550_reset(&uart, 3686400, 115200);
    assert_int_equal(chip.ier, 0);
    assert_int_equal(chip.lcr, 3);
    assert_int_equal(chip.divisor[0] | chip.divisor[1] << 8, 2);
    assert_int_equal(chip.fcr, 0xc1);
    assert_int_equal(chip.mcr, 0xb);
    assert_int_equal(chip.thr_writes, 0);
    chip_quiet();
    assert_false(line_high());
    ns16550_start(&uart);
    assert_int_equal(chip.ier, RECEIVE | LINE);
    interrupt();
    assert_int_equal(got_count, 1); /* typed while no driver was there */
    assert_int_equal(got[0], 'x');
}

static void unknown_clock_leaves_the_divisor(void **state)
{
    (void)state;
    chip.divisor[0] = 7;
    ns16550_reset(&uart, 0, 115200);
    assert_int_equal(chip.divisor[0], 7);
    ns16550_reset(&uart, 1000, 115200); /* divisor 0 would be: stop */
    assert_int_equal(chip.divisor[0], 7);
}

static void burst_leaves_one_and_asks_lsr_for_the_tail_only(void **state)
{
    (void)state;
    for (int i = 0; i < TRIGGER; i++)
        chip_receive('a' + i);
    unsigned before = chip.lsr_reads;
    interrupt();
    assert_int_equal(got_count, TRIGGER - 1);
    assert_int_equal(bursts, 1);
    assert_int_equal(chip.lsr_reads, before);
    chip_quiet();
    interrupt();
    assert_int_equal(got_count, TRIGGER);
    assert_int_equal(ends, 1);
    assert_memory_equal(got, "abcdefghijklmn", TRIGGER);
    assert_int_equal(uart.taken, TRIGGER);
    assert_int_equal(chip.empty_reads, 0);
}

static void timeout_on_an_empty_fifo_ends(void **state)
{
    (void)state;
    chip.timeout = true; /* as some chips do */
    interrupt();
    assert_int_equal(got_count, 0);
    assert_int_equal(bursts + ends, 0);
}

static void no_room_holds_reception_back(void **state)
{
    (void)state;
    room = 0;
    for (int i = 0; i < FIFO; i++)
        chip_receive(i);
    interrupt();
    assert_true(ns16550_held(&uart));
    assert_int_equal(chip.ier, LINE);
    assert_int_equal(chip.rx_count, FIFO);
    ns16550_kick_receive(&uart); /* still none */
    assert_true(ns16550_held(&uart));
    room = 3;
    ns16550_kick_receive(&uart);
    assert_false(ns16550_held(&uart));
    interrupt(); /* three, and below the trigger nothing more yet */
    assert_int_equal(got_count, 3);
    chip_quiet();
    interrupt(); /* no room again: the timeout must not storm */
    assert_true(ns16550_held(&uart));
    room = MANY;
    ns16550_kick_receive(&uart);
    interrupt();
    assert_int_equal(got_count, FIFO);
    for (int i = 0; i < FIFO; i++)
        assert_int_equal(got[i], i);
}

static void one_byte_out_costs_no_interrupt(void **state)
{
    (void)state;
    give("k");
    ns16550_kick_send(&uart);
    assert_int_equal(chip.tx_count, 1);
    assert_int_equal(chip.ier, RECEIVE | LINE);
    chip_drain(1);
    assert_false(line_high());
}

static void long_output_goes_by_interrupts(void **state)
{
    (void)state;
    char text[101];
    for (int i = 0; i < 100; i++)
        text[i] = 'A' + i % 50;
    text[100] = 0;
    give(text);
    ns16550_kick_send(&uart);
    assert_int_equal(chip.tx_count, FIFO);
    assert_int_equal(chip.ier, RECEIVE | SEND | LINE);
    unsigned interrupts = 0;
    while (chip.tx_count) {
        chip_drain(3);
        if (line_high()) {
            interrupt();
            interrupts++;
        }
    }
    assert_int_equal(chip.wired, 100);
    assert_memory_equal(chip.wire, text, 100);
    assert_int_equal(uart.sent, 100);
    assert_in_range(interrupts, 6, 7); /* a FIFO each, and one to end it */
    assert_int_equal(chip.ier, RECEIVE | LINE);
}

static void kick_while_the_transmitter_is_busy(void **state)
{
    (void)state;
    give("first");
    ns16550_kick_send(&uart);
    give("second");
    ns16550_kick_send(&uart); /* the chip fails the test if this overruns */
    assert_int_equal(chip.thr_writes, 5);
    assert_true(chip.ier & SEND);
    chip_drain(FIFO);
    assert_true(line_high());
    interrupt();
    chip_drain(FIFO);
    interrupt();
    assert_memory_equal(chip.wire, "firstsecond", 11);
    assert_false(chip.ier & SEND);
}

static void each_direction_keeps_the_others_interrupt(void **state)
{
    (void)state;
    room = 0;
    for (int i = 0; i < TRIGGER; i++)
        chip_receive(i);
    give("0123456789abcdefg");
    ns16550_kick_send(&uart);
    interrupt(); /* holds reception back */
    assert_int_equal(chip.ier, SEND | LINE);
    chip_drain(FIFO);
    interrupt();
    chip_drain(FIFO);
    interrupt(); /* nothing left to send */
    assert_int_equal(chip.ier, LINE);
    room = MANY;
    ns16550_kick_receive(&uart);
    assert_int_equal(chip.ier, RECEIVE | LINE);
}

static void errors_are_counted_once_and_storm_not(void **state)
{
    (void)state;
    for (int i = 0; i < FIFO + 2; i++)
        chip_receive(i);
    interrupt();
    assert_int_equal(uart.overruns, 1);
    chip.errors = FRAMING;
    interrupt();
    assert_int_equal(uart.line_errors, 1);
    assert_int_equal(uart.overruns, 1);
    chip.ier |= MODEM; /* a board on which the line cannot be masked */
    chip.modem = 0x11;
    assert_true(line_high());
    interrupt();
    assert_int_equal(chip.modem, 0x10);
}

/* Arrivals, departures, full buffers at random: every byte, in order. */
static void random_traffic(void **state)
{
    (void)state;
    uint8_t sent_in[MANY];
    unsigned in = 0;
    uint64_t r = 88172645463325252UL;
    room = 0;
    while (in < MANY - FIFO || out_count < MANY - 32) {
        r ^= r << 13, r ^= r >> 7, r ^= r << 17;
        unsigned n = (r >> 8) % 20;
        switch (r % 6) {
        case 0: /* a sender that minds the FIFO */
            for (; n && chip.rx_count < FIFO && in < MANY - FIFO; n--) {
                sent_in[in] = r >> 16 ^ in;
                chip_receive(sent_in[in++]);
            }
            break;
        case 1:
            chip_quiet();
            break;
        case 2:
            chip_drain(n);
            break;
        case 3:
            room = n;
            ns16550_kick_receive(&uart);
            break;
        case 4:
            for (; n && out_count < MANY - 32; n--)
                out[out_count++] = r >> 24 ^ n;
            ns16550_kick_send(&uart);
            break;
        default:
            if (line_high())
                interrupt();
        }
    }
    room = MANY;
    ns16550_kick_receive(&uart);
    ns16550_kick_send(&uart);
    for (int i = 0; i < MANY && (chip.rx_count || chip.tx_count); i++) {
        chip_drain(FIFO);
        chip_quiet();
        interrupt();
    }
    assert_int_equal(got_count, in);
    assert_memory_equal(got, sent_in, in);
    assert_int_equal(chip.wired, out_count);
    assert_memory_equal(chip.wire, out, out_count);
    assert_int_equal(chip.empty_reads, 0);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(reset_after_a_driver_that_died_anywhere),
        TEST(unknown_clock_leaves_the_divisor),
        TEST(burst_leaves_one_and_asks_lsr_for_the_tail_only),
        TEST(timeout_on_an_empty_fifo_ends),
        TEST(no_room_holds_reception_back),
        TEST(one_byte_out_costs_no_interrupt),
        TEST(long_output_goes_by_interrupts),
        TEST(kick_while_the_transmitter_is_busy),
        TEST(each_direction_keeps_the_others_interrupt),
        TEST(errors_are_counted_once_and_storm_not),
        TEST(random_traffic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
