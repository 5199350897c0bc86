/*
 * Single-producer single-consumer ring over memory shared with a peer that
 * nobody trusts. Pure: no system call, so it runs and is tested on the host;
 * sleeping and doorbells are stream.h's affair. docs/design/rings.md states
 * the invariants.
 *
 * Shared (struct ring_shared): the two indices, each on a cache line of its
 * own, and the words either side publishes about itself. Private (struct
 * ring): one's own index, the capacity, the data address. A peer can lie
 * about its index and about nothing else; the lie is found where the index is
 * read (distance > capacity, or a step back) and makes the ring E_PROTOCOL
 * for good.
 *
 * One thread uses a struct ring at a time. A user-interrupt handler that
 * shares one with its main loop must mask UIE around the loop's uses, or leave
 * the loop only the functions of the other side.
 *
 * Units: a byte ring counts bytes. ring_available/ring_publish count units of
 * whatever the owner stores; descring.h counts descriptors.
 */
#ifndef UINTA_RING_H
#define UINTA_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "abi/errors.h"

enum { RING_MAGIC = 0x676e6952, RING_LINE = 64 };
/* Capacities are powers of two, in units, from 1 to this. */
#define RING_CAPACITY_MAX (1UL << 30)

enum ring_role { RING_PRODUCER, RING_CONSUMER };

/* Every word is accessed atomically; indices count up for ever (mod 2^64). */
struct ring_shared {
    /* Line 0, read mostly. `capacity` is for a debugger: nobody uses it. */
    _Alignas(RING_LINE) uint32_t magic;
    uint32_t note; /* the server's, for its next life; no part of the ring */
    uint64_t capacity;
    uint32_t epoch[2];  /* by role: lives of that side so far, 0 = none yet */
    uint32_t closed[2]; /* by role: that side has hung up in order */
    /* Lines 1 and 2, by role: units produced, units consumed so far. */
    struct {
        _Alignas(RING_LINE) uint64_t value;
    } index[2];
    /* Line 3, by role: 0 awake, n: wake me when I can move n units. */
    _Alignas(RING_LINE) uint32_t wake[2];
};

_Static_assert(sizeof(struct ring_shared) == 4 * RING_LINE, "four lines");

struct ring {
    struct ring_shared *shared;
    unsigned char *data;
    uint64_t capacity;   /* units */
    uint64_t own;        /* my index; the shared copy is only published */
    uint64_t peer;       /* the peer's index when I last looked, checked */
    uint32_t peer_epoch; /* the peer's life I talk to, 0 = none seen yet */
    int32_t role;        /* enum ring_role: what this side is */
    int32_t error;       /* E_PROTOCOL or E_DEAD, sticky; else 0 */
    uint32_t reserved;
};

/*
 * Start a ring in zeroed or stale shared memory that no peer uses yet, as its
 * creator. data: capacity units. E_ARG: capacity not a power of two in range
 * or shared not aligned to RING_LINE.
 */
int ring_init(struct ring *r, enum ring_role role, struct ring_shared *shared,
              void *data, uint64_t capacity);

/*
 * Join a ring that the peer created. `capacity` is the caller's own knowledge
 * (it follows from the size of the memory object), never the peer's word.
 * Continues at the indices found, with a new epoch for this side, so that the
 * peer notices a second life. E_ARG as above; E_PROTOCOL: magic or indices
 * are impossible.
 */
int ring_attach(struct ring *r, enum ring_role role, struct ring_shared *shared,
                void *data, uint64_t capacity);

/*
 * Units this side can move now: space for a producer, content for a consumer.
 * Looks at the peer's index again only when fewer than `want` are known.
 * E_PROTOCOL: impossible index. E_DEAD: the peer has a new life, or has hung
 * up (a consumer gets everything that was published first).
 */
int64_t ring_available(struct ring *r, uint64_t want);

/*
 * Byte ring: move up to n bytes; returns how many, 0 = full/empty now, or
 * E_PROTOCOL, E_DEAD. The bytes are published on return; then ask
 * ring_should_ring().
 */
int64_t ring_write(struct ring *r, const void *from, uint64_t n);
int64_t ring_read(struct ring *r, void *to, uint64_t n);

/*
 * Zero-copy, for both roles: the contiguous bytes that this side can fill or
 * take now. Sets *span; returns its length, 0 = none now, or an error. Then
 * ring_publish() says how many of them were moved. A consumer must copy
 * before it checks: the peer can still write there.
 */
int64_t ring_span(struct ring *r, unsigned char **span);

/* Units moved, at most what ring_available or ring_span just said. */
void ring_publish(struct ring *r, uint64_t n);

/*
 * About to sleep until `want` units (>= 1) can be moved: set the wake-me word,
 * then look again. True: do not sleep (enough is there, or an error or a
 * hang-up to hear of; the word is cleared again). False: sleep until the
 * doorbell rings; the word stays set. [rings.md "Sleeping"]
 */
bool ring_arm_wake(struct ring *r, uint64_t want);

/* Awake again for another reason than the peer's doorbell. */
void ring_disarm(struct ring *r);

/*
 * After publishing: must the peer's doorbell be rung? Clears the peer's
 * wake-me word when it says yes, so the caller must ring.
 */
bool ring_should_ring(struct ring *r);

/* Hang up in order; then ring the doorbell if this returns true. */
bool ring_close(struct ring *r);

/*
 * Peer's end: 0 alive or not there yet, 1 has hung up in order, E_DEAD has a
 * new life. Does not change the ring's sticky error.
 */
int ring_peer_state(const struct ring *r);

/*
 * After E_DEAD because the peer restarted: talk to its new life. Continues at
 * one's own index and the peer's as found; E_PROTOCOL if that is impossible.
 */
int ring_resume(struct ring *r);

/*
 * Units that the peer sleeps for and cannot move yet, at least 1; 0: it is awake.
 * For a side that gathers before it publishes: a peer that wakes for another
 * reason is not seen to.
 */
uint64_t ring_peer_wants(struct ring *r);

/* The peer sleeps and has asked to be woken (its wake-me word is set). */
static inline bool ring_peer_waits(const struct ring *r)
{
    return __atomic_load_n(&r->shared->wake[!r->role], __ATOMIC_SEQ_CST) != 0;
}

/* Offset of unit `index` in the data area. */
static inline uint64_t ring_slot(const struct ring *r, uint64_t index)
{
    return index & (r->capacity - 1);
}

#endif
