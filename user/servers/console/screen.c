/*
 * The console's data path.
 *
 *   uart.in -> ldisc_input -> ldisc_read -> a waiting reader of the
 *                  |                        foreground job
 *                  +-> ldisc_echo ----+
 *   clients' output -> ldisc_output --+-> uart.out
 *
 * Input is given on demand: a reader that sleeps says so (its wake word is
 * set and it rings), and gets one line, or in raw mode what is there. What
 * nobody asked for stays in the line discipline for the next foreground job,
 * so type-ahead survives the program it was not meant for.
 */
#include "screen.h"

#include <stdio.h>
#include <string.h>
#include <uinta/clock.h>
#include <uinta/process.h>
#include "gen/syscalls.h"
#include "jobs.h"
#include "ldisc.h"

/*
 * CHUNK: bytes moved at a time, so that one client's flood does not delay the
 * others' output or the echo. ROOM: sleep until the UART has space for that.
 * ROUNDS: then look whether somebody connects or has died.
 */
enum { CHUNK = 512, ROOM = 64, ROUNDS = 64, RETRY_NS = 100 * 1000 * 1000 };

struct client {
    bool used;
    bool ended_input; /* was told "end of file" */
    bool blocked;     /* has output that did not fit */
    uint64_t job;
    struct stream stream;
};

static struct client clients[CLIENTS_MAX];
static unsigned clients_top; /* no client was ever at this index or above */
static struct ldisc ldisc;
static struct stream uart;
static bool keys_blocked; /* there are keys that cannot be taken now */
static handle_t uart_endpoint, screen_notification;

/* Flags of the UART server's connect: give me what comes in. */
enum { UART_INPUT = 1 };

int64_t screen_init(handle_t endpoint, handle_t notification)
{
    uart_endpoint = endpoint;
    screen_notification = notification;
    ldisc_init(&ldisc);
    return stream_open(&uart, endpoint, notification, EVENT_UART_BELL,
                       EVENT_UART_LIFE, STREAM_SIZE_DEFAULT, UART_INPUT);
}

/* A broken ring is no way to tell its owner: the log says who was thrown out. */
static void complain(const struct client *c)
{
    char line[64];
    int n = snprintf(line, sizeof(line), "console: client %d broke its ring",
                     (int)(c - clients));
    sys_system_log_write(startup_handle("log"), (uint64_t)line, n);
}

/* The last stream of a job gone: nobody is left to end the jobs it made. */
static void drop(struct client *gone)
{
    if (stream_state(&gone->stream) == E_PROTOCOL)
        complain(gone);
    stream_close(&gone->stream);
    gone->used = false;
    for (struct client *c = clients; c < clients + clients_top; c++)
        if (c->used && c->job == gone->job)
            return;
    job_end_children(gone->job);
}

void screen_mode(uint32_t mode)
{
    if (mode != ldisc.mode)
        ldisc_set_mode(&ldisc, mode);
}

void screen_event(uint64_t events)
{
    stream_event(&uart, events);
    /*
     * The UART's driver died: what it had not taken is still in the ring and
     * goes to its next life. init holds the endpoint, so this call waits for
     * the restart; an error means that init has given it up for now.
     */
    while (stream_state(&uart) < 0 && stream_reopen(&uart, uart_endpoint) < 0)
        clock_sleep_ns(RETRY_NS);
    for (struct client *c = clients; c < clients + clients_top; c++)
        stream_event(&c->stream, events);
}

/* Each of these moves what it can once and says whether it moved anything. */

static bool move_keys(void)
{
    unsigned char *keys;
    int64_t count = ring_span(&uart.in, &keys);
    keys_blocked = false;
    if (count <= 0)
        return false;
    unsigned interrupts = 0;
    size_t used = ldisc_input(&ldisc, keys, count, &interrupts);
    if (used > 0)
        ring_publish(&uart.in, used);
    handle_t bell = interrupts ? job_interrupt() : 0;
    if (bell)
        sys_doorbell_ring(bell);
    keys_blocked = used == 0; /* the reader or the screen is behind */
    return used > 0;
}

/*
 * Bytes that stream_try_write() will take now, CHUNK at most. None while the
 * driver is dead, which a doorbell may have said long before the life event
 * comes: what is taken off a client's ring then would be lost.
 */
static size_t uart_room(void)
{
    if (stream_state(&uart) != 0)
        return 0;
    int64_t room = ring_available(&uart.out, CHUNK);
    return room < 0 ? 0 : room > CHUNK ? CHUNK : room;
}

static bool move_echo(void)
{
    unsigned char bytes[CHUNK];
    size_t room = uart_room();
    size_t count = room ? ldisc_echo(&ldisc, bytes, room) : 0;
    if (count > 0)
        stream_try_write(&uart, bytes, count);
    return count > 0;
}

static bool move_output(struct client *c)
{
    unsigned char *text, bytes[CHUNK];
    size_t room = uart_room(), used;
    int64_t count = ring_span(&c->stream.in, &text);
    if (stream_leaving(&c->stream))
        return false;
    if (count < 0 || (count == 0 && stream_state(&c->stream) != 0)) {
        drop(c); /* it hung up or died, and all it wrote is out */
        return true;
    }
    c->blocked = false;
    if (count == 0)
        return false;
    size_t made = ldisc_output(&ldisc, text, count, &used, bytes, room);
    c->blocked = used == 0; /* the UART is behind */
    if (used == 0)
        return false;
    stream_try_write(&uart, bytes, made);
    ring_publish(&c->stream.in, used);
    return true;
}

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
    int64_t events = sys_notification_poll(screen_notification, EVENTS_LIFE);
    for (struct client *c = clients; events >= 0 && c < clients + clients_top;
         c++) {
        stream_event(&c->stream, events);
        if (c->used)
            move_output(c);
    }
}

int64_t screen_accept(uint64_t job, const struct stream_offer *offer,
                      struct stream_offer *reply)
{
    struct client *c = free_client();
    if (!c) {
        let_go();
        c = free_client();
    }
    if (!c) {
        sys_handle_close(offer->memory);
        sys_handle_close(offer->bell);
        sys_handle_close(offer->life);
        return E_LIMIT;
    }
    unsigned i = c - clients;
    int64_t error = stream_accept(&c->stream, offer, screen_notification,
                                  EVENT_BELL(i), EVENT_LIFE(i), reply);
    if (error < 0)
        return error;
    if (clients_top <= i)
        clients_top = i + 1;
    c->used = true;
    c->ended_input = c->blocked = false;
    c->job = job;
    return OK;
}

/* Gives a sleeping reader of the foreground job what it waits for. */
static bool move_input(struct client *c)
{
    unsigned char bytes[CHUNK];
    if (c->job != job_foreground() || c->ended_input ||
        !ring_peer_waits(&c->stream.out) || !ldisc_readable(&ldisc) ||
        stream_state(&c->stream) != 0) /* the next reader gets the line */
        return false;
    int64_t room = ring_available(&c->stream.out, CHUNK);
    if (room <= 0)
        return false;
    int64_t count = ldisc_read(&ldisc, bytes, room < CHUNK ? room : CHUNK);
    if (count > 0) {
        stream_try_write(&c->stream, bytes, count);
    } else if (count == 0) {
        c->ended_input = true;
        if (ring_close(&c->stream.out))
            sys_doorbell_ring(c->stream.bell);
    }
    stream_kick(&c->stream); /* clears its wake word: one line a demand */
    return count >= 0;
}

static bool move_once(void)
{
    static unsigned first; /* whose output is first this time */
    bool moved = move_keys();
    moved |= move_echo();
    first++;
    for (unsigned i = 0; i < clients_top; i++) {
        struct client *c = &clients[(first + i) % clients_top];
        if (c->used)
            moved |= move_output(c);
        if (c->used)
            moved |= move_input(c);
    }
    return moved;
}

/*
 * Asks to be woken for what is worth waking for: keys and output if they can
 * be taken, space at the UART if something waits for it. What is blocked was
 * found out while moving: to look again here would take something that has
 * just come for something that does not fit, and sleep on it.
 */
static bool arm(bool draining)
{
    bool blocked = ldisc.echo_tail != ldisc.echo_head, again = false;
    for (struct client *c = clients; c < clients + clients_top; c++)
        if (c->used && c->blocked)
            blocked = true;
        else if (c->used && stream_arm(&c->stream, 1, 0))
            again = true;
    uint64_t room = blocked ? ROOM : draining ? uart.out.capacity : 0;
    if (draining && !blocked &&
        ring_available(&uart.out, room) == (int64_t)room)
        room = 0; /* drained: nothing to wait for */
    if (stream_arm(&uart, keys_blocked ? 0 : 1, room))
        again = true;
    return again;
}

bool screen_move(bool draining)
{
    bool moved = true;
    for (int rounds = 0; moved && rounds < ROUNDS; rounds++)
        moved = move_once();
    stream_kick(&uart);
    for (struct client *c = clients; c < clients + clients_top; c++)
        if (c->used)
            stream_kick(&c->stream);
    return moved || arm(draining);
}

bool screen_drained(uint64_t job)
{
    for (struct client *c = clients; c < clients + clients_top; c++)
        if (c->used && c->job == job && ring_available(&c->stream.in, 1) > 0)
            return false;
    uint64_t all = uart.out.capacity;
    return ldisc.echo_tail == ldisc.echo_head &&
           ring_available(&uart.out, all) == (int64_t)all;
}
