/* link: user/lib/uart/serve.c user/lib/uart/stream.c user/lib/uart/session.c user/lib/uart/device.c user/lib/uart/config.c user/lib/ring/ring.c user/lib/ring/copy.c */
/*
 * Two drivers on two UARTs wired to each other. Each driver is a coroutine that
 * stops at accesses to its registers: there the wire may move, the other driver
 * go on where it had stopped, clients read and write, or this one be killed, to
 * be followed by another that finds the rings in its clients' memory. Any of
 * these may stand still for long. Under v3 each byte arrives once, in order;
 * under v1 and v2, without kills.
 */
#include "uart_wired.h"
#include <sanitizer/asan_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>
#include "user/lib/include/uinta/uart.h"

enum { CAPACITY = 64, CLIENTS = 2, STACK = 128 << 10 };
enum { STEPS = 60000, DRAIN = 4000000, TURN = 24 };

static uint64_t random_state;

static uint64_t draw(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state >> 20;
}

static bool one_in(unsigned n)
{
    return draw() % n == 0;
}

/* What differs between runs. */
static struct run {
    enum uart_flow flow;
    bool tasks;       /* rings are given by tasks, as in servers/uart/tasks.c */
    unsigned clients; /* at each end; the first one reads, all write */
    unsigned kill_one_in; /* goes of a driver; 0: nobody is killed */
} run;

static char what[80]; /* the run, for messages */
static unsigned kills;
static bool stopping; /* nobody writes any more */

/* The drivers and their clients: a ring each way. */

struct client {
    struct ring_shared in_shared, out_shared;
    uint8_t in_data[CAPACITY], out_data[CAPACITY];
    struct ring in, out;               /* the driver's ends */
    struct ring client_in, client_out; /* the client's */
    bool calling, answered;            /* connects; it is done */
    bool connected;                    /* the driver has its rings */
    bool leaving, gone;                /* has hung up; the driver knows */
    uint64_t written;
    uint64_t read; /* of it, at the other end */
};

static struct end {
    struct uart uart;
    bool alive;
    bool look_in, look_out; /* what the tasks are woken for */
    struct client clients[CLIENTS];
    unsigned sender; /* whose turn it is */
    ucontext_t context;
    unsigned char *stack;
} ends[ENDS];

static ucontext_t scheduler;
static unsigned stop_one_in; /* accesses */

static void stop(struct end *e)
{
    swapcontext(&e->context, &scheduler);
}

static void instant(unsigned end)
{
    if (one_in(stop_one_in))
        stop(&ends[end]);
}

static struct ring *need_space(struct uart *u)
{
    struct client *c = ((struct end *)u->context)->clients;
    return c->connected && ring_available(&c->in, 1) > 0 ? &c->in : NULL;
}

/* One that has hung up goes when all it wrote has been sent. */
static bool has_bytes(struct uart *u, struct client *c)
{
    uint32_t ahead = u->out == &c->out ? u->ahead : 0;
    if (!c->connected || ring_available(&c->out, ahead + 1) > ahead)
        return c->connected;
    if (c->leaving) {
        uart_forget(u, &c->out);
        c->connected = c->leaving = false;
        c->gone = true;
    }
    return false;
}

/* As servers/uart/clients.c does. */
static struct ring *need_bytes(struct uart *u)
{
    struct end *e = u->context;
    unsigned tried = u->turn ? 0 : 1;
    while (tried <= run.clients &&
           !has_bytes(u, &e->clients[(e->sender + tried) % run.clients]))
        tried++;
    struct ring *r = NULL;
    if (tried <= run.clients) {
        e->sender = (e->sender + tried) % run.clients;
        r = &e->clients[e->sender].out;
    }
    if (!u->turn || r != u->out)
        u->turn = run.clients > 1 ? TURN : UINT32_MAX;
    return r;
}

static void wake(struct uart *u, struct ring *ring)
{
    (void)u;
    ring_should_ring(ring);
}

/* As servers/uart/tasks.c: the handler is told to wait, a task brings a ring. */

static struct ring *no_space(struct uart *u)
{
    ((struct end *)u->context)->look_in = true;
    return NULL;
}

static struct ring *no_bytes(struct uart *u)
{
    ((struct end *)u->context)->look_out = true;
    return NULL;
}

static void give_space(struct uart *u)
{
    if (!u->in || ring_available(u->in, 1) <= 0)
        u->in = need_space(u);
    if (u->in)
        uart_kick_receive(u);
}

static void give_bytes(struct uart *u)
{
    if (!u->out || !u->turn ||
        ring_available(u->out, u->ahead + 1) <= (int64_t)u->ahead) {
        struct ring *r = need_bytes(u);
        if (r ? r != u->out && !uart_let_go(u) : u->ahead)
            return;
        if (!(u->out = r))
            return;
    }
    uart_kick_send(u);
}

static const struct uart_owner direct = {need_space, need_bytes, wake};
static const struct uart_owner tasks = {no_space, no_bytes, wake};

static void reset(struct end *e)
{
    struct uart_config config = uart_config_default();
    char why[100];
    config.flow = run.flow;
    config.clock = 100000000;
    assert_int_equal(uart_config_check(&config, why, sizeof(why)), 0);
    memset(&e->uart, 0xa5, sizeof(e->uart)); /* it knows nothing any more */
    e->uart.owner = run.tasks ? &tasks : &direct;
    e->uart.context = e;
    uart_reset(&e->uart, file[e - ends], 0, &config);
    uart_start(&e->uart);
}

/* As stream_accept(); the client waits for the answer meanwhile. */
static void connect(struct end *e, struct client *c)
{
    c->calling = true;
    assert_int_equal(
        ring_attach(&c->in, RING_PRODUCER, &c->in_shared, c->in_data, CAPACITY),
        OK);
    assert_int_equal(ring_attach(&c->out, RING_CONSUMER, &c->out_shared,
                                 c->out_data, CAPACITY),
                     OK);
    c->connected = c->answered = true;
    e->uart.turn = 0;
    if (c == e->clients)
        e->uart.in = NULL;
}

/* What clients have rung for. */
static void kick(struct end *e)
{
    struct client *c = &e->clients[draw() % run.clients];
    if (!c->connected && !c->gone)
        connect(e, c);
    if (run.tasks) {
        e->look_in = e->look_out = true;
    } else {
        uart_kick_send(&e->uart);
        uart_kick_receive(&e->uart);
    }
}

static void drive(unsigned end)
{
    struct end *e = &ends[end];
    for (reset(e);; stop(e)) {
        if (chip_iir(&chips[end]) != IIR_NONE && !one_in(8)) {
            uart_interrupt(&e->uart);
        } else if (one_in(300)) {
            uart_watch(&e->uart);
        } else if (e->look_in && one_in(3)) {
            e->look_in = false;
            give_space(&e->uart);
        } else if (e->look_out && one_in(3)) {
            e->look_out = false;
            give_bytes(&e->uart);
        } else if (one_in(4)) {
            kick(e);
        }
    }
}

static void start(unsigned end)
{
    struct end *e = &ends[end];
    /* what the last one left of its stack */
    ASAN_UNPOISON_MEMORY_REGION(e->stack, STACK);
    getcontext(&e->context);
    e->context.uc_stack.ss_sp = e->stack;
    e->context.uc_stack.ss_size = STACK;
    makecontext(&e->context, (void (*)(void))drive, 1, end);
    e->alive = true;
    e->look_in = e->look_out = false;
}

static void die(struct end *e)
{
    kills++;
    e->alive = false;
    for (struct client *c = e->clients; c < e->clients + CLIENTS; c++)
        c->connected = c->calling = false;
}

/* Bit 7 says whose it is. */
static uint8_t content(unsigned end, unsigned client, uint64_t at)
{
    uint8_t byte = (at * 0x9e3779b97f4a7c15 + end) >> 56 ^ at;
    return (byte & 0x7f) | client << 7;
}

static void write_some(unsigned end, unsigned client)
{
    struct client *c = &ends[end].clients[client];
    for (unsigned n = draw() % 30; n && !stopping; n--) {
        uint8_t byte = content(end, client, c->written);
        if (ring_write(&c->client_out, &byte, 1) != 1)
            break;
        c->written++;
    }
}

static void read_some(unsigned end)
{
    uint8_t byte;
    for (unsigned n = stopping ? CAPACITY : draw() % 40; n; n--) {
        if (ring_read(&ends[end].clients->client_in, &byte, 1) != 1)
            break;
        struct client *from = &ends[!end].clients[byte >> 7];
        if (byte != content(!end, byte >> 7, from->read))
            fail_msg("%s, end %u: %#x for byte %lu of client %u", what, end,
                     byte, from->read, byte >> 7);
        from->read++;
    }
}

static void new_rings(struct client *c)
{
    assert_int_equal(ring_init(&c->client_in, RING_CONSUMER, &c->in_shared,
                               c->in_data, CAPACITY),
                     OK);
    assert_int_equal(ring_init(&c->client_out, RING_PRODUCER, &c->out_shared,
                               c->out_data, CAPACITY),
                     OK);
    c->gone = false;
}

static void client(unsigned end, unsigned client)
{
    struct client *c = &ends[end].clients[client];
    if (c->answered) { /* as stream_reopen() does */
        assert_int_equal(ring_resume(&c->client_in), OK);
        assert_int_equal(ring_resume(&c->client_out), OK);
        c->answered = c->calling = false;
    }
    if (c->gone)
        new_rings(c);
    if (c->calling || c->leaving)
        return;
    write_some(end, client);
    if (client == 0)
        read_some(end);
    else
        c->leaving = c->connected && one_in(40);
}

static void driver(unsigned end)
{
    struct end *e = &ends[end];
    if (!e->alive) {
        if (one_in(16))
            start(end);
    } else if (run.kill_one_in && !stopping && one_in(run.kill_one_in)) {
        die(e);
    } else {
        swapcontext(&scheduler, &e->context);
    }
}

/* Who is fast and who is slow, for some time. */

enum who { WIRE, TIMEOUT, DRIVER, CLIENT, WHO };

static unsigned weights[WHO][ENDS], mood;

static void change_mood(void)
{
    static const unsigned choices[] = {0, 1, 4, 16, 16, 64};
    mood = 1 << draw() % 12;
    stop_one_in = 1 + draw() % 6;
    for (unsigned end = 0; end < ENDS; end++) {
        weights[TIMEOUT][end] = 1;
        weights[WIRE][end] = 1 + choices[draw() % 6];
        weights[DRIVER][end] = stopping ? 16 : choices[draw() % 6];
        weights[CLIENT][end] = stopping ? 16 : choices[draw() % 6];
    }
}

static void step(void)
{
    if (!mood--)
        change_mood();
    unsigned total = 0, *w = weights[0];
    for (unsigned i = 0; i < WHO * ENDS; i++)
        total += w[i];
    unsigned pick = draw() % total, i = 0;
    for (; pick >= w[i]; i++)
        pick -= w[i];
    unsigned end = i % ENDS;
    switch (i / ENDS) {
    case WIRE:
        wire_step(&chips[end]);
        break;
    case TIMEOUT:
        wire_timeout(&chips[end]);
        break;
    case DRIVER:
        driver(end);
        break;
    case CLIENT:
        client(end, draw() % run.clients);
    }
}

static bool all_arrived(void)
{
    for (unsigned i = 0; i < ENDS * CLIENTS; i++) {
        const struct client *c = &ends[i / CLIENTS].clients[i % CLIENTS];
        if (c->read != c->written)
            return false;
    }
    return true;
}

static void begin(struct end *e)
{
    unsigned char *stack = e->stack ? e->stack : malloc(STACK);
    *e = (struct end){.stack = stack};
    assert_non_null(stack);
    for (struct client *c = e->clients; c < e->clients + CLIENTS; c++)
        new_rings(c);
}

/* Returns how many bytes have arrived. */
static uint64_t wired(uint64_t seed, struct run how)
{
    uint64_t bytes = 0;
    run = how;
    snprintf(what, sizeof(what), "seed %lu, flow %s, %s, %u clients", seed,
             uart_flow_name(run.flow), run.tasks ? "tasks" : "direct",
             run.clients);
    random_state = (seed + 1) * 0x9e3779b97f4a7c15;
    overruns = mood = 0;
    stopping = false;
    memset(chips, 0, sizeof(chips));
    begin(&ends[0]);
    begin(&ends[1]);
    for (unsigned i = 0; i < STEPS; i++)
        step();
    stopping = true;
    mood = 0;
    for (unsigned i = 0; i < DRAIN && !all_arrived(); i++)
        step();
    for (unsigned i = 0; i < ENDS * CLIENTS; i++) {
        const struct client *c = &ends[i / CLIENTS].clients[i % CLIENTS];
        if (c->read != c->written)
            fail_msg("%s, end %u: %lu of %lu bytes of client %u arrived", what,
                     i / CLIENTS, c->read, c->written, i % CLIENTS);
        bytes += c->read;
    }
    assert_int_equal(overruns, 0);
    return bytes;
}

static void v3_kills_lose_nothing(void **state)
{
    (void)state;
    uint64_t bytes = 0;
    kills = 0;
    for (uint64_t seed = 0; seed < 64; seed++)
        bytes += wired(seed, (struct run){.flow = UART_FLOW_V3,
                                          .tasks = seed & 1,
                                          .clients = 1,
                                          .kill_one_in = 50 << seed / 2 % 8});
    assert_true(kills > 4000);
    assert_true(bytes > 40000);
}

/* Sessions end all the same: uart_watch() does it for ends that are slow. */
static void nothing_is_lost(void **state)
{
    (void)state;
    for (enum uart_flow flow = UART_FLOW_V1; flow < UART_FLOWS; flow++)
        for (uint64_t seed = 0; seed < 60; seed++)
            assert_true(wired(seed, (struct run){.flow = flow,
                                                 .tasks = seed & 1,
                                                 .clients = 1 + seed / 2 % 2}) >
                        100);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost),
        cmocka_unit_test(v3_kills_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
