/* link: user/lib/uart/serve.c user/lib/uart/stream.c user/lib/uart/session.c user/lib/uart/device.c user/lib/uart/config.c user/lib/ring/ring.c user/lib/ring/copy.c */
/*
 * How the UART library begins a session with the other end, on a simulated
 * device: step by step, where test_uart_session.c has two drivers and chance.
 */
#include "uart_chip.h"

/* What a dead driver left on the lines, and its successor does to them. */
static void nothing_is_sent_before_both_are_there(void **state)
{
    for (enum uart_flow flow = UART_FLOW_V1; flow < UART_FLOWS; flow++) {
        setup(state);
        chip.modem = DSR | CTS | DCTS | DDSR;
        start_alone(flow, 0);
        fill_out();
        uart_kick_send(&uart);
        interrupt();
        for (int i = 0; i < 3; i++) {
            chip_cts();
            interrupt();
        }
        assert_int_equal(chip.mcr & 3, 0);
        chip_lines(0);
        interrupt();
        chip_lines(CTS);
        interrupt();
        assert_int_equal(chip.thr_writes, 0);
    }
}

static void stray_edges_give_no_credit(void **state)
{
    setup(state);
    start(UART_FLOW_V2, 0);
    chip_cts();
    interrupt();
    chip_cts(), chip_cts();
    interrupt();
    fill_out();
    uart_kick_send(&uart);
    assert_int_equal(chip.thr_writes, FIFO);

    setup(state);
    start(UART_FLOW_V3, 0);
    chip_cts();
    interrupt();
    fill_out();
    uart_kick_send(&uart);
    assert_int_equal(chip.thr_writes, 0);
    assert_int_equal(chip.mcr & 3, 0); /* they agree anew */
    peer_comes(KNOWN, 0);
    assert_int_equal(chip.thr_writes, FIFO - sizeof(said));
    assert_int_equal(uart.count[UART_SESSIONS], 2);
}

/* A message that came broken, or begins with another's end, is not believed. */
static void v3_wants(uint8_t first, uint8_t second, uint8_t third)
{
    start_alone(UART_FLOW_V3, 0);
    fill_out();
    chip_lines(CTS);
    interrupt();
    chip_lines(CTS | DSR);
    interrupt();
    chip_drain(FIFO);
    chip_receive(first), chip_receive(second), chip_receive(third);
    chip_quiet();
    interrupt();
    assert_int_equal(chip.mcr & 3, 0);
    assert_int_equal(chip.thr_writes, sizeof(said));
    chip.thr_writes = 0;
    peer_comes(NOBODY, 0);
    chip_cts();
    interrupt();
    uart_kick_send(&uart);
    assert_int_equal(chip.thr_writes, 0); /* nobody listens there */
}

static void v3_wants_the_message_whole(void **state)
{
    uint8_t low = 0xb0, high = 0x0b | KNOWN << 6;
    v3_wants(0, KNOWN << 6, 0);
    setup(state);
    v3_wants(low, high, ~chip_check(low, high));
    setup(state);
    v3_wants(chip_check(low, high), low, high);
}

/* What is wrong with a byte of a message is not wrong with the first of data. */
static void v3_message_errors_are_its_own(void **state)
{
    enum { PARITY = 4 };
    struct uart_error error;
    (void)state;
    start_alone(UART_FLOW_V3, 0);
    chip_lines(CTS);
    interrupt();
    chip_lines(CTS | DSR);
    interrupt();
    chip_receive(0), chip_receive(FRESH << 6);
    chip_receive_broken(chip_check(0, FRESH << 6), PARITY);
    chip_receive('a');
    chip_quiet();
    interrupt();
    assert_int_equal(uart.session, UART_SESSION_UP);
    assert_int_equal(take(), 1);
    assert_int_equal(got[0], 'a');
    assert_int_equal(uart_error(&uart, 0, &error), E_NOENT);
}

/* What has not been acknowledged is still in the ring for the next driver. */
static void v3_keeps_what_is_not_acknowledged(void **state)
{
    (void)state;
    start(UART_FLOW_V3, 0);
    fill_out();
    uart_kick_send(&uart);
    assert_int_equal(out.own, 0);
    chip_drain(FIFO);
    chip_cts();
    interrupt();
    assert_int_equal(out.own, 8);
    assert_int_equal(out_shared.index[RING_CONSUMER].value, 8);
    assert_int_equal(uart.ahead, 16);
    uart_forget(&uart, &out);
    have_out = false;
    chip_cts(), chip_cts(); /* of a ring that is gone */
    chip_drain(FIFO);
    interrupt();
    assert_int_equal(uart.credit, FIFO);
    assert_int_equal(out.own, 8);
}

/*
 * All that a dead driver has left in its ring had arrived: the client is asked
 * to ring for more.
 */
static void v3_asks_for_more_than_has_arrived(void **state)
{
    (void)state;
    start(UART_FLOW_V3, 0);
    give("abcd");
    uart_kick_send(&uart);
    chip_drain(FIFO);
    assert_int_equal(chip.wired, 4);
    memset(&uart, 0xa5, sizeof(uart));
    chip.modem = CTS | DSR;
    chip.thr_writes = 0;
    told_none = false;
    start_alone(UART_FLOW_V3, 0);
    peer_comes(KNOWN, 4);
    assert_int_equal(out.own, 4);
    assert_int_equal(chip.thr_writes, 0);
    assert_true(told_none);
    give("e");
    uart_kick_send(&uart);
    assert_int_equal(chip.thr_writes, 1);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(nothing_is_sent_before_both_are_there),
        TEST(stray_edges_give_no_credit),
        TEST(v3_wants_the_message_whole),
        TEST(v3_message_errors_are_its_own),
        TEST(v3_keeps_what_is_not_acknowledged),
        TEST(v3_asks_for_more_than_has_arrived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
