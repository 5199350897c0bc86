/*
 * ring_copy: see copy.h. Eight words an iteration when both addresses agree
 * in their alignment (20 instructions for 64 bytes), about 7 instructions for
 * 8 bytes when they do not.
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

/* n < 16: both ends of a copy. */
static inline void copy_bytes(unsigned char *to, const unsigned char *from,
                              uint64_t n)
{
    for (const unsigned char *end = from + n; from < end; to++, from++) {
        *to = *from;
        /* Or the compiler makes this loop a call of memcpy. */
        __asm__ volatile("");
    }
}

/* Both aligned; whole words only. */
static inline void copy_words(word_t *to, const word_t *from, uint64_t words)
{
    for (; words >= 8; words -= 8, to += 8, from += 8) {
        uint64_t a = from[0], b = from[1], c = from[2], d = from[3];
        uint64_t e = from[4], f = from[5], g = from[6], h = from[7];
        to[0] = a, to[1] = b, to[2] = c, to[3] = d;
        to[4] = e, to[5] = f, to[6] = g, to[7] = h;
    }
    for (const word_t *end = from + words; from < end; to++, from++) {
        *to = *from;
        __asm__ volatile("");
    }
}

/*
 * `to` aligned, `from` not: each word written takes the rest of the word read
 * before and the start of the next. Returns the bytes copied; fewer than 16
 * are left.
 */
static uint64_t copy_shifted(unsigned char *to, const unsigned char *from,
                             uint64_t n)
{
    uint64_t have = WORD - misalignment(from); /* bytes before its boundary */
    if (n < WORD + have)
        return 0;
    uint64_t rest = 0;
    for (uint64_t i = 0; i < have; i++)
        rest |= (uint64_t)from[i] << (8 * i);

    const word_t *source = (const void *)(from + have);
    word_t *out = (void *)to;
    word_t *end = out + (n - have) / WORD;
    for (uint64_t up = 8 * have; out < end; out++, source++) {
        uint64_t next = *source;
        *out = rest | next << up;
        rest = next >> (64 - up);
    }
    return (n - have) / WORD * WORD;
}

void ring_copy(unsigned char *to, const unsigned char *from, uint64_t n)
{
    if (n >= 2 * WORD) {
        uint64_t head = -(uintptr_t)to % WORD;
        copy_bytes(to, from, head);
        to += head, from += head, n -= head;
        uint64_t done;
        if (misalignment(from)) {
            done = copy_shifted(to, from, n);
        } else {
            done = n / WORD * WORD;
            copy_words((void *)to, (const void *)from, n / WORD);
        }
        to += done, from += done, n -= done;
    }
    copy_bytes(to, from, n);
}
