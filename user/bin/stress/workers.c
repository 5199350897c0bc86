/* The workers of stress: each checks everything it gets from another. */
#include "workers.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <uinta/clock.h>
#include <uinta/ipc.h>
#include <uinta/process.h>

enum { BLOCK = 1024, LAST = 1 }; /* words a block; method of the last call */

static uint64_t end_time;

static int over(void)
{
    return clock_ticks() >= end_time;
}

/* xorshift64: what comes next follows from what was, on both sides. */
static uint64_t next(uint64_t *state)
{
    uint64_t x = *state;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return *state = x;
}

/* Forward and backward again: the inverse permutation must lead home. */
static int compute(uint64_t seed)
{
    while (!over()) {
        uint64_t a = seed, b = seed * 3 + 1, start_a = a, start_b = b;
        for (int i = 0; i < 100000; i++) {
            uint64_t sum = a + b * 5 + i;
            a = b;
            b = sum;
        }
        for (int i = 100000 - 1; i >= 0; i--) {
            uint64_t old_a = b - a * 5 - i;
            b = a;
            a = old_a;
        }
        if (a != start_a || b != start_b)
            return 1;
        seed++;
    }
    return 0;
}

static int produce(uint64_t state)
{
    static uint64_t block[BLOCK];
    while (!over()) {
        for (int i = 0; i < BLOCK; i++)
            block[i] = next(&state);
        if (write(1, block, sizeof(block)) != sizeof(block))
            return 1;
    }
    return 0;
}

static int consume(uint64_t state)
{
    unsigned char buffer[777]; /* on purpose no multiple of anything */
    uint64_t word = 0, total = 0;
    ssize_t count;
    while ((count = read(0, buffer, sizeof(buffer))) > 0)
        for (ssize_t i = 0; i < count; i++, total++, word >>= 8) {
            if (total % 8 == 0)
                word = next(&state);
            if (buffer[i] != (word & 0xff))
                return 1;
        }
    return count < 0 || total == 0 || total % (8 * BLOCK) != 0;
}

/* Answers each call with its words reversed and inverted. */
static int serve(void)
{
    handle_t endpoint = startup_handle("peer");
    struct message m = {0};
    int64_t error = ipc_receive(endpoint, &m);
    for (;;) {
        if (error < 0)
            return 1;
        int last = m.word[0] == LAST;
        for (int i = 1; i <= MESSAGE_WORDS / 2; i++) {
            uint64_t other = m.word[MESSAGE_WORDS - i];
            m.word[MESSAGE_WORDS - i] = ~m.word[i];
            m.word[i] = ~other;
        }
        m.word[0] = 0;
        if (last)
            return ipc_reply(&m) < 0;
        error = ipc_reply_receive(endpoint, &m);
    }
}

static int call(uint64_t state)
{
    handle_t endpoint = startup_handle("peer");
    int last;
    do {
        struct message m = {0};
        uint64_t sent[MESSAGE_WORDS];
        last = over();
        m.word[0] = sent[0] = last ? LAST : 0;
        for (int i = 1; i < MESSAGE_WORDS; i++)
            m.word[i] = sent[i] = next(&state);
        if (ipc_call(endpoint, &m) < 0)
            return 1;
        for (int i = 1; i < MESSAGE_WORDS; i++)
            if (m.word[i] != ~sent[MESSAGE_WORDS - i])
                return 1;
    } while (!last);
    return 0;
}

int work(const char *kind, int seed, int seconds)
{
    uint64_t state = 0x9e3779b97f4a7c15UL * (seed + 1);
    end_time = clock_deadline(seconds * 1000000000UL);
    if (!strcmp(kind, "compute"))
        return compute(state);
    if (!strcmp(kind, "produce"))
        return produce(state);
    if (!strcmp(kind, "consume"))
        return consume(state);
    if (!strcmp(kind, "serve"))
        return serve();
    if (!strcmp(kind, "call"))
        return call(state);
    fprintf(stderr, "stress: no worker '%s'\n", kind);
    return 2;
}
