/*
 * Bidirectional byte stream between two processes: one shared memory object
 * with a byte ring each way, and two doorbells each way. Console, pipe, UART,
 * socket: all are this. docs/design/rings.md has the invariants.
 *
 *   bell  rung when the peer sleeps and there is something for it to do
 *   life  never rung; the kernel raises its bits when its holder dies or hangs
 *         up. EVENT_PEER_CLOSED alone would not say which of several peers
 *         died, so a stream never looks at that bit: mask it out.
 *
 * Event bits: each stream gets `bell_bits` and `life_bits` of its owner's
 * notification. Streams may share bell bits: a wrong wake-up costs one look.
 * Life bits are a stream's own, and stay so until they have been raised: a
 * peer can close its end long after this one was closed, and that must not
 * kill the stream that got the bits next. A server that runs out of bits lets
 * streams share life bits, takes them all for dead when one of the peers
 * dies, and the clients that live open again. A client that has no bits to
 * manage gives notification 0 and gets one for the stream alone.
 *
 * One thread uses a stream at a time. With a user-interrupt handler on one
 * side of it, see ring.h.
 */
#ifndef UINTA_STREAM_H
#define UINTA_STREAM_H

#include "abi/object.h"
#include "uinta/ring.h"

/*
 * The memory: ring_shared of the ring to the server, ring_shared of the ring
 * to the client, data to the server, data to the client. The capacity is the
 * largest power of two that fits twice: both sides compute it from the size
 * of the memory object, which the kernel vouches for.
 */
enum {
    STREAM_HEADER = 2 * sizeof(struct ring_shared),
    STREAM_SIZE_MIN = 4096,      /* 1 KiB each way */
    STREAM_SIZE_DEFAULT = 12288, /* 4 KiB each way */
    STREAM_SIZE_MAX = 1 << 20    /* a server maps no more for a stranger */
};

enum stream_side { STREAM_CLIENT, STREAM_SERVER };

/*
 * In a server's answer: a reader that goes to sleep rings the server's bell,
 * because the server hands out input only to those who wait for it.
 */
enum { STREAM_ON_DEMAND = 1 };

/* All handles are this process's own, and closed by stream_close. */
struct stream {
    struct ring in;  /* this side consumes */
    struct ring out; /* this side produces */
    void *map;
    uint64_t size; /* bytes of memory and map */
    handle_t memory;
    handle_t bell;         /* the peer's, to ring */
    handle_t life;         /* the peer's, to hold */
    handle_t session;      /* client: the server's endpoint for it, or 0 */
    handle_t notification; /* of this side */
    bool own_notification; /* closed with the stream */
    bool dead;             /* the peer's life bits have been seen */
    uint64_t bell_bits, life_bits;
    uint64_t flags;  /* client: what stream_open passed */
    uint64_t answer; /* client: what the server answered */
    /* For judging performance: items a doorbell, wake-ups for nothing. */
    uint64_t rung, slept, woken_for_nothing;
};

/*
 * Client: make memory of `size` bytes (page-rounded) and call `endpoint`,
 * which must speak interface stream. notification 0: the stream makes its own
 * and the bits do not matter. Errors: those of the calls it makes and of the
 * server, E_PROTOCOL if it sent no doorbells; nothing is left behind.
 */
int64_t stream_open(struct stream *s, handle_t endpoint, handle_t notification,
                    uint64_t bell_bits, uint64_t life_bits, uint64_t size,
                    uint64_t flags);

/*
 * Client, after E_DEAD: connect to the server's next life through `endpoint`.
 * The same memory is offered again, so bytes that were in the rings are still
 * there; those a dead server had taken and not passed on are gone. After
 * E_PROTOCOL memory and rings are new. On error the stream stays dead, and
 * this can be tried again.
 */
int64_t stream_reopen(struct stream *s, handle_t endpoint);

/* The handles of a connect request, and those of its reply. */
struct stream_offer {
    handle_t memory, bell, life;
};

/*
 * Server: take what a client offered. Everything is checked: types, rights,
 * size, the rings. On success *reply has the doorbells to send back: the
 * server must close its own handles to them after the reply (message.give).
 * On error the offered handles are closed.
 */
int64_t stream_accept(struct stream *s, const struct stream_offer *offer,
                      handle_t notification, uint64_t bell_bits,
                      uint64_t life_bits, struct stream_offer *reply);

/*
 * A stream whose ends are handed to other processes (a pipe): what each end
 * needs, four handles that fit a startup_fd. The ends have a notification
 * each. Who makes a pair closes its own copies after giving them away, or the
 * peer never hears of the end of the other.
 */
struct stream_end {
    handle_t memory, notification, bell, life;
};

enum { STREAM_END_BELL = 1, STREAM_END_LIFE = 2 }; /* bits of such an end */

/* ends[STREAM_CLIENT], ends[STREAM_SERVER]. */
int64_t stream_pair(struct stream_end ends[2], uint64_t size);
void stream_end_close(struct stream_end *end);

/*
 * Take an end; the stream owns its handles from here, also on error. An end
 * can change hands (be adopted again) as long as one process uses it at a
 * time: it goes on at the indices in the memory.
 */
int64_t stream_adopt(struct stream *s, const struct stream_end *end,
                     enum stream_side side);

/*
 * Blocking. Deadline in ticks, DEADLINE_NEVER for none. Read returns as soon
 * as there is something: 1..n, 0 = the peer hung up and all is read. Write
 * returns n, or fewer when it ends early after having moved some. Errors:
 * E_DEAD (after everything the peer sent has been read), E_PROTOCOL,
 * E_TIMEDOUT, those of notification_wait.
 */
int64_t stream_read(struct stream *s, void *to, uint64_t n, uint64_t deadline);
int64_t stream_write(struct stream *s, const void *from, uint64_t n,
                     uint64_t deadline);

/* The same without sleeping: E_AGAIN when nothing can be moved now. */
int64_t stream_try_read(struct stream *s, void *to, uint64_t n);
int64_t stream_try_write(struct stream *s, const void *from, uint64_t n);

/*
 * For a server that waits for many streams at once. Its loop: stream_event()
 * on each stream with the event word; move what can be moved, with
 * stream_try_* or ring_span()/ring_publish() on in and out followed by
 * stream_kick(); stream_arm() each; sleep only if every one said false.
 */
void stream_event(struct stream *s, uint64_t events);

/* Rings the peer's bell if it sleeps and has something to do now. */
void stream_kick(struct stream *s);

/*
 * Ask to be woken when `want_in` bytes can be read or `want_out` written; 0 =
 * not interested. True: something is there now or the stream has ended.
 */
bool stream_arm(struct stream *s, uint64_t want_in, uint64_t want_out);

/*
 * 0 working, E_DEAD or E_PROTOCOL; 1 = the peer hung up in order. There may
 * be input left to read unless it is E_PROTOCOL.
 */
int64_t stream_state(const struct stream *s);

/*
 * The peer is hanging up (both ways: one way can also be an end of file), all
 * it sent is read, but its handles are not closed yet: that will raise the
 * life bits any moment, and only then are they free for another stream. Until
 * then stream_try_read says E_AGAIN and stream_arm false; a server that uses
 * the rings directly asks here before it closes the stream.
 */
bool stream_leaving(struct stream *s);

/*
 * The peer hung up or died, and all that it sent is read: time to close. Never
 * true between the two, however late its last bytes came.
 */
bool stream_over(struct stream *s);

/* Opened, accepted or adopted, and not closed since. */
static inline bool stream_in_use(const struct stream *s)
{
    return s->map;
}

/*
 * For a server that gives bits to its clients: are those of this stream (used
 * once and closed since, or never used: all zero) free for another one? Not
 * before its peer's end was heard: stream_event() goes to closed streams too.
 */
static inline bool stream_bits_free(const struct stream *s)
{
    return !s->life_bits || s->dead;
}

/* Hang up in order and give everything back. */
void stream_close(struct stream *s);

#endif
