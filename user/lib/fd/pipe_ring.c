#include <string.h>
#include "abi/errors.h"
#include "user/lib/fd/pipe_ring.h"

/* Bytes in the pipe, or E_PROTOCOL. */
static int64_t filled(const struct pipe_ring *p)
{
    uint64_t written = __atomic_load_n(&p->written, __ATOMIC_ACQUIRE);
    uint64_t taken = __atomic_load_n(&p->taken, __ATOMIC_ACQUIRE);
    uint64_t n = written - taken;
    return n > PIPE_CAPACITY ? E_PROTOCOL : (int64_t)n;
}

/* What a writer waits for: all of a small write, else any space. */
static size_t wanted(size_t n)
{
    return n <= PIPE_ATOMIC ? n : 1;
}

int64_t pipe_put(struct pipe_ring *p, const void *from, size_t n)
{
    int64_t have = filled(p);
    if (have < 0)
        return have;
    size_t space = PIPE_CAPACITY - (size_t)have;
    if (space < wanted(n))
        return 0;
    if (n > space)
        n = space;
    uint64_t written = p->written;
    size_t at = written % PIPE_CAPACITY;
    size_t first = n < PIPE_CAPACITY - at ? n : PIPE_CAPACITY - at;
    memcpy(p->data + at, from, first);
    memcpy(p->data, (const char *)from + first, n - first);
    __atomic_store_n(&p->written, written + n, __ATOMIC_RELEASE);
    return (int64_t)n;
}

int64_t pipe_take(struct pipe_ring *p, void *to, size_t n)
{
    int64_t have = filled(p);
    if (have <= 0)
        return have;
    if (n > (size_t)have)
        n = (size_t)have;
    uint64_t taken = p->taken;
    size_t at = taken % PIPE_CAPACITY;
    size_t first = n < PIPE_CAPACITY - at ? n : PIPE_CAPACITY - at;
    memcpy(to, p->data + at, first);
    memcpy((char *)to + first, p->data, n - first);
    __atomic_store_n(&p->taken, taken + n, __ATOMIC_RELEASE);
    return (int64_t)n;
}

/*
 * The store of the flag and the look behind it must not change places, nor
 * the other end's publishing and its look at the flag: sequential consistency
 * on both sides, or both could miss each other.
 */
bool pipe_reader_arm(struct pipe_ring *p)
{
    __atomic_store_n(&p->reader_sleeps, 1, __ATOMIC_SEQ_CST);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return filled(p) != 0;
}

bool pipe_writer_arm(struct pipe_ring *p, size_t n)
{
    __atomic_store_n(&p->writer_sleeps, 1, __ATOMIC_SEQ_CST);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    int64_t have = filled(p);
    return have < 0 || PIPE_CAPACITY - (size_t)have >= wanted(n);
}

static bool wake(uint32_t *flag)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return __atomic_load_n(flag, __ATOMIC_RELAXED) &&
           __atomic_exchange_n(flag, 0, __ATOMIC_SEQ_CST);
}

bool pipe_wake_reader(struct pipe_ring *p)
{
    return wake(&p->reader_sleeps);
}

bool pipe_wake_writer(struct pipe_ring *p)
{
    return wake(&p->writer_sleeps);
}
