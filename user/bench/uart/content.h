/*
 * What travels: 8-byte words, each a mix of its number, so that a receiver
 * knows every byte it should get and shares no code with any driver. The mix
 * can be undone: out of any 8 bytes that arrived whole their number can be
 * read, which finds the place again after a loss.
 */
#ifndef BENCH_CONTENT_H
#define BENCH_CONTENT_H

#include <stdbool.h>
#include <stdint.h>

enum { WORD = 8 };

/* Bytes in memory as words: the compiler must not order them by type. */
typedef uint64_t __attribute__((may_alias)) word_t;

#define CONTENT_K1 0x9e3779b97f4a7c15UL
#define CONTENT_K2 0xd6e8feb86659fd93UL

/* Word `number` of the direction. Five instructions. */
static inline uint64_t content_word(uint64_t number)
{
    uint64_t x = number * CONTENT_K1;
    x ^= x >> 32;
    return x * CONTENT_K2;
}

/* The directions have different content: a byte of the other one is wrong. */
static inline uint64_t content_start(unsigned direction)
{
    return (uint64_t)(direction + 1) << 48;
}

/* Fill n bytes (a multiple of WORD, `to` aligned) from word `number` on. */
void content_fill(void *to, uint64_t n, uint64_t number);

/* A receiver: what it has seen so far. Bytes. */
struct checker {
    uint64_t first;    /* number of the direction's first word */
    uint64_t position; /* in the stream as sent: what must come next */
    uint64_t good;     /* were what they had to be */
    uint64_t lost;     /* never came, though later ones did */
    uint64_t wrong;    /* came, and were not to be explained by a loss */
    unsigned held;     /* bytes in `tail` that are no whole word yet */
    bool searching;    /* the place is lost: `tail` slides byte by byte */
    uint64_t skipped;  /* while searching: bytes that went by */
    unsigned char tail[WORD];
};

void checker_init(struct checker *c, unsigned direction);
/* n bytes came. Any n, any alignment; whole words cost a byte's share of 8. */
void checker_take(struct checker *c, const unsigned char *bytes, uint64_t n);

/* CRC-32 as zlib has it, byte by byte: the load that looks at every byte. */
void crc_init(void);
uint32_t crc_update(uint32_t crc, const unsigned char *bytes, uint64_t n);

#endif
