/* link: user/lib/uart/serve.c user/lib/uart/stream.c user/lib/uart/session.c user/lib/uart/device.c user/lib/uart/config.c user/lib/ring/ring.c user/lib/ring/copy.c */
/*
 * Two drivers on two UARTs wired to each other. Each driver is a coroutine that
 * stops at accesses to its registers, before and after them: there the wire may
 * move, the other driver go on where it had stopped, clients read and write, or
 * this one be killed, to be followed by another that finds the rings in its
 * clients' memory. Any of these may stand still for long. Under v3 each byte
 * arrives once, in order; under v1 and v2, without kills. Nobody is looked after
 * who has not been rung for, so that no bell is forgotten (uart_ends.h).
 */
#include "uart_ends.h"
#include <sanitizer/asan_interface.h>
#include <stdio.h>
#include <stdlib.h>

enum { STACK = 128 << 10, PHASES = 30, PHASE = 2000, DRAIN = 400000 };

static unsigned kills;
static bool calm; /* nobody is killed for a while */
static ucontext_t scheduler;
static unsigned stop_one_in; /* accesses */
static unsigned late;        /* tasks and bells are: goes of a driver */

static void stop(struct end *e)
{
    swapcontext(&e->context, &scheduler);
}

static void instant(unsigned end)
{
    if (one_in(stop_one_in))
        stop(&ends[end]);
}

static void reset(struct end *e)
{
    struct uart_config config = uart_config_default();
    char why[100];
    config.flow = run.flow;
    config.clock = 100000000;
    assert_int_equal(uart_config_check(&config, why, sizeof(why)), 0);
    memset(&e->uart, 0xa5, sizeof(e->uart)); /* it knows nothing any more */
    e->uart.owner = run.tasks ? &tasks_owner : &direct_owner;
    e->uart.context = e;
    uart_reset(&e->uart, file[e - ends], 0, &config);
    uart_start(&e->uart);
}

static void work(struct uart *u, struct way *w, void (*give)(struct uart *))
{
    w->look = false;
    ring_client(u, w);
    if (one_in(4)) /* the handler comes in between */
        uart_interrupt(u);
    give(u);
}

static void drive(unsigned end)
{
    struct end *e = &ends[end];
    for (reset(e);; stop(e)) {
        if (chip_iir(&chips[end]) != IIR_NONE && !one_in(8))
            uart_interrupt(&e->uart);
        else if (run.watch && one_in(300))
            uart_watch(&e->uart);
        else if (e->reading.look && one_in(late))
            work(&e->uart, &e->reading, give_space);
        else if (e->writing.look && one_in(late))
            work(&e->uart, &e->writing, give_bytes);
        else if (e->bell && one_in(late))
            clients_event(e);
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
    e->alive = e->bell = true;
    e->reading = e->writing = (struct way){0};
}

/* More often where it has told the other end something a moment ago. */
static bool is_killed(unsigned end)
{
    return run.kill_one_in && !stopping && !calm &&
           one_in(chips[end].told ? 10 : run.kill_one_in);
}

static void driver(unsigned end)
{
    struct end *e = &ends[end];
    if (!e->alive) {
        if (one_in(16))
            start(end);
    } else if (is_killed(end)) {
        kills++;
        e->alive = false;
        lose_clients(e);
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
    late = 2 << draw() % 6;
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

/* All has arrived, and whoever can write is awake. */
static bool all_done(void)
{
    for (unsigned i = 0; i < ENDS * CLIENTS; i++) {
        struct client *c = &ends[i / CLIENTS].clients[i % CLIENTS];
        if (c->read != c->written || sleeps_in_vain(c))
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

/* Writes for a while; then all that was written arrives; then it is quiet. */
static void phase(void)
{
    stopping = false;
    calm = one_in(2);
    for (unsigned i = draw() % PHASE; i; i--)
        step();
    stopping = true;
    mood = 0;
    for (unsigned i = 0; i < DRAIN && !all_done(); i++)
        step();
    for (unsigned i = 0; i < ENDS * CLIENTS; i++) {
        struct client *c = &ends[i / CLIENTS].clients[i % CLIENTS];
        if (c->read != c->written || sleeps_in_vain(c))
            fail_msg("%s, end %u: %lu of %lu bytes of client %u arrived%s",
                     what, i / CLIENTS, c->read, c->written, i % CLIENTS,
                     sleeps_in_vain(c) ? "; it sleeps" : "");
    }
    for (unsigned i = one_in(2) ? draw() % PHASE : 0; i; i--)
        step();
}

/* Returns how many bytes have arrived. */
static uint64_t wired(uint64_t seed, struct run how)
{
    uint64_t bytes = 0;
    run = how;
    snprintf(what, sizeof(what), "seed %lu, flow %s, %s, %u clients%s", seed,
             uart_flow_name(run.flow), run.tasks ? "tasks" : "direct",
             run.clients, run.watch ? "" : ", no watch");
    random_state = (seed + 1) * 0x9e3779b97f4a7c15;
    overruns = mood = 0;
    memset(chips, 0, sizeof(chips));
    begin(&ends[0]);
    begin(&ends[1]);
    for (unsigned i = 0; i < PHASES; i++)
        phase();
    for (unsigned i = 0; i < ENDS * CLIENTS; i++)
        bytes += ends[i / CLIENTS].clients[i % CLIENTS].read;
    assert_int_equal(overruns, 0);
    return bytes;
}

static void v3_kills_lose_nothing(void **state)
{
    (void)state;
    uint64_t bytes = 0;
    kills = 0;
    for (uint64_t seed = 0; seed < 96; seed++)
        bytes += wired(seed, (struct run){.flow = UART_FLOW_V3,
                                          .tasks = seed & 1,
                                          .watch = seed & 2,
                                          .clients = 1,
                                          .kill_one_in = 50 << seed / 4 % 8});
    assert_true(kills > 2000);
    assert_true(bytes > 200000);
}

/* Sessions end all the same: uart_watch() does it for ends that are slow. */
static void nothing_is_lost(void **state)
{
    (void)state;
    for (enum uart_flow flow = UART_FLOW_V1; flow < UART_FLOWS; flow++)
        for (uint64_t seed = 0; seed < 32; seed++)
            assert_true(wired(seed, (struct run){.flow = flow,
                                                 .tasks = seed & 1,
                                                 .watch = seed & 2,
                                                 .clients = 1 + seed / 4 % 2}) >
                        1000);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost),
        cmocka_unit_test(v3_kills_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
