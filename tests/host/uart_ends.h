/*
 * The two drivers' clients, for test_uart_session.c: a ring each way, and two
 * bells. A driver looks at its clients only when one rang, and a client that
 * sleeps goes on only when its driver rang: as servers/uart has it (clients.c,
 * and tasks.c unbuffered), and stream.h at the other side. So whoever was to
 * ask for a bell and did not stands still.
 */
#ifndef UART_ENDS_H
#define UART_ENDS_H

#include "uart_wired.h"
#include <ucontext.h>
#include "user/lib/include/uinta/uart.h"

enum { CAPACITY = 64, CLIENTS = 2, TURN = 24 };

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
    bool watch;       /* uart_watch() is called */
    unsigned clients; /* at each end; the first one reads, all write */
    unsigned kill_one_in; /* goes of a driver; 0: nobody is killed */
} run;

static char what[80]; /* the run, for messages */
static bool stopping; /* nobody writes any more */

struct client {
    struct ring_shared in_shared, out_shared;
    uint8_t in_data[CAPACITY], out_data[CAPACITY];
    struct ring in, out;               /* the driver's ends */
    struct ring client_in, client_out; /* the client's */
    bool calling, answered;            /* connects; it is done */
    bool connected;                    /* the driver has its rings */
    bool leaving, gone;                /* has hung up; the driver knows */
    bool bell, asleep;                 /* what wakes it; it waits for that */
    unsigned want_in, want_out;        /* bytes, asleep */
    uint64_t written;
    uint64_t read; /* of it, at the other end */
};

/* What a task is woken for. */
struct way {
    bool look;
    struct ring *ring_for; /* whoever waits for it is to be rung */
};

static struct end {
    struct uart uart;
    bool alive, bell;
    struct way reading, writing;
    struct client clients[CLIENTS];
    unsigned sender; /* whose turn it is */
    ucontext_t context;
    unsigned char *stack;
} ends[ENDS];

static struct end *end_of(struct uart *u)
{
    return u->context;
}

/* The driver's side, as servers/uart/clients.c. */

static struct ring *need_space(struct uart *u)
{
    struct client *c = end_of(u)->clients;
    if (!c->connected)
        return NULL;
    return ring_available(&c->in, 1) > 0 ||
                   (ring_arm_wake(&c->in, CAPACITY / 2) &&
                    ring_available(&c->in, 1) > 0)
               ? &c->in
               : NULL;
}

/* One that has hung up goes when all it wrote has been sent. */
static bool has_bytes(struct uart *u, struct client *c, uint32_t ahead)
{
    if (!c->connected || ring_available(&c->out, ahead + 1) > ahead)
        return c->connected;
    if (c->leaving) {
        uart_forget(u, &c->in);
        uart_forget(u, &c->out);
        c->connected = c->leaving = false;
        c->gone = true;
    }
    return false;
}

static struct ring *next_in_turn(struct uart *u, const struct ring *out,
                                 uint32_t ahead)
{
    struct end *e = end_of(u);
    for (unsigned tried = u->turn ? 0 : 1; tried <= run.clients; tried++) {
        unsigned i = (e->sender + tried) % run.clients;
        struct ring *r = &e->clients[i].out;
        if (has_bytes(u, &e->clients[i], r == out ? ahead : 0)) {
            e->sender = i;
            return r;
        }
    }
    return NULL;
}

static bool arm_all(struct uart *u, const struct ring *out, uint32_t ahead)
{
    bool again = false;
    struct client *c = end_of(u)->clients;
    for (; c < end_of(u)->clients + run.clients; c++) {
        uint32_t n = out == &c->out ? ahead : 0;
        if (c->connected && (ring_arm_wake(&c->out, n + 1) || c->leaving))
            again |= !n || has_bytes(u, c, n);
    }
    return again;
}

static struct ring *need_bytes(struct uart *u)
{
    const struct ring *out = u->out;
    uint32_t ahead = u->ahead;
    struct ring *r;
    do
        r = next_in_turn(u, out, ahead);
    while (!r && arm_all(u, out, ahead));
    if (!u->turn || r != u->out)
        u->turn = run.clients > 1 ? TURN : UINT32_MAX;
    return r;
}

static void wake(struct uart *u, struct ring *ring)
{
    struct client *c = end_of(u)->clients;
    for (; c < end_of(u)->clients + run.clients; c++) {
        if (!c->connected || (ring != &c->in && ring != &c->out))
            continue;
        bool in = ring_should_ring(&c->in), out = ring_should_ring(&c->out);
        c->bell |= in || out;
    }
}

/* As tasks.c: the handler is told to wait, a task brings a ring. */

static struct ring *no_space(struct uart *u)
{
    end_of(u)->reading.look = true;
    return NULL;
}

static struct ring *no_bytes(struct uart *u)
{
    end_of(u)->writing.look = true;
    return NULL;
}

static void wake_task(struct uart *u, struct ring *ring)
{
    struct end *e = end_of(u);
    struct way *w = ring == u->in ? &e->reading : &e->writing;
    w->ring_for = ring;
    w->look = true;
}

static void ring_client(struct uart *u, struct way *w)
{
    if (w->ring_for)
        wake(u, w->ring_for);
    w->ring_for = NULL;
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

static const struct uart_owner direct_owner = {need_space, need_bytes, wake};
static const struct uart_owner tasks_owner = {no_space, no_bytes, wake_task};

/* As stream_accept(); the client waits for the answer meanwhile. */
static void connect(struct end *e, struct client *c)
{
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

/* Clients have rung. */
static void clients_event(struct end *e)
{
    e->bell = false;
    for (struct client *c = e->clients; c < e->clients + run.clients; c++) {
        if (c->leaving)
            e->uart.in = NULL;
        if (c->calling && !c->answered)
            connect(e, c);
    }
    if (run.tasks) {
        e->reading.look = e->writing.look = true;
    } else {
        uart_kick_send(&e->uart);
        uart_kick_receive(&e->uart);
    }
}

/* The driver dies: clients hear of it. */
static void lose_clients(struct end *e)
{
    for (struct client *c = e->clients; c < e->clients + CLIENTS; c++)
        c->connected = c->calling = c->asleep = false;
}

/* The clients' side. */

/* Bit 7 says whose it is. */
static uint8_t content(unsigned end, unsigned client, uint64_t at)
{
    uint8_t byte = (at * 0x9e3779b97f4a7c15 + end) >> 56 ^ at;
    return (byte & 0x7f) | client << 7;
}

/* Returns for how much space it would wait. */
static unsigned write_some(unsigned end, unsigned client)
{
    struct client *c = &ends[end].clients[client];
    unsigned n = stopping ? 0 : draw() % 30;
    for (; n; n--) {
        uint8_t byte = content(end, client, c->written);
        if (ring_write(&c->client_out, &byte, 1) != 1)
            break;
        c->written++;
        ends[end].bell |= ring_should_ring(&c->client_out);
    }
    return n;
}

static void read_some(unsigned end)
{
    struct ring *in = &ends[end].clients->client_in;
    uint8_t byte;
    for (unsigned n = stopping ? CAPACITY : draw() % 40; n; n--) {
        if (ring_read(in, &byte, 1) != 1)
            break;
        ends[end].bell |= ring_should_ring(in);
        struct client *from = &ends[!end].clients[byte >> 7];
        if (byte != content(!end, byte >> 7, from->read))
            fail_msg("%s, end %u: %#x for byte %lu of client %u", what, end,
                     byte, from->read, byte >> 7);
        from->read++;
    }
}

/* Sleeps for these, 0: not for that, if neither is there. */
static void sleep_for(struct client *c, unsigned in, unsigned out)
{
    bool ready = !in && !out;
    ready |= in && ring_arm_wake(&c->client_in, in);
    ready |= out && ring_arm_wake(&c->client_out, out);
    c->want_in = in;
    c->want_out = out;
    c->asleep = !ready;
    if (ready) {
        ring_disarm(&c->client_in);
        ring_disarm(&c->client_out);
    }
}

/*
 * True: it has been woken, or did not sleep. While all write it has a deadline,
 * or both ends' clients would wait for each other; then only for what may not come.
 */
static bool is_awake(struct client *c)
{
    bool late = stopping ? c->want_in > 1 : one_in(8);
    if (c->asleep && !c->bell && !late)
        return false;
    if (c->asleep) {
        ring_disarm(&c->client_in);
        ring_disarm(&c->client_out);
    }
    c->asleep = c->bell = false;
    return true;
}

/* There is what it sleeps for. */
static bool sleeps_in_vain(struct client *c)
{
    return c->asleep && c->want_out &&
           ring_available(&c->client_out, c->want_out) >= c->want_out;
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

static void call(unsigned end, struct client *c)
{
    if (c->gone)
        new_rings(c);
    c->calling = ends[end].bell = true;
}

static void client(unsigned end, unsigned client)
{
    struct client *c = &ends[end].clients[client];
    if (c->answered) { /* as stream_reopen() does */
        assert_int_equal(ring_resume(&c->client_in), OK);
        assert_int_equal(ring_resume(&c->client_out), OK);
        c->answered = c->calling = false;
    }
    if (c->calling || c->leaving || !is_awake(c))
        return;
    if (!c->connected && one_in(3)) /* or it has not heard of it yet */
        return call(end, c);
    if (c->gone)
        return;
    unsigned out = write_some(end, client);
    out = out && out < CAPACITY / 2 && one_in(2) ? out : out ? CAPACITY / 2 : 0;
    if (client == 0)
        read_some(end);
    else if (c->connected && one_in(40))
        c->leaving = ends[end].bell = true;
    if (c->connected && !c->leaving && one_in(2))
        sleep_for(c,
                  client                  ? 0
                  : stopping || one_in(2) ? 1
                                          : 1 + draw() % 32,
                  out);
}

#endif
