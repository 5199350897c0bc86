/*
 * Clients of the UART: streams on one side, the device's FIFOs on the other.
 * No buffer between them: a byte goes from the receive register straight into
 * the client's ring, and from the client's ring into the transmit register.
 */
#include "clients.h"

#include <stdbool.h>
#include <stdio.h>
#include <uinta/ipc.h>
#include <uinta/process.h>
#include <uinta/stream.h>
#include "gen/stream_server.h"
#include "gen/syscalls.h"
#include "gen/uart_server.h"

/* A client keeps the transmitter for this many bytes if another one waits. */
enum { TURN = 256 };

struct client {
    bool used;
    bool input;    /* asked for what comes in */
    uint64_t born; /* the newest gets the input */
    struct stream stream;
};

static struct client clients[CLIENTS_MAX];
static unsigned clients_top; /* no client was ever at this index or above */
static unsigned clients_used;
static bool polling; /* nobody needs to ring */
static struct uart *device;
static void (*kick_device)(struct uart *);
static handle_t endpoint, events_notification;
static uint64_t births;
static unsigned turn; /* who sends */

static struct client *input_owner(void)
{
    struct client *owner = NULL;
    for (struct client *c = clients; c < clients + clients_top; c++)
        if (c->used && c->input && stream_state(&c->stream) == 0 &&
            (!owner || c->born > owner->born))
            owner = c;
    return owner;
}

/* A broken ring is no way to tell its owner: the log says who was thrown out. */
static void complain(unsigned client)
{
    char line[64];
    int n =
        snprintf(line, sizeof(line), "uart: client %u broke its ring", client);
    sys_system_log_write(startup_handle("log"), (uint64_t)line, n);
}

static void drop(struct client *c)
{
    if (stream_state(&c->stream) == E_PROTOCOL)
        complain(c - clients);
    uart_forget(device, &c->stream.in);
    uart_forget(device, &c->stream.out);
    stream_close(&c->stream);
    c->used = false;
    clients_used--;
}

/* What the device asks for. */

/*
 * Where to put what comes in. If the owner is behind it shall ring when half of
 * its ring is free; it may just have read, and will not ring then: look again.
 */
static struct ring *need_space(struct uart *u)
{
    (void)u;
    struct client *c = input_owner();
    if (!c)
        return NULL;
    struct ring *r = &c->stream.out;
    if (ring_available(r, 1) > 0 ||
        (!polling && stream_arm(&c->stream, 0, r->capacity / 2) &&
         ring_available(r, 1) > 0))
        return r;
    return NULL;
}

static void wake(struct uart *u, struct ring *ring)
{
    for (struct client *c = clients; c < clients + clients_top; c++) {
        if (ring != &c->stream.in && ring != &c->stream.out)
            continue;
        uint64_t rung = c->stream.rung;
        stream_kick(&c->stream);
        u->count[UART_DOORBELLS] += c->stream.rung - rung;
    }
}

/* Bytes of one client beyond `ahead`? One that is through is let go. */
static bool has_bytes(struct client *c, uint32_t ahead)
{
    if (!c->used)
        return false;
    int64_t there = ring_available(&c->stream.in, ahead + 1);
    if (there > (int64_t)ahead)
        return true;
    /* hung up or died, and everything it wrote is out */
    if (!stream_leaving(&c->stream) && (there < 0 || c->stream.dead))
        drop(c);
    return false;
}

/* `ahead` bytes of `out` have been sent, and are still in it. */
static bool can_send(struct client *c, const struct ring *out, uint32_t ahead)
{
    return has_bytes(c, out == &c->stream.in ? ahead : 0);
}

/* The next one in turn; while the turn lasts, first the one who has it. */
static struct ring *next_in_turn(const struct ring *out, uint32_t ahead,
                                 bool lasts)
{
    if (lasts && can_send(&clients[turn], out, ahead))
        return &clients[turn].stream.in;
    for (unsigned tried = 0; tried < clients_top; tried++) {
        turn = turn + 1 < clients_top ? turn + 1 : 0;
        if (can_send(&clients[turn], out, ahead))
            return &clients[turn].stream.in;
    }
    return NULL;
}

/*
 * Nothing to send: ask every client to ring when it has something. One may
 * have written in between, whose bell will not ring then: true, look again.
 */
static bool arm_all(const struct ring *out, uint32_t ahead)
{
    bool again = false;
    for (struct client *c = clients; c < clients + clients_top; c++) {
        uint32_t n = out == &c->stream.in ? ahead : 0;
        if (c->used && stream_arm(&c->stream, n + 1, 0))
            again |= !n || has_bytes(c, n);
    }
    return again;
}

struct ring *clients_next_sender(const struct ring *out, uint32_t ahead,
                                 bool lasts)
{
    struct ring *r;
    do
        r = next_in_turn(out, ahead, lasts);
    while (!r && !polling && arm_all(out, ahead));
    return r;
}

static struct ring *need_bytes(struct uart *u)
{
    struct ring *r = clients_next_sender(u->out, u->ahead, u->turn != 0);
    if (!u->turn || r != u->out)
        u->turn = clients_used > 1 ? TURN : UINT32_MAX;
    return r;
}

bool clients_wrote(void)
{
    for (struct client *c = clients; c < clients + clients_top; c++) {
        struct ring *r = &c->stream.in;
        if (c->used && __atomic_load_n(&r->shared->index[RING_PRODUCER].value,
                                       __ATOMIC_RELAXED) != r->peer)
            return true;
    }
    return false;
}

const struct uart_owner clients_owner = {
    .need_space = need_space,
    .need_bytes = need_bytes,
    .wake = wake,
};

/* New clients. */

static struct client *free_client(void)
{
    for (struct client *c = clients; c < clients + CLIENTS_MAX; c++)
        if (!c->used && stream_bits_free(&c->stream))
            return c;
    return NULL;
}

/* Room of those who have left by now, whether or not their bits were seen. */
static void let_go(void)
{
    int64_t events = sys_notification_poll(events_notification, EVENTS_LIFE);
    for (struct client *c = clients; events >= 0 && c < clients + clients_top;
         c++) {
        stream_event(&c->stream, events);
        if (device->out != &c->stream.in || !device->ahead)
            has_bytes(c, 0);
    }
    device->in = NULL; /* it may have been the owner of the input */
}

static int64_t connect(void *context, struct message *call, uint64_t flags,
                       handle_t memory, handle_t bell, handle_t life,
                       uint64_t *answer, handle_t *peer_bell,
                       handle_t *peer_life, handle_t *session)
{
    (void)context;
    struct client *c = free_client();
    if (!c) {
        let_go();
        c = free_client();
    }
    struct stream_offer offer = {memory, bell, life}, reply;
    if (!c) {
        sys_handle_close(memory);
        sys_handle_close(bell);
        sys_handle_close(life);
        return E_LIMIT;
    }
    unsigned i = c - clients;
    int64_t error = stream_accept(&c->stream, &offer, events_notification,
                                  EVENT_BELL(i), EVENT_LIFE(i), &reply);
    if (error < 0)
        return error;
    if (clients_top <= i)
        clients_top = i + 1;
    c->used = true;
    clients_used++;
    device->turn = 0; /* takes turns from now on */
    c->input = flags & UART_INPUT;
    c->born = ++births;
    if (c->input)
        device->in = NULL; /* the newest gets what comes in */
    *answer = 0;
    *peer_bell = reply.bell;
    *peer_life = reply.life;
    *session = 0;
    call->give = 3; /* the doorbells are the client's alone from here */
    return OK;
}

static int64_t counters(void *context, struct message *call, uint64_t first,
                        uint64_t value[6])
{
    (void)context, (void)call;
    if (first >= UART_COUNTER_COUNT)
        return E_NOENT;
    for (uint64_t i = 0; i < 6 && first + i < UART_COUNTER_COUNT; i++)
        value[i] = device->count[first + i];
    return UART_COUNTER_COUNT;
}

static int64_t error(void *context, struct message *call, uint64_t index,
                     uint64_t *position, uint64_t *what)
{
    (void)context, (void)call;
    struct uart_error e = {0};
    int64_t result = uart_error(device, index, &e);
    *position = e.position, *what = e.what;
    return result;
}

static int64_t reset(void *context, struct message *call)
{
    (void)context, (void)call;
    uart_reset_counters(device);
    return OK;
}

static void serve(void)
{
    static const struct stream_server streams = {.connect = connect};
    static const struct uart_server uarts = {
        .counters = counters, .error = error, .reset = reset};
    struct message message;
    while (ipc_poll(endpoint, &message) >= 0) {
        if (!stream_dispatch(&streams, NULL, &message) &&
            !uart_dispatch(&uarts, NULL, &message)) {
            message_close(&message, 0);
            message.word[0] = (uint64_t)E_NOSYS;
        }
        ipc_reply(&message);
    }
}

void clients_kick(struct uart *uart)
{
    uart_kick_send(uart);
    uart_kick_receive(uart);
}

int64_t clients_init(struct uart *uart, handle_t service, handle_t notification,
                     void (*kick)(struct uart *))
{
    kick_device = kick;
    device = uart;
    polling = uart->config.mode == UART_POLLING;
    endpoint = service;
    events_notification = notification;
    uart->owner = &clients_owner;
    int64_t bell = sys_doorbell_create(notification, EVENT_SERVICE);
    return bell < 0 ? bell : sys_endpoint_bind(service, bell);
}

void clients_event(uint64_t events)
{
    device->count[UART_WAKEUPS]++;
    for (unsigned i = 0; i < clients_top; i++)
        stream_event(&clients[i].stream, events);
    if (events & EVENTS_LIFE)
        device->in = NULL; /* it may have been the owner of the input */
    if (events & EVENT_SERVICE)
        serve();
    kick_device(device);
}
