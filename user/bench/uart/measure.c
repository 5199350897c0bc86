/*
 * Starts drivers and clients, lets them run, and prints the row: raw counts,
 * as one line of JSON. tools/benches/uart.py makes figures of them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uinta/clock.h>
#include <uinta/process.h>
#include "abi/errors.h"
#include "gen/syscalls.h"
#include "measure.h"

#define MS 1000000UL /* ns */

enum {
    WARM_UP_MS = 20,
    DRAIN_STEP_MS = 5,
    DRAIN_STEPS_MAX = 400,
    QUIET_STEPS = 60, /* nothing came for so long, longer than uart_watch() */
    CLOCK_LOOKS = 8
};

/*
 * The clock of all figures. With -icount the cycle counter is ns of guest
 * time, the same on all harts, and each instruction takes 16 (shift=4). It is
 * QEMU's clock, too, by which the UARTs note when a byte came.
 */
static void clock_check(void)
{
    uint64_t a, b, ticks = clock_ticks(), start = now();
    int looks = 0;
    do /* a turn of another hart may lie between the two */
        __asm__ volatile("rdcycle %0\n rdcycle %1" : "=r"(a), "=r"(b));
    while (b - a != 16 && ++looks < CLOCK_LOOKS);
    clock_sleep_ns(MS);
    uint64_t passed = now() - start;
    uint64_t by_timer = clock_ns_from_ticks(clock_ticks() - ticks);
    uint64_t apart = now() - clock_ns_from_ticks(clock_ticks());
    if (b - a == 16 && passed < by_timer + 1000 && by_timer < passed + 1000 &&
        apart + 1000 < 2000)
        return;
    printf(
        "uart: an instruction takes %lu ns here, and %lu ns by the timer are "
        "%lu by the cycle counter: no -icount shift=4 (`make bench "
        "BENCH=uart` has it)\n",
        b - a, by_timer, passed);
    exit(1);
}

static void take(const struct setup *s, struct snapshot *snap)
{
    /* The time first and last: what lies between is not in the figures. */
    snap->ns = now();
    for (unsigned h = 0; h < s->harts; h++) {
        struct hart_info info;
        must(sys_system_info(s->system, INFO_HART, h, (uint64_t)&info,
                             sizeof(info)),
             "hart");
        snap->idle[h] = info.idle;
    }
    for (unsigned e = 0; e < ENDS; e++) {
        const struct report *r = s->end[e].report;
        snap->sent[e] = r->sent;
        do { /* or a rate would be that of a batch more or less */
            snap->at[e] = r->good_at;
            snap->received[e] = r->good;
        } while (!snap->at[e] || snap->at[e] != r->good_at);
        snap->interrupts[e] = setup_interrupts(s, SOURCE_A + e);
        snap->slept[e] = r->slept;
        snap->reads[e] = r->read_count;
        snap->client[e] = setup_instructions(s, s->end[e].client);
        snap->driver[e] =
            s->end[e].driver ? setup_instructions(s, s->end[e].driver) : 0;
        snap->rounds[e] = __atomic_load_n(&r->rounds, __ATOMIC_RELAXED);
    }
}

static void sleep_until(uint64_t ns)
{
    uint64_t time = now();
    if (ns > time)
        clock_sleep_ns(ns - time);
}

static bool all_quiet(const struct setup *s)
{
    for (unsigned e = 0; e < ENDS; e++)
        if (row_sends(s->row, e) && s->row->load != PINGPONG &&
            !s->end[e].report->quiet)
            return false;
    return true;
}

static uint64_t arrived(const struct setup *s)
{
    uint64_t sum = 0;
    for (unsigned e = 0; e < ENDS; e++) {
        const struct checker *c = &s->end[e].report->check;
        sum += c->position + c->held + c->skipped;
    }
    return sum;
}

static void stop(const struct setup *s, uint64_t how)
{
    uint64_t last = 0;
    for (unsigned e = 0; e < ENDS; e++)
        s->end[e].report->stop = how;
    for (unsigned e = 0; e < ENDS; e++)
        must(sys_doorbell_ring(s->end[e].stop), "stop");
    for (int step = 0, same = 0; step < DRAIN_STEPS_MAX && same < QUIET_STEPS;
         step++) {
        clock_sleep_ns(DRAIN_STEP_MS * MS);
        uint64_t count = arrived(s);
        same = count == last && all_quiet(s) ? same + 1 : 0;
        last = count;
    }
    setup_check(s);
}

/*
 * What is on its way comes in; then the counts of both ends can be compared.
 * The clients go on as before until nothing moves: woken for every byte they
 * would spoil what the drivers count.
 */
static void drain(const struct setup *s)
{
    stop(s, STOP_SENDING);
    stop(s, STOP_TAKE_ALL);
}

/* Bytes of direction `from` that never came, and that came and were wrong. */
static void count_losses(const struct setup *s, unsigned from, uint64_t *lost,
                         uint64_t *wrong)
{
    const struct checker *c = &s->end[!from].report->check;
    uint64_t unplaced = c->held + c->skipped;
    uint64_t missing = s->end[from].report->sent - c->position;
    *lost = c->lost + (missing > unplaced ? missing - unplaced : 0);
    *wrong = c->wrong + (c->searching ? unplaced : 0);
}

static void print_pair(const char *name, const uint64_t before[ENDS],
                       const uint64_t after[ENDS])
{
    printf(", \"%s\": [%lu, %lu]", name, after[0] - before[0],
           after[1] - before[1]);
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Permille of the samples at which the distribution is told. */
static const unsigned quantiles[] = {0,   50,  100, 200, 300, 400, 500, 600,
                                     700, 800, 900, 950, 990, 999, 1000};

static void print_latency(struct report *r)
{
    uint64_t n = r->sample_count;
    if (n > SAMPLES_MAX)
        n = SAMPLES_MAX;
    if (n == 0)
        return;
    qsort(r->samples, n, sizeof(r->samples[0]), compare);
    printf(", \"samples\": %lu, \"quantiles\": [", n);
    for (unsigned i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++)
        printf("%s[%u, %u]", i ? ", " : "", quantiles[i],
               (unsigned)r->samples[(n - 1) * quantiles[i] / 1000]);
    printf("]");
}

/* What had been read after `count` pieces. */
static struct bytes_read read_after(const struct report *r, uint64_t count)
{
    return count ? r->reads[(count - 1) % READS_MAX] : (struct bytes_read){0};
}

/*
 * What a client read within the window, for who knows when the bytes came:
 * where and when that begins, then bytes:ns from each read to the next.
 */
static void print_reads(const struct report *r, char end, uint64_t from,
                        uint64_t to)
{
    enum { A_LINE = 64 };
    uint64_t kept = r->read_count > READS_MAX ? r->read_count - READS_MAX : 0;
    if (kept && from <= kept)
        from = kept + 1;
    if (from >= to)
        return;
    struct bytes_read last = read_after(r, from);
    printf("reads %c from %lu %lu", end, last.taken, last.ns);
    for (uint64_t i = from; i < to; i++) {
        struct bytes_read next = read_after(r, i + 1);
        if ((i - from) % A_LINE == 0)
            printf("\nreads %c", end);
        printf(" %lu:%lu", next.taken - last.taken, next.ns - last.ns);
        last = next;
    }
    printf("\n");
}

static void print_row(const struct setup *s, const struct snapshot *before,
                      const struct snapshot *after)
{
    const struct row *row = s->row;
    uint64_t lost[ENDS], wrong[ENDS], all_taken[ENDS];
    const uint64_t zero[ENDS] = {0};
    printf("{\"load\": \"%s\", \"mode\": \"%s\", \"flow\": \"%s\", "
           "\"delivery\": \"%s\", \"baud\": %lu, \"harts\": %u, "
           "\"place\": \"%s\"",
           load_names[row->load], row->mode, row->flow, setup_delivery(row),
           row->baud, s->harts, row->busy ? "busy" : "alone");
    if (row->load == PINGPONG)
        printf(", \"batch\": %lu", row->batch);
    printf(", \"ns\": %lu, \"idle\": [", after->ns - before->ns);
    for (unsigned h = 0; h < s->harts; h++)
        printf("%s%lu", h ? ", " : "",
               clock_ns_from_ticks(after->idle[h] - before->idle[h]));
    printf("]");
    print_pair("sent", before->sent, after->sent);
    print_pair("received", before->received, after->received);
    print_pair("received_ns", before->at, after->at);
    print_pair("interrupts", before->interrupts, after->interrupts);
    print_pair("slept", before->slept, after->slept);
    print_pair("client", before->client, after->client);
    print_pair("driver", before->driver, after->driver);
    if (row->busy)
        printf(", \"computed\": %lu", (after->rounds[0] - before->rounds[0] +
                                       after->rounds[1] - before->rounds[1]) *
                                          BUSY_ROUND);
    for (unsigned from = 0; from < ENDS; from++)
        count_losses(s, from, &lost[from], &wrong[from]);
    print_pair("lost", zero, lost);
    print_pair("wrong", zero, wrong);
    for (unsigned e = 0; e < ENDS; e++)
        all_taken[e] =
            read_after(s->end[e].report, s->end[e].report->read_count).taken;
    print_pair("taken", zero, all_taken);
    if (row->load == CHECKSUM)
        for (unsigned e = 0; e < ENDS; e++)
            printf(", \"crc_%c\": [%lu, %lu, %lu]", 'a' + e,
                   s->end[e].report->sent, s->end[e].report->sent_crc,
                   s->end[!e].report->received_crc);
    print_latency(s->end[0].report);
    setup_print_counters(s);
    printf("}\n");
}

int measure(const struct row *row, char **words)
{
    static struct snapshot before, after;
    static struct setup s;
    must(sys_thread_set(0, PRIORITIES - 1, 0), "priority");
    clock_check();
    setup_start(&s, row, words);
    setup_go(&s);
    clock_sleep_ns(WARM_UP_MS * MS);
    /*
     * From the middle of nowhere: the round trips of the start are not typical.
     */
    for (unsigned e = 0; e < ENDS; e++)
        s.end[e].report->sample_count = 0;
    take(&s, &before);
    sleep_until(before.ns + row->ms * MS);
    take(&s, &after);
    drain(&s);
    for (unsigned e = 0; e < ENDS; e++)
        print_reads(s.end[e].report, 'a' + e, before.reads[e], after.reads[e]);
    print_row(&s, &before, &after);
    return 0;
}
