/*
 * ring_copy: see copy.h. Four words an iteration when both addresses agree
 * in their alignment, six instructions a word when they do not.
 */
#include "copy.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "shifts assume it");

enum { WORD = sizeof(uint64_t) };

/* Bytes in memory of any type, read and written as words. */
typedef uint64_t __attribute__((may_alias)) word_t;

static inline uint64_t misalignment(const void *p)
{
    return (uintptr_t)p % WORD;
}

/* Both ends of a copy. */
static inline void copy_bytes(unsigned char *to, const unsigned char *from,
                              uint64_t n)
{
    for (const unsigned char *end = from + n; from < end; to++, from++) {
        *to = *from;
        /* Or the compiler makes this loop a call of memcpy. */
        __asm__ volatile("");
    }
}

/* Both aligned. */
static inline void copy_aligned(unsigned char *to, const unsigned char *from,
                                uint64_t n)
{
    word_t *out = (void *)to;
    const word_t *in = (const void *)from;
    for (; n >= 4 * WORD; n -= 4 * WORD, out += 4, in += 4) {
        uint64_t a = in[0], b = in[1], c = in[2], d = in[3];
        out[0] = a, out[1] = b, out[2] = c, out[3] = d;
    }
    for (; n >= WORD; n -= WORD)
        *out++ = *in++;
    copy_bytes((void *)out, (const void *)in, n);
}

/*
 * `to` aligned, `from` not: each word written takes the rest of the word read
 * before and the start of the next.
 */
static inline void copy_shifted(unsigned char *to, const unsigned char *from,
                                uint64_t n)
{
    uint64_t have = WORD - misalignment(from); /* bytes before its boundary */
    if (n >= WORD + have) {
        uint64_t rest = 0, up = 8 * have;
        for (uint64_t i = 0; i < up; i += 8)
            rest |= (uint64_t)*from++ << i;
        const word_t *in = (const void *)from;
        for (; n >= WORD + have; n -= WORD, to += WORD) {
            uint64_t next = *in++;
            *(word_t *)(void *)to = rest | next << up;
            rest = next >> (64 - up);
        }
        from = (const unsigned char *)in - have;
    }
    copy_bytes(to, from, n);
}

void ring_copy(unsigned char *to, const unsigned char *from, uint64_t n)
{
    if (n >= 2 * WORD) {
        uint64_t head = -(uintptr_t)to % WORD;
        copy_bytes(to, from, head);
        to += head, from += head, n -= head;
        if (misalignment(from))
            copy_shifted(to, from, n);
        else
            copy_aligned(to, from, n);
        return;
    }
    copy_bytes(to, from, n);
}
