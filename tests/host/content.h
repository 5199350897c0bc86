/* What the ring tests send: dropped, doubled and moved bytes show. */
#ifndef CONTENT_H
#define CONTENT_H

#include <cmocka.h>
#include <stdint.h>

/* Byte at position i of the stream: a hash, no state. */
static inline unsigned char expected(uint64_t i)
{
    i = (i ^ i >> 31) * 0x9e3779b97f4a7c15;
    return (unsigned char)(i >> 56);
}

static inline void fill(unsigned char *to, uint64_t from, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        to[i] = expected(from + i);
}

static inline void check(const unsigned char *got, uint64_t from, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        assert_int_equal(got[i], expected(from + i));
}

#endif
