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

#include <string.h>
#include <uinta/clock.h>
#include <uinta/log.h>
#include <uinta/stream_table.h>
#include "gen/syscalls.h"
#include "jobs.h"
#include "ldisc.h"

/*
 * CHUNK: bytes moved at a time, so that one client's flood does not delay the
 * others' output or the echo. ROOM: sleep until the UART has space for that.
 * ROUNDS: then look whether somebody connects or has died.
 */
enum { CHUNK = 512, ROOM = 64, ROUNDS = 64, RETRY_NS = 100 * 1000 * 1000 };

static struct stream streams[CLIENTS_MAX];
static struct client {
    bool ended_input; /* was told "end of file" */
    bool blocked;     /* has output that did not fit */
    uint64_t job;
} clients[CLIENTS_MAX];
static void left(unsigned client);
static struct stream_table table = {
    .stream = streams, .places = CLIENTS_MAX, .left = left};
static struct ldisc ldisc;
static struct stream uart;
static bool keys_blocked; /* there are keys that cannot be taken now */
static handle_t uart_endpoint;

/* Flags of the UART server's connect: give me what comes in. */
enum { UART_INPUT = 1 };

int64_t screen_init(handle_t endpoint, handle_t notification)
{
    uart_endpoint = endpoint;
    table.notification = notification;
    ldisc_init(&ldisc);
    return stream_open(&uart, endpoint, notification, EVENT_UART_BELL,
                       EVENT_UART_LIFE, STREAM_SIZE_DEFAULT, UART_INPUT);
}

/* The last stream of a job gone: nobody is left to end the jobs it made. */
static void drop(unsigned client)
{
    /* A broken ring is no way to tell its owner. */
    if (stream_state(&streams[client]) == E_PROTOCOL)
        log_line("console: client %u broke its ring", client);
    stream_close(&streams[client]);
    for (unsigned i = 0; i < table.top; i++)
        if (stream_in_use(&streams[i]) && clients[i].job == clients[client].job)
            return;
    job_end_children(clients[client].job);
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
    stream_table_event(&table, events);
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

static bool move_output(unsigned client)
{
    struct stream *s = &streams[client];
    struct client *c = &clients[client];
    unsigned char *text, bytes[CHUNK];
    size_t room = uart_room(), used;
    if (stream_over(s)) {
        drop(client);
        return true;
    }
    int64_t count = ring_span(&s->in, &text);
    c->blocked = false;
    if (count <= 0)
        return false;
    size_t made = ldisc_output(&ldisc, text, count, &used, bytes, room);
    c->blocked = used == 0; /* the UART is behind */
    if (used == 0)
        return false;
    stream_try_write(&uart, bytes, made);
    ring_publish(&s->in, used);
    return true;
}

static void left(unsigned client)
{
    move_output(client);
}

int64_t screen_accept(uint64_t job, const struct stream_offer *offer,
                      struct stream_offer *reply)
{
    int64_t i = stream_table_accept(&table, offer, reply);
    if (i < 0)
        return i;
    clients[i] = (struct client){.job = job};
    return OK;
}

/* Gives a sleeping reader of the foreground job what it waits for. */
static bool move_input(unsigned client)
{
    struct stream *s = &streams[client];
    struct client *c = &clients[client];
    unsigned char bytes[CHUNK];
    if (c->job != job_foreground() || c->ended_input ||
        !ring_peer_waits(&s->out) || !ldisc_readable(&ldisc) ||
        stream_state(s) != 0) /* the next reader gets the line */
        return false;
    int64_t room = ring_available(&s->out, CHUNK);
    if (room <= 0)
        return false;
    int64_t count = ldisc_read(&ldisc, bytes, room < CHUNK ? room : CHUNK);
    if (count > 0) {
        stream_try_write(s, bytes, count);
    } else if (count == 0) {
        c->ended_input = true;
        if (ring_close(&s->out))
            sys_doorbell_ring(s->bell);
    }
    stream_kick(s); /* clears its wake word: one line a demand */
    return count >= 0;
}

static bool move_once(void)
{
    static unsigned first; /* whose output is first this time */
    bool moved = move_keys();
    moved |= move_echo();
    first++;
    for (unsigned i = 0; i < table.top; i++) {
        unsigned client = (first + i) % table.top;
        if (stream_in_use(&streams[client]))
            moved |= move_output(client);
        if (stream_in_use(&streams[client]))
            moved |= move_input(client);
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
    for (unsigned i = 0; i < table.top; i++)
        if (stream_in_use(&streams[i]) && clients[i].blocked)
            blocked = true;
        else if (stream_in_use(&streams[i]) && stream_arm(&streams[i], 1, 0))
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
    for (struct stream *s = streams; s < streams + table.top; s++)
        if (stream_in_use(s))
            stream_kick(s);
    return moved || arm(draining);
}

bool screen_drained(uint64_t job)
{
    for (unsigned i = 0; i < table.top; i++)
        if (stream_in_use(&streams[i]) && clients[i].job == job &&
            ring_available(&streams[i].in, 1) > 0)
            return false;
    uint64_t all = uart.out.capacity;
    return ldisc.echo_tail == ldisc.echo_head &&
           ring_available(&uart.out, all) == (int64_t)all;
}
