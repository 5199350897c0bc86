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

/* A client keeps the transmitter for this many bytes before the next's turn. */
enum { TURN = 256 };

struct client {
    bool used;
    bool input;    /* asked for what comes in */
    uint64_t born; /* the newest gets the input */
    struct stream stream;
};

static struct client clients[CLIENTS_MAX];
static unsigned clients_top; /* no client was ever at this index or above */
static struct ns16550 *device;
static handle_t endpoint, events_notification;
static uint64_t births;
static unsigned turn, turn_sent; /* who sends, and how much of the turn */

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
    stream_close(&c->stream);
    c->used = false;
}

/* The functions that the device core calls. */

static size_t space(void *context)
{
    (void)context;
    struct client *owner = input_owner();
    int64_t room = owner ? ring_available(&owner->stream.out, 1) : 0;
    return room > 0 ? room : 0;
}

/*
 * In the middle of a burst the reader is woken only when half its ring is
 * full: once for 2 KiB of what is pasted, and not for every 13 bytes.
 */
static void received(void *context, const uint8_t *bytes, size_t count,
                     bool more)
{
    (void)context;
    struct stream *s = &input_owner()->stream;
    ring_write(&s->out, bytes, count); /* space() has just looked: it fits */
    if (!more || ring_available(&s->out, 1) < (int64_t)s->out.capacity / 2)
        stream_kick(s);
}

/* Bytes of one client; 0 = none now. One that is through is let go. */
static size_t take(struct client *c, uint8_t *bytes, size_t max)
{
    int64_t count = stream_try_read(&c->stream, bytes, max);
    if (count > 0)
        return count;
    if (count != E_AGAIN)
        drop(c); /* hung up or died, and everything it wrote is out */
    return 0;
}

static size_t take_any(uint8_t *bytes, size_t max)
{
    for (unsigned tried = 0; tried <= clients_top; tried++) {
        struct client *c = &clients[turn];
        size_t count = c->used && turn_sent < TURN ? take(c, bytes, max) : 0;
        if (count > 0) {
            turn_sent += count;
            return count;
        }
        turn = turn + 1 < clients_top ? turn + 1 : 0;
        turn_sent = 0;
    }
    return 0;
}

/*
 * Nothing to send: ask every client to ring when it has something. One may
 * have written in between, whose bell will not ring then: true, look again.
 */
static bool arm_all(void)
{
    bool again = false;
    for (struct client *c = clients; c < clients + clients_top; c++)
        if (c->used && stream_arm(&c->stream, 1, 0))
            again = true;
    return again;
}

static size_t to_send(void *context, uint8_t *bytes, size_t max)
{
    (void)context;
    size_t count;
    do
        count = take_any(bytes, max);
    while (count == 0 && arm_all());
    return count;
}

static const struct ns16550_owner owner_functions = {
    .space = space,
    .received = received,
    .to_send = to_send,
};

/* New clients. */

static int64_t connect(void *context, struct message *call, uint64_t flags,
                       handle_t memory, handle_t bell, handle_t life,
                       uint64_t *answer, handle_t *peer_bell,
                       handle_t *peer_life, handle_t *session)
{
    (void)context;
    unsigned i = 0;
    while (i < CLIENTS_MAX &&
           (clients[i].used || !stream_bits_free(&clients[i].stream)))
        i++;
    struct stream_offer offer = {memory, bell, life}, reply;
    if (i == CLIENTS_MAX) {
        sys_handle_close(memory);
        sys_handle_close(bell);
        sys_handle_close(life);
        return E_LIMIT;
    }
    int64_t error =
        stream_accept(&clients[i].stream, &offer, events_notification,
                      EVENT_BELL(i), EVENT_LIFE(i), &reply);
    if (error < 0)
        return error;
    if (clients_top <= i)
        clients_top = i + 1;
    clients[i].used = true;
    clients[i].input = flags & UART_INPUT;
    clients[i].born = ++births;
    *answer = 0;
    *peer_bell = reply.bell;
    *peer_life = reply.life;
    *session = 0;
    call->give = 3; /* the doorbells are the client's alone from here */
    return OK;
}

static void serve(void)
{
    static const struct stream_server functions = {.connect = connect};
    struct message message;
    while (ipc_poll(endpoint, &message) >= 0) {
        if (!stream_dispatch(&functions, NULL, &message)) {
            message_close(&message, 0);
            message.word[0] = (uint64_t)E_NOSYS;
        }
        ipc_reply(&message);
    }
}

int64_t clients_init(struct ns16550 *uart, handle_t service,
                     handle_t notification)
{
    device = uart;
    endpoint = service;
    events_notification = notification;
    uart->owner = &owner_functions;
    int64_t bell = sys_doorbell_create(notification, EVENT_SERVICE);
    return bell < 0 ? bell : sys_endpoint_bind(service, bell);
}

void clients_event(uint64_t events)
{
    for (unsigned i = 0; i < clients_top; i++)
        stream_event(&clients[i].stream, events);
    if (events & EVENT_SERVICE)
        serve();
    ns16550_kick_send(device);
    ns16550_kick_receive(device);
    clients_after_interrupt();
}

void clients_after_interrupt(void)
{
    /* Reception is held back: the owner has to say when it has read. */
    struct client *owner = input_owner();
    if (ns16550_held(device) && owner && stream_arm(&owner->stream, 0, 1))
        ns16550_kick_receive(device);
}
