/* link: user/lib/uart/serve.c user/lib/uart/stream.c user/lib/uart/session.c user/lib/uart/device.c user/lib/uart/config.c user/lib/ring/ring.c user/lib/ring/copy.c */
/*
 * Flow control of the UART library against a simulated device: what each
 * version may send and must say, and random traffic under all of them.
 */
#include "uart_chip.h"

enum { BATCH = 8 }; /* v1 */

/* "FIFO empty and I got a batch" must not send two batches for one pulse. */
static void v1_sends_one_batch_a_pulse(void **state)
{
    (void)state;
    start(UART_FLOW_V1, BATCH);
    fill_out();
    uart_kick_send(&uart);
    assert_int_equal(chip.thr_writes, BATCH);
    chip_drain(FIFO);
    uart_kick_send(&uart);
    interrupt();
    assert_int_equal(chip.thr_writes, BATCH);
    chip_cts(); /* down: it has begun to read */
    interrupt();
    assert_int_equal(chip.thr_writes, BATCH);
    chip_cts(); /* up */
    interrupt();
    assert_int_equal(chip.thr_writes, 2 * BATCH);
    chip_drain(FIFO);
    chip_cts(), chip_cts(); /* both edges in one look */
    interrupt();
    assert_int_equal(chip.thr_writes, 3 * BATCH);
}

/* A receiver that times out in the middle of a batch asks for the next one. */
static void v1_overruns_no_fifo_of_its_own(void **state)
{
    (void)state;
    start(UART_FLOW_V1, BATCH);
    fill_out();
    uart_kick_send(&uart);
    assert_int_equal(chip.thr_writes, BATCH);
    chip_drain(BATCH / 2);
    chip_cts(), chip_cts();
    interrupt();
    assert_int_equal(chip.thr_writes, BATCH);
    chip_drain(FIFO);
    interrupt();
    assert_int_equal(chip.thr_writes, 2 * BATCH);
}

/*
 * No credit for as long as two looks: this end begins anew, and the session
 * lets it send again. With credit, or nothing to send, it does not.
 */
static void lost_credit_begins_anew(void **state)
{
    (void)state;
    for (enum uart_flow flow = UART_FLOW_V1; flow < UART_FLOWS; flow++) {
        setup(state);
        start(flow, 0);
        uart_watch(&uart), uart_watch(&uart), uart_watch(&uart);
        assert_int_equal(uart.session, UART_SESSION_UP);
        fill_out();
        uart_kick_send(&uart);
        chip_drain(FIFO); /* and the wire is cut */
        uart_watch(&uart);
        assert_int_equal(uart.session, UART_SESSION_UP);
        uart_watch(&uart);
        assert_int_equal(uart.session, UART_SESSION_NONE);
        assert_int_equal(chip.mcr & 3, 0);
        chip.wired = chip.thr_writes = 0;
        peer_comes(3, 0);
        assert_true(chip.thr_writes > 0);
    }
}

/*
 * The other end has begun anew, because our client has no space: what it had
 * sent under v1 and v2 stays where it is until there is some.
 */
static void held_bytes_outlive_a_session(void **state)
{
    (void)state;
    for (enum uart_flow flow = UART_FLOW_V1; flow < UART_FLOW_V3; flow++) {
        setup(state);
        start(flow, 0);
        no_room();
        for (int i = 0; i < TRIGGER; i++)
            chip_receive(i);
        chip_quiet();
        interrupt();
        assert_true(uart.held);
        give("x"); /* what is on its way is sent still */
        chip_lines(0);
        interrupt();
        assert_int_equal(uart.session, UART_SESSION_NONE);
        assert_int_equal(chip.mcr & 3, 0);
        assert_int_equal(chip.rx_count, TRIGGER);
        make_room(filler);
        uart_kick_receive(&uart);
        assert_int_equal(uart.session, UART_SESSION_READY);
        assert_int_equal(take(), TRIGGER);
        for (int i = 0; i < TRIGGER; i++)
            assert_int_equal(got[i], i);
        peer_comes(0, 0);
    }
}

static void v1_pulses_after_a_batch(void **state)
{
    (void)state;
    start(UART_FLOW_V1, BATCH);
    assert_true(chip.mcr & 2);
    for (int i = 0; i < BATCH; i++)
        chip_receive(i);
    unsigned before = chip.rts_edges;
    interrupt();
    assert_int_equal(chip.rts_edges, before + 2);
    assert_true(chip.mcr & 2);
    chip_receive('x'); /* a batch of one */
    chip_quiet();
    interrupt();
    assert_int_equal(chip.rts_edges, before + 4);
    assert_int_equal(take(), BATCH + 1);
}

/* Its client was behind, and has read while the driver looked once more. */
static void v1_pulses_when_space_came_late(void **state)
{
    (void)state;
    start(UART_FLOW_V1, BATCH);
    late = 1;
    chip_receive('x');
    chip_quiet();
    interrupt();
    assert_int_equal(chip.rx_count, 0);
    uart_kick_receive(&uart);
    assert_true(chip.mcr & 2);
    chip_receive('y');
    chip_quiet();
    interrupt();
    assert_int_equal(take(), 2);
}

static void credits_are_counted_by_edges(enum uart_flow flow)
{
    /* 16 outstanding, no more; one of v3's messages may be among them */
    unsigned first = flow == UART_FLOW_V3 ? FIFO - sizeof(said) : FIFO;
    start(flow, 0);
    fill_out();
    uart_kick_send(&uart);
    assert_int_equal(chip.thr_writes, first);
    chip_drain(FIFO);
    uart_kick_send(&uart);
    interrupt();
    assert_int_equal(chip.thr_writes, first);
    chip_cts();
    interrupt();
    assert_int_equal(chip.thr_writes, FIFO + 8);
    chip_drain(FIFO);
    chip_cts(), chip_cts(); /* two edges merge: the level has not changed */
    interrupt();
    assert_int_equal(chip.thr_writes, 2 * FIFO + 8);
}

static void v2_counts_edges(void **state)
{
    (void)state;
    credits_are_counted_by_edges(UART_FLOW_V2);
}

static void v3_counts_edges(void **state)
{
    (void)state;
    credits_are_counted_by_edges(UART_FLOW_V3);
}

/*
 * Bytes that were taken and not credited yet would narrow the other end's 16
 * until the next tail: of what comes then, so many are taken as complete a
 * credit, and on from there in eights.
 */
static void a_tail_leaves_no_credit_open(void **state)
{
    for (enum uart_flow flow = UART_FLOW_V2; flow < UART_FLOWS; flow++) {
        static const unsigned come[] = {8, 8, 13, 8}, edges[] = {1, 2, 4, 5};
        setup(state);
        start(flow, 0);
        for (int i = 0; i < 3; i++)
            chip_receive(i);
        chip_quiet();
        interrupt();
        unsigned before = chip.rts_edges;
        for (int batch = 0; batch < 4; batch++) {
            for (unsigned i = 0; i < come[batch]; i++)
                chip_receive(i);
            interrupt();
            assert_int_equal(chip.rx_count, batch < 2 ? 3 : 0);
            assert_int_equal(chip.rts_edges - before, edges[batch]);
        }
        assert_int_equal(take(), 40);
        got_count = 0;
    }
}

static void credit_for_each_8_taken(void **state)
{
    (void)state;
    static const unsigned triggers[] = {1, 4, 8};
    for (unsigned t = 0; t < 3; t++) {
        setup(state);
        start(UART_FLOW_V2, triggers[t]);
        unsigned before = chip.rts_edges;
        for (unsigned i = 1; i <= 64; i++) {
            chip_receive(i);
            chip_quiet();
            interrupt();
            assert_int_equal(chip.rts_edges - before, i / 8);
        }
        assert_int_equal(take(), 64);
    }
}

/* No room, no credit: the other end stops, and nothing overruns. */
static void no_credit_without_room(void **state)
{
    (void)state;
    start(UART_FLOW_V2, 0);
    no_room();
    make_room(5);
    unsigned before = chip.rts_edges;
    for (int i = 0; i < FIFO; i++)
        chip_receive(i);
    interrupt();
    chip_quiet();
    interrupt();
    assert_true(uart.held);
    assert_int_equal(chip.rts_edges, before);
    make_room(filler);
    uart_kick_receive(&uart);
    interrupt();
    chip_quiet();
    interrupt();
    assert_int_equal(chip.rts_edges, before + 2);
    assert_int_equal(take(), FIFO);
}

/* Arrivals, departures, full rings at random: every byte, in order. */
static void random_traffic(enum uart_flow flow, uint64_t seed)
{
    uint8_t sent_in[MANY], sent_out[MANY];
    unsigned in_count = 0, out_count = 0, in_flight = 0, read_there = 0;
    unsigned acknowledged = chip.rts_edges, toggle = 0;
    uint64_t r = 88172645463325252UL + seed;
    turn_length = seed % 2 ? TURN : UINT32_MAX;
    start(flow, flow == UART_FLOW_NONE ? TRIGGER : 0);
    acknowledged = chip.rts_edges;
    while (in_count < MANY - FIFO || out_count < MANY - 32) {
        r ^= r << 13, r ^= r >> 7, r ^= r << 17;
        unsigned n = (r >> 8) % 20;
        switch (r % 7) {
        case 0: /* a sender that minds the FIFO, by credits or by looking */
            if (flow != UART_FLOW_NONE) {
                in_flight -= 8 * (chip.rts_edges - acknowledged);
                acknowledged = chip.rts_edges;
                assert_in_range(in_flight, 0, FIFO);
            } else {
                in_flight = chip.rx_count;
            }
            for (; n && in_flight < FIFO && in_count < MANY - FIFO; n--) {
                sent_in[in_count] = r >> 16 ^ in_count;
                assert_true(chip_receive(sent_in[in_count++]));
                in_flight++;
            }
            break;
        case 1:
            chip_quiet();
            break;
        case 2:
            chip_drain(n);
            break;
        case 3:
            if (filler)
                make_room(n);
            else if (!(r >> 60))
                take(), no_room();
            uart_kick_receive(&uart);
            break;
        case 4:
            for (; n && out_count < MANY - 32; n--) {
                sent_out[out_count] = r >> 24 ^ n;
                assert_int_equal(
                    ring_write(&out_end, &sent_out[out_count++], 1), 1);
            }
            uart_kick_send(&uart);
            break;
        case 5: /* the other end reads, and says so */
            for (; n && read_there < chip.wired; n--, read_there++)
                if (++toggle % 8 == 0)
                    chip_cts();
            break;
        default:
            if (line_high())
                interrupt();
        }
        if (flow != UART_FLOW_NONE)
            assert_true(chip.tx_count + chip.wired - read_there <= FIFO);
    }
    for (int i = 0; i < 2 * MANY; i++) {
        if (filler)
            make_room(filler);
        uart_kick_receive(&uart);
        uart_kick_send(&uart);
        chip_drain(FIFO);
        for (; read_there < chip.wired; read_there++)
            if (++toggle % 8 == 0)
                chip_cts();
        chip_quiet();
        interrupt();
    }
    take();
    assert_int_equal(got_count, in_count);
    assert_memory_equal(got, sent_in, in_count);
    assert_int_equal(chip.wired, out_count);
    assert_memory_equal(chip.wire, sent_out, out_count);
    assert_int_equal(chip.empty_reads, 0);
    assert_int_equal(uart.count[UART_BYTES_IN], in_count);
    assert_int_equal(uart.count[UART_BYTES_OUT], out_count);
    assert_int_equal(uart.count[UART_INTERRUPTS], served);
}

static void random_traffic_none(void **state)
{
    (void)state;
    random_traffic(UART_FLOW_NONE, 0);
}

static void random_traffic_v2_v3(void **state)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        setup(state);
        random_traffic(UART_FLOW_V2, seed);
        setup(state);
        random_traffic(UART_FLOW_V3, seed);
    }
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(v1_sends_one_batch_a_pulse),
        TEST(v1_overruns_no_fifo_of_its_own),
        TEST(lost_credit_begins_anew),
        TEST(held_bytes_outlive_a_session),
        TEST(v1_pulses_after_a_batch),
        TEST(v1_pulses_when_space_came_late),
        TEST(v2_counts_edges),
        TEST(v3_counts_edges),
        TEST(a_tail_leaves_no_credit_open),
        TEST(credit_for_each_8_taken),
        TEST(no_credit_without_room),
        TEST(random_traffic_none),
        TEST(random_traffic_v2_v3),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
