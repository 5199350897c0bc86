/* Making the content and checking it: see content.h. */
#include "content.h"
#include <string.h>

void content_fill(void *to, uint64_t n, uint64_t number)
{
    word_t *word = to, *end = word + n / WORD;
    for (; word < end; word++, number++)
        *word = content_word(number);
}

void checker_init(struct checker *c, unsigned direction)
{
    *c = (struct checker){.first = content_start(direction)};
}

/* An odd number's inverse modulo 2^64: each step doubles the bits that fit. */
static uint64_t inverse(uint64_t odd)
{
    uint64_t x = odd;
    for (int i = 0; i < 5; i++)
        x *= 2 - odd * x;
    return x;
}

/* content_word() undone. */
static uint64_t number_of(uint64_t word)
{
    uint64_t x = word * inverse(CONTENT_K2);
    x ^= x >> 32;
    return x * inverse(CONTENT_K1);
}

static uint64_t load(const unsigned char *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof(word));
    return word;
}

/*
 * Is tail[] a word from further on in the stream? Then what is between is
 * accounted for: fewer bytes came than were sent: lost; as many or more: wrong.
 */
static bool found(struct checker *c)
{
    enum { AHEAD_MAX = 1 << 24 }; /* words: more was never lost at once */
    uint64_t next = c->first + c->position / WORD;
    uint64_t ahead = number_of(load(c->tail)) - next;
    if (ahead > AHEAD_MAX)
        return false;
    uint64_t sent = ahead * WORD;
    if (sent > c->skipped)
        c->lost += sent - c->skipped;
    else
        c->wrong += c->skipped;
    c->position += sent + WORD;
    c->good += WORD;
    c->searching = false;
    c->skipped = 0;
    c->held = 0;
    return true;
}

/* One byte more, off the fast path: in a broken word, or in search. */
static void slow(struct checker *c, unsigned char byte)
{
    c->tail[c->held++] = byte;
    if (c->held < WORD || found(c))
        return;
    /* Not here: the oldest byte goes by, and the search goes on. */
    c->searching = true;
    c->skipped++;
    memmove(c->tail, c->tail + 1, WORD - 1);
    c->held--;
}

/*
 * How many of `words` words from `bytes` on are those from `number` on. After
 * a loss the stream and the memory are not aligned alike: `shift` bits, and
 * each word is put together of two.
 */
static inline __attribute__((always_inline)) uint64_t
matching(const unsigned char *bytes, uint64_t words, uint64_t number,
         unsigned shift)
{
    const word_t *from = (const void *)(bytes - shift / 8);
    const word_t *at = from, *last = from + words;
    for (; at < last; at++, number++) {
        uint64_t word = shift ? at[0] >> shift | at[1] << (64 - shift) : *at;
        if (word != content_word(number))
            break;
    }
    return at - from;
}

void checker_take(struct checker *c, const unsigned char *bytes, uint64_t n)
{
    const unsigned char *end = bytes + n;
    while (bytes < end) {
        if (c->held || end - bytes < WORD) {
            slow(c, *bytes++);
            continue;
        }
        uint64_t number = c->first + c->position / WORD;
        uint64_t words = (end - bytes) / WORD;
        unsigned shift = (uintptr_t)bytes % WORD * 8;
        uint64_t right = shift ? matching(bytes, words, number, shift)
                               : matching(bytes, words, number, 0);
        c->position += right * WORD;
        c->good += right * WORD;
        bytes += right * WORD;
        if (right < words)
            slow(c, *bytes++);
    }
}

static uint32_t crc_table[256];

void crc_init(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
        crc_table[i] = crc;
    }
}

uint32_t crc_update(uint32_t crc, const unsigned char *bytes, uint64_t n)
{
    crc = ~crc;
    for (const unsigned char *end = bytes + n; bytes < end; bytes++)
        crc = crc >> 8 ^ crc_table[(crc ^ *bytes) & 0xff];
    return ~crc;
}
