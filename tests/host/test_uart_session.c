/* link: user/lib/uart/serve.c user/lib/uart/stream.c user/lib/uart/session.c user/lib/uart/device.c user/lib/uart/config.c user/lib/ring/ring.c user/lib/ring/copy.c */
/*
 * Two drivers on two UARTs wired to each other: at each access to a register
 * of one the wire may move, the other driver may run, or this one be killed,
 * to be followed by another that finds the rings in its clients' memory. Under
 * v3 each byte arrives once, in order; under v1 and v2, without kills.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "user/lib/include/uinta/uart.h"
#include "user/lib/uart/access.h"
#include "user/lib/uart/regs.h"

enum { ENDS = 2, FIFO = 16, CAPACITY = 64, STEPS = 60000, DRAIN = 200000 };

static uint64_t random_state;

static bool one_in(unsigned n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (random_state >> 20) % n == 0;
}

/* The devices. */

static uint8_t file[ENDS][8];

static struct chip {
    uint8_t ier, lcr, mcr, fcr, msr, overrun;
    uint8_t rx[FIFO], tx[FIFO];
    unsigned rx_count, tx_count;
    bool timeout, tx_empty;
} chips[ENDS];

static unsigned overruns, kills;

static uint8_t iir(const struct chip *c)
{
    static const unsigned triggers[] = {1, 4, 8, 14};
    if (c->ier & IER_LINE && c->overrun)
        return IIR_LINE;
    if (c->ier & IER_RECEIVE && c->rx_count >= triggers[c->fcr >> 6])
        return IIR_RECEIVE;
    if (c->ier & IER_RECEIVE && c->timeout)
        return IIR_TIMEOUT;
    if (c->ier & IER_SEND && c->tx_empty)
        return IIR_SEND;
    if (c->ier & IER_MODEM && c->msr & 0xf)
        return IIR_MODEM;
    return IIR_NONE;
}

static uint8_t take(uint8_t *fifo, unsigned *count)
{
    uint8_t byte = fifo[0];
    memmove(fifo, fifo + 1, --*count);
    return byte;
}

/* A byte of `c` arrives at the other end. */
static void wire(struct chip *c)
{
    struct chip *to = c == chips ? &chips[1] : &chips[0];
    if (!c->tx_count)
        return;
    uint8_t byte = take(c->tx, &c->tx_count);
    c->tx_empty |= !c->tx_count;
    to->timeout = false;
    if (to->rx_count == FIFO) {
        to->overrun = LSR_OVERRUN;
        overruns++;
    } else {
        to->rx[to->rx_count++] = byte;
    }
}

static void lines_changed(struct chip *c, uint8_t mcr)
{
    struct chip *to = c == chips ? &chips[1] : &chips[0];
    uint8_t lines =
        (mcr & MCR_DTR ? MSR_DSR : 0) | (mcr & MCR_RTS ? MSR_CTS : 0);
    to->msr = lines | (to->msr & 0xf) |
              ((lines ^ to->msr) & (MSR_DSR | MSR_CTS)) >> 4;
    c->mcr = mcr;
}

static void meanwhile(unsigned end);

uint8_t register_get(volatile uint8_t *address)
{
    unsigned end = address >= file[1];
    struct chip *c = &chips[end];
    meanwhile(end);
    uint8_t value = 0;
    switch (address - file[end]) {
    case RBR:
        assert_true(c->rx_count > 0); /* it would be the last one again */
        c->timeout = false;
        return take(c->rx, &c->rx_count);
    case IIR:
        value = iir(c);
        if (value == IIR_SEND)
            c->tx_empty = false;
        return value;
    case LSR:
        value = (c->rx_count ? LSR_READY : 0) |
                (c->tx_count ? 0 : LSR_SEND_EMPTY | LSR_ALL_SENT) | c->overrun;
        c->overrun = 0;
        return value;
    case MSR:
        value = c->msr;
        c->msr &= 0xf0;
        return value;
    default:
        fail();
        return 0;
    }
}

void register_put(volatile uint8_t *address, uint8_t value)
{
    unsigned end = address >= file[1];
    struct chip *c = &chips[end];
    meanwhile(end);
    switch (address - file[end]) {
    case THR:
        if (c->lcr & LCR_DLAB)
            return;
        assert_true(c->tx_count < FIFO);
        c->tx[c->tx_count++] = value;
        c->tx_empty = false;
        return;
    case IER:
        if (c->lcr & LCR_DLAB)
            return;
        c->tx_empty |= value & ~c->ier & IER_SEND && !c->tx_count;
        c->ier = value;
        return;
    case FCR:
        if (value & FCR_CLEAR_RECEIVE)
            c->rx_count = c->timeout = 0;
        if (value & FCR_CLEAR_SEND)
            c->tx_count = 0;
        c->fcr = value;
        return;
    case LCR:
        c->lcr = value;
        return;
    case MCR:
        lines_changed(c, value);
        return;
    default:
        fail();
    }
}

/* The drivers and their clients: at each end a ring each way. */

static struct end {
    struct uart uart;
    bool running;          /* inside one of the library's functions */
    bool alive, connected; /* the driver; and it has its client's rings */
    jmp_buf killed;
    struct ring_shared in_shared, out_shared;
    uint8_t in_data[CAPACITY], out_data[CAPACITY];
    struct ring in, out;               /* the driver's ends */
    struct ring client_in, client_out; /* the client's */
    uint64_t written, read;
} ends[ENDS];

static unsigned kill_one_in; /* accesses; 0: nobody is killed */
static bool stopping;

static struct ring *need_space(struct uart *u)
{
    struct end *e = u->context;
    return e->connected && ring_available(&e->in, 1) > 0 ? &e->in : NULL;
}

static struct ring *need_bytes(struct uart *u)
{
    struct end *e = u->context;
    u->turn = 1000;
    return e->connected && ring_available(&e->out, u->ahead + 1) > u->ahead
               ? &e->out
               : NULL;
}

static void wake(struct uart *u, struct ring *ring)
{
    (void)u;
    ring_should_ring(ring);
}

static const struct uart_owner owner = {need_space, need_bytes, wake};

/* Runs one of the driver's functions; false: it was killed in it. */
static bool run(struct end *e, void (*function)(struct end *))
{
    e->running = true;
    bool survived = !setjmp(e->killed);
    if (survived)
        function(e);
    e->running = false;
    if (!survived)
        e->alive = e->connected = false;
    return survived;
}

static void serve(struct end *e)
{
    uart_interrupt(&e->uart);
}

static void kick(struct end *e)
{
    uart_kick_send(&e->uart);
    uart_kick_receive(&e->uart);
}

static enum uart_flow flow;

static void begin(struct end *e)
{
    struct uart_config config = uart_config_default();
    char why[100];
    config.flow = flow;
    config.clock = 100000000;
    assert_int_equal(uart_config_check(&config, why, sizeof(why)), 0);
    memset(&e->uart, 0xa5, sizeof(e->uart)); /* it knows nothing any more */
    e->uart.owner = &owner;
    e->uart.context = e;
    uart_reset(&e->uart, file[e - ends], 0, &config);
    uart_start(&e->uart);
}

/* As stream_reopen() and stream_accept() do. */
static void connect(struct end *e)
{
    assert_int_equal(
        ring_attach(&e->in, RING_PRODUCER, &e->in_shared, e->in_data, CAPACITY),
        OK);
    assert_int_equal(ring_attach(&e->out, RING_CONSUMER, &e->out_shared,
                                 e->out_data, CAPACITY),
                     OK);
    ring_resume(&e->client_in);
    ring_resume(&e->client_out);
    e->connected = true;
    e->uart.in = NULL;
}

static uint8_t content(unsigned end, uint64_t at)
{
    return (at * 0x9e3779b97f4a7c15 + end) >> 56;
}

static void client(struct end *e)
{
    unsigned n = e - ends;
    uint8_t byte;
    for (unsigned i = 0; i < 12 && !one_in(6) && !stopping; i++) {
        byte = content(n, e->written);
        e->written += ring_write(&e->client_out, &byte, 1) == 1;
    }
    for (unsigned i = 0; i < 20 && (stopping || !one_in(9)); i++) {
        if (ring_read(&e->client_in, &byte, 1) != 1)
            break;
        assert_int_equal(byte, content(!n, e->read));
        e->read++;
    }
}

/* Anything that can happen outside of the drivers' functions. */
static void step(struct end *e)
{
    if (!e->alive) {
        if (one_in(8))
            e->alive = run(e, begin);
        return;
    }
    if (!e->connected) {
        if (!one_in(3))
            return;
        connect(e);
        run(e, kick);
        return;
    }
    client(e);
    if (one_in(2) || stopping)
        run(e, kick);
}

/* Between two accesses of one driver: everything else. */
static void meanwhile(unsigned end)
{
    struct end *e = &ends[end], *other = &ends[!end];
    while (one_in(3))
        wire(&chips[one_in(2)]);
    if (one_in(16))
        chips[end].timeout = chips[end].rx_count > 0;
    if (one_in(16))
        chips[!end].timeout = chips[!end].rx_count > 0;
    if (kill_one_in && one_in(kill_one_in)) {
        kills++;
        longjmp(e->killed, 1);
    }
    if (other->running || !one_in(6))
        return;
    if (other->alive && iir(&chips[!end]) != IIR_NONE)
        run(other, serve);
    else
        step(other);
}

static void turn(void)
{
    unsigned end = one_in(2);
    struct end *e = &ends[end];
    for (unsigned i = 0; i < 4; i++)
        wire(&chips[one_in(2)]);
    chips[end].timeout = chips[end].rx_count > 0 && one_in(2);
    if (e->alive && iir(&chips[end]) != IIR_NONE)
        run(e, serve);
    step(e);
}

static bool all_arrived(void)
{
    return ends[0].read == ends[1].written && ends[1].read == ends[0].written;
}

static void wired(uint64_t seed, unsigned kills_one_in)
{
    memset(chips, 0, sizeof(chips));
    memset(ends, 0, sizeof(ends));
    random_state = 88172645463325252 + seed * 0x9e3779b97f4a7c15;
    overruns = 0;
    stopping = false;
    for (struct end *e = ends; e < ends + ENDS; e++) {
        assert_int_equal(ring_init(&e->client_in, RING_CONSUMER, &e->in_shared,
                                   e->in_data, CAPACITY),
                         OK);
        assert_int_equal(ring_init(&e->client_out, RING_PRODUCER,
                                   &e->out_shared, e->out_data, CAPACITY),
                         OK);
    }
    kill_one_in = kills_one_in;
    for (unsigned i = 0; i < STEPS; i++)
        turn();
    kill_one_in = 0;
    stopping = true;
    for (unsigned i = 0; i < DRAIN && !all_arrived(); i++)
        turn();
    assert_int_equal(ends[0].read, ends[1].written);
    assert_int_equal(ends[1].read, ends[0].written);
    assert_true(ends[0].written > STEPS / 60);
    assert_int_equal(overruns, 0);
}

static void v3_kills_lose_nothing(void **state)
{
    (void)state;
    flow = UART_FLOW_V3;
    kills = 0;
    for (uint64_t seed = 0; seed < 16; seed++)
        wired(seed, 50 << seed % 8);
    assert_true(kills > 4000);
}

static void nothing_is_lost(void **state)
{
    (void)state;
    for (flow = UART_FLOW_V1; flow < UART_FLOWS; flow++)
        for (uint64_t seed = 0; seed < 3; seed++)
            wired(seed, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost),
        cmocka_unit_test(v3_kills_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
