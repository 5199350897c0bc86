/* link: user/lib/uart/serve.c user/lib/uart/stream.c user/lib/uart/session.c user/lib/uart/device.c user/lib/uart/config.c user/lib/ring/ring.c user/lib/ring/copy.c */
/*
 * The UART library against a simulated device, without flow control: taking
 * over, bursts, full rings, errors and their bytes, words of the command line.
 */
#include "uart_chip.h"

static void reset_after_a_driver_that_died_anywhere(void **state)
{
    (void)state;
    chip.ier = 0xf;
    chip.lcr = 0xff; /* in the middle of setting the divisor */
    chip.errors = FRAMING;
    chip.modem = 0xff;
    chip_receive('x');
    chip.divisor[0] = chip.divisor[1] = 0x55;
    struct uart_config config = uart.config;
    uart_reset(&uart, file, SHIFT, &config);
    assert_int_equal(chip.ier, 0);
    assert_int_equal(chip.lcr, 3);
    assert_int_equal(chip.divisor[0] | chip.divisor[1] << 8, 2);
    assert_int_equal(chip.fcr, 0xc1);
    assert_int_equal(chip.mcr, 0xb);
    assert_int_equal(chip.thr_writes, 0);
    chip_quiet();
    assert_false(line_high());
    uart_start(&uart);
    assert_int_equal(chip.ier, RECEIVE | LINE);
    interrupt();
    assert_int_equal(take(), 1); /* typed while no driver was there */
    assert_int_equal(got[0], 'x');
}

static void unknown_clock_leaves_the_divisor(void **state)
{
    (void)state;
    struct uart_config config = uart.config;
    chip.divisor[0] = 7;
    config.clock = 0;
    uart_reset(&uart, file, SHIFT, &config);
    assert_int_equal(chip.divisor[0], 7);
    config.clock = 1000; /* divisor 0 would be: stop */
    uart_reset(&uart, file, SHIFT, &config);
    assert_int_equal(chip.divisor[0], 7);
}

static void burst_leaves_one_and_asks_lsr_for_the_tail_only(void **state)
{
    (void)state;
    for (int i = 0; i < TRIGGER; i++)
        chip_receive('a' + i);
    unsigned before = chip.lsr_reads;
    assert_false(ring_arm_wake(&in_end, 1));
    uart.in = &in;
    interrupt();
    assert_int_equal(take(), TRIGGER - 1);
    assert_int_equal(chip.lsr_reads, before + 1); /* for errors */
    assert_int_equal(wakes, 0);                   /* not before its end */
    chip_quiet();
    interrupt();
    assert_int_equal(wakes, 1);
    assert_int_equal(take(), TRIGGER);
    assert_memory_equal(got, "abcdefghijklmn", TRIGGER);
    assert_int_equal(uart.count[UART_BYTES_IN], TRIGGER);
    assert_int_equal(chip.empty_reads, 0);
}

static void timeout_on_an_empty_fifo_ends(void **state)
{
    (void)state;
    chip.timeout = true; /* as some chips do */
    interrupt();
    assert_int_equal(take(), 0);
}

static void no_room_holds_reception_back(void **state)
{
    (void)state;
    no_room();
    for (int i = 0; i < FIFO; i++)
        chip_receive(i);
    interrupt();
    assert_true(uart.held);
    assert_int_equal(chip.ier, LINE);
    assert_int_equal(chip.rx_count, FIFO);
    uart_kick_receive(&uart); /* still none */
    assert_true(uart.held);
    assert_int_equal(uart.count[UART_CLIENT_FULL], 1);
    make_room(3);
    uart_kick_receive(&uart);
    assert_false(uart.held);
    interrupt(); /* three, and no room again: the timeout must not storm */
    assert_int_equal(chip.rx_count, FIFO - 3);
    chip_quiet();
    interrupt();
    assert_true(uart.held);
    make_room(filler);
    uart_kick_receive(&uart);
    interrupt();
    chip_quiet();
    interrupt();
    assert_int_equal(take(), FIFO);
    for (int i = 0; i < FIFO; i++)
        assert_int_equal(got[i], i);
}

/* Seen elsewhere: one byte lost whenever the buffer is exactly full. */
static void ring_exactly_full_loses_nothing(void **state)
{
    static const enum uart_flow flows[] = {UART_FLOW_NONE, UART_FLOW_V1,
                                           UART_FLOW_V2, UART_FLOW_V3};
    for (unsigned f = 0; f < 4; f++)
        for (unsigned room = 0; room <= FIFO; room++) {
            setup(state);
            start(flows[f], 0);
            no_room();
            make_room(room);
            for (int i = 0; i < FIFO; i++)
                chip_receive(i);
            for (int i = 0; i < 4; i++) {
                interrupt();
                chip_quiet();
            }
            assert_int_equal(chip.rx_count, FIFO - room);
            make_room(filler);
            uart_kick_receive(&uart);
            for (int i = 0; i < 4; i++) {
                interrupt();
                chip_quiet();
            }
            assert_int_equal(take(), FIFO);
            for (int i = 0; i < FIFO; i++)
                assert_int_equal(got[i], i);
        }
}

static void one_byte_out_costs_no_interrupt(void **state)
{
    (void)state;
    give("k");
    uart_kick_send(&uart);
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
    uart_kick_send(&uart);
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
    assert_int_equal(uart.count[UART_BYTES_OUT], 100);
    assert_in_range(interrupts, 6, 7); /* a FIFO each, and one to end it */
    assert_int_equal(chip.ier, RECEIVE | LINE);
}

static void kick_while_the_transmitter_is_busy(void **state)
{
    (void)state;
    give("first");
    uart_kick_send(&uart);
    give("second");
    uart_kick_send(&uart); /* the chip fails the test if this overruns */
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

/* IER is modified, not written: switching one off leaves the other on. */
static void each_direction_keeps_the_others_interrupt(void **state)
{
    (void)state;
    no_room();
    for (int i = 0; i < TRIGGER; i++)
        chip_receive(i);
    give("0123456789abcdefg");
    uart_kick_send(&uart);
    interrupt(); /* holds reception back */
    assert_int_equal(chip.ier, SEND | LINE);
    chip_drain(FIFO);
    interrupt();
    chip_drain(FIFO);
    interrupt(); /* nothing left to send */
    assert_int_equal(chip.ier, LINE);
    make_room(filler);
    uart_kick_receive(&uart);
    assert_int_equal(chip.ier, RECEIVE | LINE);
}

static void modem_status_is_read_or_storms(void **state)
{
    (void)state;
    chip.ier |= MODEM; /* a board on which the line cannot be masked */
    chip.modem = 0x11;
    assert_true(line_high());
    interrupt();
    assert_int_equal(chip.modem, 0x10);
}

static void overruns_are_counted_once(void **state)
{
    (void)state;
    for (int i = 0; i < FIFO + 2; i++)
        chip_receive(i);
    interrupt();
    chip_quiet();
    interrupt();
    assert_int_equal(uart.count[UART_OVERRUNS], 1);
    struct uart_error e;
    assert_int_equal(uart_error(&uart, 0, &e), OK);
    assert_int_equal(e.position, FIFO - 1); /* missing behind this one */
    assert_int_equal(e.what, UART_ERROR_OVERRUN);
    assert_int_equal(uart_error(&uart, 1, &e), E_NOENT);
}

/* Nobody reads: each byte that is lost is counted, the gap told once. */
static void overrun_while_nobody_reads(void **state)
{
    (void)state;
    no_room();
    make_room(5);
    for (int i = 0; i < FIFO + 1; i++)
        chip_receive(i);
    interrupt(); /* takes 5 */
    for (int i = 0; i < 5; i++)
        chip_receive(i);
    interrupt();
    for (int i = 0; i < 10; i++) {
        assert_false(chip_receive(i));
        interrupt();
    }
    assert_int_equal(uart.count[UART_OVERRUNS], 11);
    struct uart_error e;
    assert_int_equal(uart_error(&uart, 0, &e), OK);
    assert_int_equal(e.position, MANY + FIFO - 1);
    assert_int_equal(uart_error(&uart, 1, &e), OK);
    assert_int_equal(e.position, MANY + FIFO - 1 + 5);
    assert_int_equal(uart_error(&uart, 2, &e), E_NOENT);
}

/* Wherever in a batch the broken byte is, it is the one that is named. */
static void errors_name_their_byte(void **state)
{
    for (unsigned at = 0; at < FIFO; at++) {
        setup(state);
        start(UART_FLOW_V2, 0);
        for (unsigned i = 0; i < FIFO; i++)
            if (i == at)
                chip_receive_broken(i, FRAMING);
            else
                chip_receive(i);
        interrupt();
        chip_quiet();
        interrupt();
        assert_int_equal(take(), FIFO);
        struct uart_error e;
        assert_int_equal(uart_error(&uart, 0, &e), OK);
        assert_int_equal(e.position, at);
        assert_int_equal(e.what, UART_ERROR_FRAMING);
        assert_int_equal(uart_error(&uart, 1, &e), E_NOENT);
        assert_int_equal(uart.count[UART_FRAMING_ERRORS], 1);
    }
}

/* The error of a byte that has no room yet is not forgotten. */
static void error_of_a_byte_that_waits(void **state)
{
    (void)state;
    start(UART_FLOW_V2, 0);
    no_room();
    chip_receive_broken('x', FRAMING);
    interrupt();
    assert_int_equal(uart.error_count, 0);
    make_room(filler);
    uart_kick_receive(&uart);
    chip_quiet();
    interrupt();
    assert_int_equal(take(), 1);
    assert_int_equal(uart.error_count, 1);
    assert_int_equal(uart.errors[0].position, MANY);
}

/* Reading LSR to know whether there is room to send clears them, too. */
static void error_seen_by_who_sends(void **state)
{
    (void)state;
    start(UART_FLOW_NONE, TRIGGER);
    chip_receive_broken('x', FRAMING);
    give("y");
    uart_kick_send(&uart);
    assert_int_equal(chip.thr_writes, 1);
    assert_int_equal(chip.errors, 0);
    chip_receive('z');
    chip_quiet();
    interrupt();
    assert_int_equal(take(), 2);
    assert_int_equal(uart.error_count, 1);
    assert_int_equal(uart.errors[0].position, 0);
    assert_int_equal(uart.errors[0].what, UART_ERROR_FRAMING);
}

static void old_errors_are_out_of_range(void **state)
{
    (void)state;
    for (unsigned i = 0; i < UART_ERRORS_KEPT + 3; i++) {
        chip_receive_broken(i, FRAMING);
        interrupt();
    }
    struct uart_error e;
    assert_int_equal(uart_error(&uart, 2, &e), E_RANGE);
    assert_int_equal(e.position, 3); /* the oldest that is kept */
    assert_int_equal(uart_error(&uart, 3, &e), OK);
    assert_int_equal(e.position, 3);
    assert_int_equal(uart_error(&uart, UART_ERRORS_KEPT + 2, &e), OK);
    assert_int_equal(e.position, UART_ERRORS_KEPT + 2);
}

/* The command line. */

static void words_are_taken_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *word, *why;
    } wrong[] = {
        {"--mode=fast", "--mode=fast: not one of: polling, interrupt"},
        {"--flow=v4", "not one of: none, v1, v2, v3"},
        {"--baud=", "a number of bits a second"},
        {"--baud=12x", "a number of bits a second"},
        {"--baud=-1", "a number of bits a second"},
        {"--word=9N1", "data bits 5 to 8"},
        {"--word=8N3", "stop bits 1 or 2"},
        {"--trigger=16", "1, 4, 8, 14"},
    };
    char why[200];
    struct uart_config c = uart_config_default();
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(uart_config_word(&c, wrong[i].word, why, sizeof(why)),
                         -1);
        assert_non_null(strstr(why, wrong[i].why));
    }
    assert_int_equal(uart_config_word(&c, "offset=0", why, sizeof(why)), 0);
    assert_int_equal(uart_config_word(&c, "--flow=v3", why, sizeof(why)), 1);
    assert_int_equal(uart_config_word(&c, "--word=7E2", why, sizeof(why)), 1);
    assert_int_equal(c.flow, UART_FLOW_V3);
    assert_int_equal(c.data_bits, 7);
    assert_int_equal(c.parity, UART_PARITY_EVEN);
    assert_int_equal(c.stop_bits, 2);
    c.clock = 100000000;
    c.baud = 6250000;
    assert_int_equal(uart_config_check(&c, why, sizeof(why)), 0);
    assert_int_equal(c.trigger, 8);
    c.baud = 4000000; /* 1.5625 of the clock's sixteenth */
    assert_int_equal(uart_config_check(&c, why, sizeof(why)), -1);
    assert_non_null(strstr(why, "within 2 %"));
}

static void divisors_are_within_2_percent(void **state)
{
    (void)state;
    assert_int_equal(uart_divisor(100000000, 6250000), 1);
    assert_int_equal(uart_divisor(100000000, 1250000), 5);
    assert_int_equal(uart_divisor(100000000, 115200), 54);
    assert_int_equal(uart_divisor(100000000, 6380000), 0); /* 2.04 % */
    assert_int_equal(uart_divisor(100000000, 6370000), 1);
    assert_int_equal(uart_divisor(100000000, 12500000), 0);
    assert_int_equal(uart_divisor(100000000, 1), 0);
    assert_int_equal(uart_divisor(100000000, 0), 0);
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
        TEST(ring_exactly_full_loses_nothing),
        TEST(one_byte_out_costs_no_interrupt),
        TEST(long_output_goes_by_interrupts),
        TEST(kick_while_the_transmitter_is_busy),
        TEST(each_direction_keeps_the_others_interrupt),
        TEST(modem_status_is_read_or_storms),
        TEST(overruns_are_counted_once),
        TEST(overrun_while_nobody_reads),
        TEST(errors_name_their_byte),
        TEST(error_of_a_byte_that_waits),
        TEST(error_seen_by_who_sends),
        TEST(old_errors_are_out_of_range),
        TEST(words_are_taken_or_refused),
        TEST(divisors_are_within_2_percent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
