/*
 * Streams: how two processes come to share rings, and how they sleep on them.
 * The contract is uinta/stream.h. All that comes from the other process is
 * checked here (handles, size) or in ring.c (indices).
 */
#include "uinta/stream.h"
#include "uinta/trace.h"
#include "uinta/map.h"
#include "gen/stream_client.h"

/* Bytes of data each way in `size` bytes of memory; 0 = too small. */
static uint64_t capacity_of(uint64_t size)
{
    if (size < STREAM_SIZE_MIN || size > STREAM_SIZE_MAX)
        return 0;
    uint64_t capacity = 1;
    while (STREAM_HEADER + 4 * capacity <= size)
        capacity *= 2;
    return capacity;
}

static void close_handle(handle_t *h)
{
    if (*h)
        sys_handle_close(*h);
    *h = 0;
}

typedef int ring_start(struct ring *, enum ring_role, struct ring_shared *,
                       void *, uint64_t);

/* Both rings in the mapped memory, by ring_init or by ring_attach. */
static int start_rings(struct stream *s, enum stream_side side,
                       ring_start *start)
{
    uint64_t capacity = capacity_of(s->size);
    struct ring_shared *shared = s->map;
    unsigned char *data = (unsigned char *)s->map + STREAM_HEADER;
    /* Ring 0 goes to the server, ring 1 to the client. */
    int out = side == STREAM_CLIENT ? 0 : 1, in = !out;
    int result = start(&s->out, RING_PRODUCER, &shared[out],
                       data + out * capacity, capacity);
    if (result == OK)
        result = start(&s->in, RING_CONSUMER, &shared[in], data + in * capacity,
                       capacity);
    return result;
}

static int64_t map_stream(struct stream *s)
{
    s->map = map_memory(s->memory, s->size, PROT_R | PROT_W);
    return s->map ? OK : E_NOMEM;
}

static void unmap_stream(struct stream *s)
{
    if (s->map)
        unmap_memory(s->map, s->size);
    s->map = NULL;
    close_handle(&s->memory);
}

/* Does `h` name an object of that type, with these rights? */
static int64_t check_handle(handle_t h, uint32_t type, uint32_t rights)
{
    int64_t found = sys_handle_type(h);
    if (found < 0)
        return found;
    if (found >> 32 != type)
        return E_TYPE;
    return (found & rights) == rights ? OK : E_RIGHTS;
}

/* Two doorbells of s->notification, for the peer. */
static int64_t make_doorbells(const struct stream *s, handle_t *bell,
                              handle_t *life)
{
    int64_t result = sys_doorbell_create(s->notification, s->bell_bits);
    if (result < 0)
        return result;
    *bell = result;
    result = sys_doorbell_create(s->notification, s->life_bits);
    if (result < 0) {
        close_handle(bell);
        return result;
    }
    *life = result;
    return OK;
}

/*
 * Offer s->memory to the server. Our own copies of the doorbells must go, or
 * their last handle would not be the server's. On error nothing is left.
 */
static int64_t connect(struct stream *s, handle_t endpoint)
{
    handle_t bell = 0, life = 0;
    int64_t result = make_doorbells(s, &bell, &life);
    if (result < 0)
        return result;
    result = stream_connect(endpoint, s->flags, s->memory, bell, life,
                            &s->answer, &s->bell, &s->life, &s->session);
    close_handle(&bell);
    close_handle(&life);
    if (result >= 0 && s->bell && s->life) {
        s->dead = false;
        return OK;
    }
    if (result >= 0) {
        close_handle(&s->bell);
        close_handle(&s->life);
        close_handle(&s->session);
        result = E_PROTOCOL;
    }
    s->bell = s->life = s->session = 0;
    /* The closings have raised our bits: no news for who uses them next. */
    sys_notification_poll(s->notification, s->life_bits);
    return result;
}

/* Fresh memory for s->size bytes, both rings empty, no right but to share. */
static int64_t make_memory(struct stream *s)
{
    int64_t made = sys_memory_create(s->size, 0);
    if (made < 0)
        return made;
    int64_t result = sys_handle_dup(made, R_READ | R_WRITE | R_DUP, 0);
    sys_handle_close(made);
    if (result < 0)
        return result;
    s->memory = result;
    result = map_stream(s);
    if (result == OK)
        result = start_rings(s, STREAM_CLIENT, ring_init);
    if (result != OK)
        unmap_stream(s);
    return result;
}

/* A notification of the stream's own, whose bits nobody else has used. */
static int64_t own_notification(struct stream *s)
{
    int64_t made = sys_notification_create();
    if (made < 0)
        return made;
    close_handle(&s->notification);
    s->notification = made;
    s->own_notification = true;
    s->bell_bits = STREAM_END_BELL;
    s->life_bits = STREAM_END_LIFE;
    return OK;
}

int64_t stream_open(struct stream *s, handle_t endpoint, handle_t notification,
                    uint64_t bell_bits, uint64_t life_bits, uint64_t size,
                    uint64_t flags)
{
    *s = (struct stream){.size = page_round(size),
                         .notification = notification,
                         .bell_bits = bell_bits,
                         .life_bits = life_bits,
                         .flags = flags};
    if (!capacity_of(s->size) || (notification && (!bell_bits || !life_bits)))
        return E_ARG;
    int64_t result = notification ? OK : own_notification(s);
    if (result == OK)
        result = make_memory(s);
    if (result == OK)
        result = connect(s, endpoint);
    if (result != OK)
        stream_close(s);
    return result;
}

int64_t stream_reopen(struct stream *s, handle_t endpoint)
{
    close_handle(&s->bell);
    close_handle(&s->life);
    close_handle(&s->session);
    s->dead = true;
    /* What the last server's closings raise is not news of the next one. */
    int64_t result = OK;
    if (s->own_notification)
        result = own_notification(s);
    else
        sys_notification_poll(s->notification, s->life_bits);
    if (result != OK)
        return result;

    if (s->in.error == E_PROTOCOL || s->out.error == E_PROTOCOL)
        unmap_stream(s);
    if (!s->map)
        result = make_memory(s);
    if (result == OK)
        result = connect(s, endpoint);
    if (result == OK)
        result = ring_resume(&s->in);
    if (result == OK)
        result = ring_resume(&s->out);
    return result;
}

int64_t stream_accept(struct stream *s, const struct stream_offer *offer,
                      handle_t notification, uint64_t bell_bits,
                      uint64_t life_bits, struct stream_offer *reply)
{
    *s = (struct stream){.memory = offer->memory,
                         .bell = offer->bell,
                         .life = offer->life,
                         .notification = notification,
                         .bell_bits = bell_bits,
                         .life_bits = life_bits};
    *reply = (struct stream_offer){0};
    int64_t result = check_handle(s->memory, OBJECT_MEMORY, R_READ | R_WRITE);
    if (result == OK)
        result = check_handle(s->bell, OBJECT_DOORBELL, R_RING);
    if (result == OK)
        result = check_handle(s->life, OBJECT_DOORBELL, 0);
    if (result == OK) {
        int64_t size = sys_memory_size(s->memory);
        s->size = size < 0 ? 0 : size;
        result = size < 0 ? size : capacity_of(s->size) ? OK : E_ARG;
    }
    if (result == OK)
        result = map_stream(s);
    if (result == OK)
        result = start_rings(s, STREAM_SERVER, ring_attach);
    if (result == OK)
        result = make_doorbells(s, &reply->bell, &reply->life);
    if (result != OK) {
        unmap_stream(s);
        close_handle(&s->bell);
        close_handle(&s->life);
        s->life_bits = 0; /* nobody was given them */
    }
    return result;
}

/* One end: its notification, and the doorbells of it for the other end. */
static int64_t make_end(struct stream_end *end, struct stream_end *peer)
{
    int64_t result = sys_notification_create();
    if (result < 0)
        return result;
    end->notification = result;
    struct stream s = {.notification = end->notification,
                       .bell_bits = STREAM_END_BELL,
                       .life_bits = STREAM_END_LIFE};
    return make_doorbells(&s, &peer->bell, &peer->life);
}

int64_t stream_pair(struct stream_end ends[2], uint64_t size)
{
    struct stream s = {.size = page_round(size)};
    ends[0] = ends[1] = (struct stream_end){0};
    if (!capacity_of(s.size))
        return E_ARG;
    int64_t result = make_memory(&s);
    if (result != OK)
        return result;
    unmap_memory(s.map, s.size);
    ends[STREAM_CLIENT].memory = s.memory;
    result = sys_handle_dup(s.memory, R_READ | R_WRITE | R_DUP, 0);
    if (result >= 0) {
        ends[STREAM_SERVER].memory = result;
        result = make_end(&ends[0], &ends[1]);
    }
    if (result >= 0)
        result = make_end(&ends[1], &ends[0]);
    if (result >= 0)
        return OK;
    stream_end_close(&ends[0]);
    stream_end_close(&ends[1]);
    return result;
}

void stream_end_close(struct stream_end *end)
{
    close_handle(&end->memory);
    close_handle(&end->notification);
    close_handle(&end->bell);
    close_handle(&end->life);
}

int64_t stream_adopt(struct stream *s, const struct stream_end *end,
                     enum stream_side side)
{
    *s = (struct stream){.memory = end->memory,
                         .bell = end->bell,
                         .life = end->life,
                         .notification = end->notification,
                         .own_notification = true,
                         .bell_bits = STREAM_END_BELL,
                         .life_bits = STREAM_END_LIFE};
    int64_t result = sys_memory_size(s->memory);
    if (result >= 0) {
        s->size = result;
        result = capacity_of(s->size) ? map_stream(s) : E_ARG;
    }
    if (result == OK)
        result = start_rings(s, side, ring_attach);
    if (result != OK) {
        unmap_stream(s);
        close_handle(&s->bell);
        close_handle(&s->life);
        close_handle(&s->notification);
    }
    return result;
}

void stream_event(struct stream *s, uint64_t events)
{
    if (events & s->life_bits)
        s->dead = true;
}

static void ring_bell(struct stream *s)
{
    s->rung++;
    TRACE(TRACE_DOORBELL, s->bell, 0);
    if (sys_doorbell_ring(s->bell) == E_DEAD)
        s->dead = true;
}

void stream_kick(struct stream *s)
{
    bool in = ring_should_ring(&s->in);
    bool out = ring_should_ring(&s->out);
    if (in || out)
        ring_bell(s);
}

int64_t stream_state(const struct stream *s)
{
    if (s->in.error == E_PROTOCOL || s->out.error == E_PROTOCOL)
        return E_PROTOCOL;
    if (s->dead || s->in.error || s->out.error)
        return E_DEAD;
    return ring_peer_state(&s->in);
}

bool stream_leaving(struct stream *s)
{
    return !s->dead && ring_peer_state(&s->in) == 1 &&
           ring_peer_state(&s->out) == 1 && ring_available(&s->in, 1) < 0;
}

bool stream_over(struct stream *s)
{
    /* First: what is not there once it has hung up will never be. */
    bool ended = stream_state(s) != 0;
    return ended && ring_available(&s->in, 1) <= 0 && !stream_leaving(s);
}

bool stream_arm(struct stream *s, uint64_t want_in, uint64_t want_out)
{
    if (stream_leaving(s))
        return false;
    bool ready = s->dead;
    if (want_in)
        ready |= ring_arm_wake(&s->in, want_in);
    if (want_out)
        ready |= ring_arm_wake(&s->out, want_out);
    return ready;
}

int64_t stream_try_read(struct stream *s, void *to, uint64_t n)
{
    int64_t moved = ring_read(&s->in, to, n);
    if (moved > 0) {
        TRACE(TRACE_READ, s->in.own - moved, moved);
        if (ring_should_ring(&s->in))
            ring_bell(s);
        return moved;
    }
    if (stream_leaving(s))
        return E_AGAIN;
    if (moved == E_DEAD && ring_peer_state(&s->in) == 1)
        return 0;
    return moved ? moved : s->dead ? E_DEAD : E_AGAIN;
}

int64_t stream_try_write(struct stream *s, const void *from, uint64_t n)
{
    if (s->dead)
        return E_DEAD;
    int64_t moved = ring_write(&s->out, from, n);
    if (moved > 0)
        TRACE(TRACE_WRITE, s->out.own - moved, moved);
    if (moved > 0 && ring_should_ring(&s->out))
        ring_bell(s);
    return moved ? moved : E_AGAIN;
}

/*
 * Sleep until `want` bytes of `ring` can be moved, or the peer's end, or the
 * deadline. OK: look again.
 */
static int64_t wait_for(struct stream *s, struct ring *ring, uint64_t want,
                        uint64_t deadline)
{
    if (!stream_leaving(s) && ring_arm_wake(ring, want))
        return OK;
    if (ring == &s->in && (s->answer & STREAM_ON_DEMAND))
        ring_bell(s);
    s->slept++;
    int64_t events = sys_notification_wait(
        s->notification, s->bell_bits | s->life_bits, deadline);
    ring_disarm(ring);
    if (events < 0)
        return events;
    stream_event(s, events);
    if (!s->dead && ring_available(ring, 1) == 0)
        s->woken_for_nothing++;
    return OK;
}

int64_t stream_read(struct stream *s, void *to, uint64_t n, uint64_t deadline)
{
    for (;;) {
        int64_t result = stream_try_read(s, to, n);
        if (result != E_AGAIN || n == 0)
            return result;
        result = wait_for(s, &s->in, 1, deadline);
        if (result != OK)
            return result;
    }
}

int64_t stream_write(struct stream *s, const void *from, uint64_t n,
                     uint64_t deadline)
{
    const unsigned char *next = from;
    uint64_t left = n;
    while (left) {
        int64_t result = stream_try_write(s, next, left);
        if (result > 0) {
            next += result;
            left -= result;
            continue;
        }
        /* Wake for half a ring at least, not for each byte that is read. */
        uint64_t half = s->out.capacity / 2;
        if (result == E_AGAIN)
            result = wait_for(s, &s->out, left < half ? left : half, deadline);
        if (result != OK)
            return left < n ? (int64_t)(n - left) : result;
    }
    return n;
}

void stream_close(struct stream *s)
{
    /* No bell: closing `life` wakes the peer, and it finds these words. */
    if (s->map) {
        ring_close(&s->in); /* first: see stream_leaving() */
        ring_close(&s->out);
    }
    unmap_stream(s);
    close_handle(&s->bell);
    close_handle(&s->life);
    close_handle(&s->session);
    if (s->own_notification)
        close_handle(&s->notification);
}
