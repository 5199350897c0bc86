/*
 * What one row of the table measures: words on the command line, the same for
 * the program that measures and for its clients.
 *
 *   uart LOAD mode=M flow=F baud=N place=alone|busy ms=N batch=N gather=N
 *        phase=N late=NS
 */
#ifndef BENCH_ROW_H
#define BENCH_ROW_H

#include <stdbool.h>
#include <stdint.h>
#include <uinta/uart_counters.h>
#include "content.h"

enum load { PINGPONG, SIMPLEX, DUPLEX, CHECKSUM, MIX, LOADS };

enum {
    ENDS = 2,      /* of the wire: a and b, sources 12 and 13 */
    SOURCE_A = 12, /* PLIC source of the first end; the other is next */
    CLOCK_HZ = 100 * 1000 * 1000, /* of the UARTs, by the device tree */
    BITS_A_BYTE = 10,             /* 8N1 */
    SAMPLES_MAX = 65536,
    READS_MAX = 65536,
    MIX_SHARE = 8,    /* the slow direction of MIX: an eighth of the wire, */
    MIX_MESSAGE = 16, /* in messages of so many bytes */
    BUSY_ROUND = 3    /* instructions, of the process that computes */
};

struct row {
    enum load load;
    const char *mode, *flow;
    bool kernel; /* mode=kernel: no server, the kernel drives the device */
    bool busy;   /* a process that computes shares each driver's hart */
    uint64_t baud, ms, batch;
    uint64_t phase;  /* ns from the start of one end to that of the other */
    uint64_t late;   /* ns by which end b connects later; a does not wait */
    uint64_t gather; /* bytes a client wakes up for; 0: a quarter of a ring */
};

/* Ends the program with a message if something is not known. */
void row_parse(struct row *row, int argc, char **argv);
extern const char *const load_names[LOADS];

/* Does this end send, receive? The wire's direction is the sender's index. */
bool row_sends(const struct row *row, unsigned end);
static inline bool row_receives(const struct row *row, unsigned end)
{
    return row_sends(row, !end);
}

/* ns that n bytes take on the wire. */
static inline uint64_t row_wire_ns(const struct row *row, uint64_t n)
{
    return n * BITS_A_BYTE * 1000000000UL / row->baud;
}

/* Event bits of a client's notification. */
enum { EVENT_BELL = 1, EVENT_LIFE = 2, EVENT_STOP = 4 };

/* So many bytes in all had been taken from the driver, and checked, at `ns`. */
struct bytes_read {
    uint64_t taken, ns;
};

enum { STOP_SENDING = 1, STOP_TAKE_ALL };

/*
 * Memory that a client shares with the program that measures, which only
 * reads it, but for `stop` and `ask`. `sent` and `check` are what the client has done so
 * far. samples[]: ns, round trips of PINGPONG, ages of MIX's slow messages.
 * reads[]: when what had come in was taken; with what QEMU notes about the wire
 * (uart16550.arrivals) that is the latency of each byte.
 */
struct report {
    volatile uint64_t stop;  /* 0, or STOP_*: send no more; then say so: */
    volatile uint64_t quiet; /* this end has sent all it will */
    volatile uint64_t ready; /* connected */
    volatile int64_t error;  /* the client gave up: enum error */
    volatile uint64_t sent;
    volatile uint64_t good;    /* received right so far */
    volatile uint64_t good_at; /* ns of that; 0: the two do not fit just now */
    volatile uint64_t sent_crc;
    volatile uint64_t received_crc;
    struct checker check;
    volatile uint64_t ask,
        told; /* the driver's counters: they are in count[] */
    volatile uint64_t count[UART_COUNTER_COUNT];
    volatile uint64_t slept; /* times it waited */
    uint64_t rounds; /* of the process that computes beside the driver */
    volatile uint64_t sample_count; /* ever; the first SAMPLES_MAX are kept */
    volatile uint64_t stamps[1024]; /* MIX: ns at which message i was given */
    uint32_t samples[SAMPLES_MAX];
    volatile uint64_t read_count; /* ever; the last READS_MAX are kept */
    struct bytes_read reads[READS_MAX];
};

/* ns: with -icount the cycle counter is that, see clock_check(). */
static inline uint64_t now(void)
{
    uint64_t ns;
    __asm__ volatile("rdcycle %0" : "=r"(ns));
    return ns;
}

/* Of a client or a computing process: the report it was given. */
struct report *map_report(const char *name);

int client_main(const struct row *row, unsigned end);
int busy_main(void);
int measure(const struct row *row, char **words);

/* Ends the program with a message if result is an error. */
int64_t must(int64_t result, const char *what);

#endif
