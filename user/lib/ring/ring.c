/*
 * Byte ring and the index protocol under every other ring. The contract is
 * uinta/ring.h, the proof docs/design/rings.md; comments here say which of its
 * rules an order of accesses serves.
 */
#include "uinta/ring.h"
#include "uinta/trace.h"
#include "copy.h"

#define LOAD(word, order) __atomic_load_n(&(word), __ATOMIC_##order)
#define STORE(word, value, order) \
    __atomic_store_n(&(word), value, __ATOMIC_##order)

/*
 * The hot functions below take the role as a constant, so that the compiler
 * makes one straight version for each: half the instructions.
 */
#define HOT static inline __attribute__((always_inline))

static inline int other(const struct ring *r)
{
    return !r->role;
}

/* Units this side can move, from what it knows. */
HOT uint64_t known(const struct ring *r, int role)
{
    return role == RING_CONSUMER ? r->peer - r->own
                                 : r->capacity - (r->own - r->peer);
}

static bool geometry_ok(const struct ring_shared *shared, uint64_t capacity)
{
    return (uintptr_t)shared % RING_LINE == 0 && capacity >= 1 &&
           capacity <= RING_CAPACITY_MAX && !(capacity & (capacity - 1));
}

/* Take the peer's index as found. False: impossible beside one's own. */
static bool adopt_peer(struct ring *r)
{
    r->peer = LOAD(r->shared->index[other(r)].value, ACQUIRE);
    uint64_t content =
        r->role == RING_CONSUMER ? r->peer - r->own : r->own - r->peer;
    return content <= r->capacity;
}

int ring_init(struct ring *r, enum ring_role role, struct ring_shared *shared,
              void *data, uint64_t capacity)
{
    if (!geometry_ok(shared, capacity))
        return E_ARG;
    *r = (struct ring){
        .shared = shared, .data = data, .capacity = capacity, .role = role};
    for (int side = 0; side < 2; side++) {
        STORE(shared->index[side].value, 0, RELAXED);
        STORE(shared->epoch[side], side == (int)role, RELAXED);
        STORE(shared->closed[side], 0, RELAXED);
        STORE(shared->wake[side], 0, RELAXED);
    }
    STORE(shared->note, 0, RELAXED);
    STORE(shared->capacity, capacity, RELAXED);
    STORE(shared->magic, RING_MAGIC, RELEASE);
    return OK;
}

int ring_attach(struct ring *r, enum ring_role role, struct ring_shared *shared,
                void *data, uint64_t capacity)
{
    if (!geometry_ok(shared, capacity))
        return E_ARG;
    *r = (struct ring){
        .shared = shared, .data = data, .capacity = capacity, .role = role};
    r->own = LOAD(shared->index[role].value, RELAXED);
    if (LOAD(shared->magic, ACQUIRE) != RING_MAGIC || !adopt_peer(r)) {
        r->error = E_PROTOCOL;
        return E_PROTOCOL;
    }
    r->peer_epoch = LOAD(shared->epoch[other(r)], ACQUIRE);
    STORE(shared->closed[role], 0, RELAXED);
    STORE(shared->wake[role], 0, RELAXED);
    /* Before anything this life publishes: see look(). 0 means none yet. */
    uint32_t epoch = LOAD(shared->epoch[role], RELAXED) + 1;
    STORE(shared->epoch[role], epoch ? epoch : 1, RELEASE);
    return OK;
}

int ring_resume(struct ring *r)
{
    /* One's own index is what one knows, whatever the dead peer left there. */
    STORE(r->shared->index[r->role].value, r->own, RELEASE);
    r->error = adopt_peer(r) ? OK : E_PROTOCOL;
    r->peer_epoch = LOAD(r->shared->epoch[other(r)], ACQUIRE);
    return r->error;
}

int ring_peer_state(const struct ring *r)
{
    uint32_t epoch = LOAD(r->shared->epoch[other(r)], ACQUIRE);
    if (r->peer_epoch && epoch != r->peer_epoch)
        return E_DEAD;
    return LOAD(r->shared->closed[other(r)], ACQUIRE) != 0;
}

/*
 * Read what the peer has published about itself. Returns known(), or an
 * error. Orders: "closed" before the index, because the peer stores it after
 * its last index: closed and nothing there is then really the end. The epoch
 * after the index, because a new life stores it before its first index:
 * nothing of the new life is taken for the old one's.
 */
HOT int64_t look(struct ring *r, int role)
{
    struct ring_shared *shared = r->shared;
    bool closed = LOAD(shared->closed[!role], ACQUIRE);
    uint64_t index = LOAD(shared->index[!role].value, ACQUIRE);
    uint32_t epoch = LOAD(shared->epoch[!role], RELAXED);

    if (epoch != r->peer_epoch) {
        if (r->peer_epoch)
            return r->error = E_DEAD;
        r->peer_epoch = epoch; /* the first life there is */
    }
    /*
     * The only lie a peer can tell. Its step must lead forward and not past
     * what is possible: content <= capacity, consumer not past producer.
     */
    uint64_t step_max = role == RING_CONSUMER ? r->capacity - (r->peer - r->own)
                                              : r->own - r->peer;
    if (index - r->peer > step_max)
        return r->error = E_PROTOCOL;
    r->peer = index;
    uint64_t units = known(r, role);
    if (closed && (role == RING_PRODUCER || units == 0))
        return E_DEAD;
    return units;
}

HOT int64_t available(struct ring *r, uint64_t want, int role)
{
    if (r->error)
        return r->error;
    uint64_t units = known(r, role);
    return units >= want ? (int64_t)units : look(r, role);
}

int64_t ring_available(struct ring *r, uint64_t want)
{
    return r->role == RING_CONSUMER ? available(r, want, RING_CONSUMER)
                                    : available(r, want, RING_PRODUCER);
}

HOT void publish(struct ring *r, uint64_t n, int role)
{
    r->own += n;
    /* Release: the units are written (or read out) before the peer knows. */
    STORE(r->shared->index[role].value, r->own, RELEASE);
}

void ring_publish(struct ring *r, uint64_t n)
{
    publish(r, n, r->role);
}

/* The two pieces of a copy that goes over the edge; out of the fast path. */
static __attribute__((noinline)) void split_write(struct ring *r,
                                                  const unsigned char *from,
                                                  uint64_t n, uint64_t slot)
{
    uint64_t to_edge = r->capacity - slot;
    ring_copy(r->data + slot, from, to_edge);
    ring_copy(r->data, from + to_edge, n - to_edge);
}

static __attribute__((noinline)) void
split_read(struct ring *r, unsigned char *to, uint64_t n, uint64_t slot)
{
    uint64_t to_edge = r->capacity - slot;
    ring_copy(to, r->data + slot, to_edge);
    ring_copy(to + to_edge, r->data, n - to_edge);
}

int64_t ring_write(struct ring *r, const void *from, uint64_t n)
{
    int64_t space = available(r, n, RING_PRODUCER);
    if (space <= 0)
        return space;
    if (n > (uint64_t)space)
        n = space;
    uint64_t slot = ring_slot(r, r->own);
    if (slot + n <= r->capacity)
        ring_copy(r->data + slot, from, n);
    else
        split_write(r, from, n, slot);
    publish(r, n, RING_PRODUCER);
    return n;
}

int64_t ring_read(struct ring *r, void *to, uint64_t n)
{
    int64_t content = available(r, n, RING_CONSUMER);
    if (content <= 0)
        return content;
    if (n > (uint64_t)content)
        n = content;
    uint64_t slot = ring_slot(r, r->own);
    if (slot + n <= r->capacity)
        ring_copy(to, r->data + slot, n);
    else
        split_read(r, to, n, slot);
    publish(r, n, RING_CONSUMER);
    return n;
}

int64_t ring_span(struct ring *r, unsigned char **span)
{
    int64_t units = ring_available(r, 1);
    if (units <= 0)
        return units;
    uint64_t slot = ring_slot(r, r->own);
    uint64_t to_edge = r->capacity - slot;
    *span = r->data + slot;
    return (uint64_t)units < to_edge ? units : (int64_t)to_edge;
}

/* Enough to move, or something to hear of: no reason to sleep. */
static bool awake(struct ring *r, uint64_t want)
{
    int64_t units = ring_available(r, want);
    return units < 0 || (uint64_t)units >= want ||
           LOAD(r->shared->closed[other(r)], ACQUIRE);
}

bool ring_arm_wake(struct ring *r, uint64_t want)
{
    if (want > r->capacity)
        want = r->capacity;
    if (want < 1)
        want = 1;
    if (awake(r, want))
        return true;
    STORE(r->shared->wake[r->role], want, RELAXED);
    /*
     * A store, then a load of another word: without a full fence both sides
     * can miss each other. The other half is in ring_should_ring().
     */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (!awake(r, want)) {
        TRACE(r->role == RING_CONSUMER ? TRACE_RING_EMPTY : TRACE_RING_FULL,
              r->shared, want);
        return false;
    }
    ring_disarm(r);
    return true;
}

void ring_disarm(struct ring *r)
{
    STORE(r->shared->wake[r->role], 0, RELAXED);
}

/*
 * The peer wants to be woken for `want` units: are they there? By an old index
 * of the peer's there seem to be more than there are, and it would be woken
 * early: look before ringing, it does not move now.
 */
HOT bool wanted(struct ring *r, uint64_t want, int role)
{
    if (r->capacity - known(r, role) < want)
        return false;
    look(r, role);
    return r->capacity - known(r, role) >= want;
}

bool ring_should_ring(struct ring *r)
{
    uint32_t *wake = &r->shared->wake[other(r)];
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* the other half of arming */
    uint32_t want = LOAD(*wake, RELAXED);
    if (!want)
        return false;
    bool ring = r->role == RING_CONSUMER ? wanted(r, want, RING_CONSUMER)
                                         : wanted(r, want, RING_PRODUCER);
    /* Before the bell, or it could hit the word of the peer's next sleep. */
    if (ring)
        STORE(*wake, 0, RELAXED);
    return ring;
}

uint64_t ring_peer_wants(struct ring *r)
{
    uint64_t want = LOAD(r->shared->wake[other(r)], RELAXED);
    int64_t units = want ? ring_available(r, r->capacity) : 0;
    if (!want || units < 0)
        return 0;
    uint64_t there = r->capacity - units;
    return want > there ? want - there : 1;
}

bool ring_close(struct ring *r)
{
    STORE(r->shared->closed[r->role], 1, RELEASE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (!LOAD(r->shared->wake[other(r)], RELAXED))
        return false;
    STORE(r->shared->wake[other(r)], 0, RELAXED);
    return true;
}
