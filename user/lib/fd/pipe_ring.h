/*
 * The bytes of a pipe in memory shared by its ends. Not uinta/ring.h: a pipe's
 * end may be held by several processes at a time, so that nobody has an index
 * of his own; the indices are shared and each end has a lock, held only while
 * bytes are copied. Ends that break the protocol are found where an index is
 * read. Pure: no system call, runs on the host too.
 */
#ifndef USER_LIB_FD_PIPE_RING_H
#define USER_LIB_FD_PIPE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PIPE_CAPACITY = 4096, /* bytes */
    PIPE_ATOMIC = 512     /* a write of up to this many bytes is not split */
};

/* Zero is a new pipe. Lines of 64 bytes: each side writes its own. */
struct pipe_ring {
    _Alignas(64) uint64_t written; /* bytes so far */
    uint32_t reader_sleeps;        /* wake-me flag, cleared by the waker */
    uint32_t writers_gone;         /* nobody will write again */
    uint32_t write_lock;           /* pid of who copies in, 0 = free */
    _Alignas(64) uint64_t taken;
    uint32_t writer_sleeps;
    uint32_t readers_gone;
    uint32_t read_lock;
    _Alignas(64) unsigned char data[PIPE_CAPACITY];
};

/*
 * Under the end's lock. Bytes moved, 0 = none now, E_PROTOCOL: the indices are
 * impossible. pipe_put moves a write of at most PIPE_ATOMIC whole or not.
 */
int64_t pipe_put(struct pipe_ring *p, const void *from, size_t n);
int64_t pipe_take(struct pipe_ring *p, void *to, size_t n);

/*
 * Before sleeping: set the flag, then look again (a full fence between). True:
 * do not sleep.
 */
bool pipe_reader_arm(struct pipe_ring *p);
bool pipe_writer_arm(struct pipe_ring *p, size_t n);

/* After moving bytes: must the other end's doorbell be rung? */
bool pipe_wake_reader(struct pipe_ring *p);
bool pipe_wake_writer(struct pipe_ring *p);

#endif
