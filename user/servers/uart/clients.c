/*
 * Clients of the UART: streams on one side, the device's FIFOs on the other.
 * No buffer between them: a byte goes from the receive register straight into
 * the client's ring, and from the client's ring into the transmit register.
 */
#include "clients.h"

#include <stdbool.h>
#include <uinta/ipc.h>
#include <uinta/log.h>
#include <uinta/stream_table.h>
#include "gen/stream_server.h"
#include "gen/syscalls.h"
#include "gen/uart_server.h"

/* A client keeps the transmitter for this many bytes if another one waits. */
enum { TURN = 256 };

static struct stream streams[CLIENTS_MAX];
/* Which was the n-th to ask for what comes in, 0 = did not; the last gets it. */
static uint64_t asked[CLIENTS_MAX], asked_last;
static void left(unsigned client);
static struct stream_table table = {
    .stream = streams, .places = CLIENTS_MAX, .left = left};
static unsigned clients_used;
static bool polling; /* nobody needs to ring */
static struct uart *device;
static void (*kick_device)(struct uart *);
static handle_t endpoint;
static unsigned turn; /* who sends */

static struct stream *input_owner(void)
{
    struct stream *owner = NULL;
    uint64_t last = 0;
    for (unsigned i = 0; i < table.top; i++)
        if (asked[i] > last && stream_in_use(&streams[i]) &&
            stream_state(&streams[i]) == 0) {
            last = asked[i];
            owner = &streams[i];
        }
    return owner;
}

static void drop(struct stream *s)
{
    /* A broken ring is no way to tell its owner. */
    if (stream_state(s) == E_PROTOCOL)
        log_line("uart: client %d broke its ring", (int)(s - streams));
    uart_forget(device, &s->in);
    uart_forget(device, &s->out);
    stream_close(s);
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
    struct stream *s = input_owner();
    if (!s)
        return NULL;
    struct ring *r = &s->out;
    if (ring_available(r, 1) > 0 ||
        (!polling && stream_arm(s, 0, r->capacity / 2) &&
         ring_available(r, 1) > 0))
        return r;
    return NULL;
}

static void wake(struct uart *u, struct ring *ring)
{
    for (struct stream *s = streams; s < streams + table.top; s++) {
        if (ring != &s->in && ring != &s->out)
            continue;
        uint64_t rung = s->rung;
        stream_kick(s);
        u->count[UART_DOORBELLS] += s->rung - rung;
    }
}

/* Bytes of one client beyond `ahead`? One that is through is let go. */
static bool has_bytes(struct stream *s, uint32_t ahead)
{
    if (!stream_in_use(s))
        return false;
    int64_t there = ring_available(&s->in, ahead + 1);
    if (there > (int64_t)ahead)
        return true;
    /* hung up or died, and everything it wrote is out */
    if (!stream_leaving(s) && (there < 0 || s->dead))
        drop(s);
    return false;
}

/* `ahead` bytes of `out` have been sent, and are still in it. */
static bool can_send(struct stream *s, const struct ring *out, uint32_t ahead)
{
    return has_bytes(s, out == &s->in ? ahead : 0);
}

/* The next one in turn; while the turn lasts, first the one who has it. */
static struct ring *next_in_turn(const struct ring *out, uint32_t ahead,
                                 bool lasts)
{
    if (lasts && can_send(&streams[turn], out, ahead))
        return &streams[turn].in;
    for (unsigned tried = 0; tried < table.top; tried++) {
        turn = turn + 1 < table.top ? turn + 1 : 0;
        if (can_send(&streams[turn], out, ahead))
            return &streams[turn].in;
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
    for (struct stream *s = streams; s < streams + table.top; s++) {
        uint32_t n = out == &s->in ? ahead : 0;
        if (stream_in_use(s) && stream_arm(s, n + 1, 0))
            again |= !n || has_bytes(s, n);
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
    for (struct stream *s = streams; s < streams + table.top; s++) {
        struct ring *r = &s->in;
        if (stream_in_use(s) &&
            __atomic_load_n(&r->shared->index[RING_PRODUCER].value,
                            __ATOMIC_RELAXED) != r->peer)
            return true;
    }
    return false;
}

bool clients_awake(void)
{
    for (struct stream *s = streams; s < streams + table.top; s++)
        if (stream_in_use(s) && !ring_peer_waits(&s->in) &&
            !ring_peer_waits(&s->out))
            return true;
    return false;
}

const struct uart_owner clients_owner = {
    .need_space = need_space,
    .need_bytes = need_bytes,
    .wake = wake,
};

static void left(unsigned client)
{
    device->in = NULL; /* it may have been the owner of the input */
    can_send(&streams[client], device->out, device->ahead);
}

static int64_t connect(void *context, struct message *call, uint64_t flags,
                       handle_t memory, handle_t bell, handle_t life,
                       uint64_t *answer, handle_t *peer_bell,
                       handle_t *peer_life, handle_t *session)
{
    (void)context;
    struct stream_offer offer = {memory, bell, life}, reply;
    int64_t i = stream_table_accept(&table, &offer, &reply);
    if (i < 0)
        return i;
    clients_used++;
    device->turn = 0; /* takes turns from now on */
    asked[i] = flags & UART_INPUT ? ++asked_last : 0;
    if (asked[i])
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
    static const struct stream_server stream = {.connect = connect};
    static const struct uart_server uarts = {
        .counters = counters, .error = error, .reset = reset};
    struct message message;
    while (ipc_poll(endpoint, &message) >= 0) {
        if (!stream_dispatch(&stream, NULL, &message) &&
            !uart_dispatch(&uarts, NULL, &message))
            message_refuse(&message, E_NOSYS);
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
    table.notification = notification;
    uart->owner = &clients_owner;
    int64_t bell = sys_doorbell_create(notification, EVENT_SERVICE);
    return bell < 0 ? bell : sys_endpoint_bind(service, bell);
}

void clients_event(uint64_t events)
{
    device->count[UART_WAKEUPS]++;
    if (stream_table_event(&table, events))
        device->in = NULL; /* it may have been the owner of the input */
    if (events & EVENT_SERVICE)
        serve();
    kick_device(device);
}
