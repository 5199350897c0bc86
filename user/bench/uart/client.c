/*
 * The client at one end of the wire: makes what it sends, checks every byte
 * it gets, and writes down in its report how far it is.
 */
#include <uinta/clock.h>
#include <uinta/map.h>
#include <uinta/process.h>
#include "abi/errors.h"
#include "gen/syscalls.h"
#include "port.h"

enum { SPANS = 2 }; /* pieces of a ring's content: before its end, behind it */

static const struct row *row;
static unsigned end;
static struct report *mine, *theirs;
static uint64_t next_word;    /* to send */
static uint64_t next_message; /* MIX, slow end: ns at which it is due */
static bool sends, receives, checksum;
static uint64_t total; /* bytes taken from the driver */

/* Errors end the client; who measures finds them in the report. */
static bool failed(int64_t result)
{
    if (result >= 0)
        return false;
    mine->error = result;
    return true;
}

static bool paced(void)
{
    return row->load == MIX && end == 1;
}

static uint64_t message_ns(void)
{
    return row_wire_ns(row, MIX_MESSAGE) * MIX_SHARE;
}

static void sample(uint64_t ns)
{
    uint64_t i = mine->sample_count;
    if (i < SAMPLES_MAX)
        mine->samples[i] = ns;
    mine->sample_count = i + 1;
}

/* n bytes more have been checked, and are let go of. */
static void took(uint64_t n)
{
    uint64_t i = mine->read_count, time = now();
    total += n;
    mine->good_at = 0; /* row.h */
    mine->good = mine->check.good;
    mine->good_at = time;
    mine->reads[i % READS_MAX] = (struct bytes_read){total, time};
    __atomic_store_n(&mine->read_count, i + 1, __ATOMIC_RELEASE);
    port_took(n);
}

/* MIX, fast end: whole messages up to `position` are here: how old are they? */
static void note_ages(uint64_t before, uint64_t position)
{
    uint64_t time = now(), wire = row_wire_ns(row, MIX_MESSAGE);
    for (uint64_t m = before / MIX_MESSAGE; m < position / MIX_MESSAGE; m++) {
        uint64_t age = time - theirs->stamps[m % 1024];
        sample(age > wire ? age - wire : 0);
    }
}

/*
 * Take what is there: once around the ring and no more. Bytes come in while
 * these are looked at, and who chases them never sleeps. Negative: error.
 */
static int64_t receive(void)
{
    unsigned char *span;
    int64_t n;
    for (int spans = 0; spans < SPANS; spans++) {
        if ((n = port_in(&span)) <= 0)
            return n;
        uint64_t before = mine->check.position;
        if (checksum)
            mine->received_crc = crc_update(mine->received_crc, span, n);
        checker_take(&mine->check, span, n);
        if (row->load == MIX && end == 0)
            note_ages(before, mine->check.position);
        took(n);
    }
    return 0;
}

/* Make and give n bytes, whole words. */
static int64_t give(unsigned char *span, uint64_t n)
{
    content_fill(span, n, next_word);
    next_word += n / WORD;
    if (checksum)
        mine->sent_crc = crc_update(mine->sent_crc, span, n);
    mine->sent += n;
    return port_gave(n);
}

/* Fill the room there is, once around. */
static int64_t send_all(void)
{
    unsigned char *span;
    int64_t n;
    for (int spans = 0; spans < SPANS; spans++) {
        n = port_out(&span);
        if (n < WORD)
            return n < 0 ? n : 0;
        n = give(span, n & -WORD);
        if (n <= 0)
            return n;
    }
    return 0;
}

/* A message whenever one is due. */
static int64_t send_paced(void)
{
    unsigned char *span;
    uint64_t time = now();
    if (time < next_message)
        return 0;
    int64_t n = port_out(&span);
    if (n < MIX_MESSAGE)
        return n;
    mine->stamps[mine->sent / MIX_MESSAGE % 1024] = time;
    next_message += message_ns();
    return give(span, MIX_MESSAGE);
}

static int64_t send_some(void)
{
    if (!sends || mine->quiet)
        return 0;
    if (mine->stop) {
        int64_t out = port_flush();
        mine->quiet = out > 0;
        return out;
    }
    return paced() ? send_paced() : send_all();
}

/* Bytes that are worth waking up for; any, when no more will come. */
static uint64_t want_in(void)
{
    if (!receives)
        return 0;
    if (mine->stop == STOP_TAKE_ALL)
        return 1;
    if (row->load == MIX && end == 0)
        return MIX_MESSAGE;
    return row->gather ? row->gather : port_gather();
}

/* The driver's counters, when the end has come and they are asked for. */
static int64_t tell(void)
{
    if (!mine->ask || mine->told)
        return 0;
    int64_t result = port_counters(mine->count);
    __atomic_store_n(&mine->told, 1, __ATOMIC_RELEASE);
    return result;
}

/* The slow sender waits for its time, not for room. */
static int64_t wait(void)
{
    bool sending = sends && !mine->quiet;
    uint64_t deadline = DEADLINE_NEVER;
    if (sending && paced()) {
        uint64_t time = now();
        deadline =
            clock_deadline(next_message > time ? next_message - time : 0);
    }
    mine->slept++;
    return port_wait(want_in(), sending && !paced() ? port_gather() : 0,
                     deadline);
}

static int stream_bytes(void)
{
    next_message = now();
    for (;;) {
        if ((receives && failed(receive())) || failed(send_some()) ||
            failed(tell()) || failed(wait()))
            return 1;
    }
}

/* PINGPONG: batches of any size, so bytes and not words. */

static uint64_t byte_position;

static int64_t send_batch(void)
{
    unsigned char *span;
    uint64_t left = row->batch;
    while (left) {
        int64_t n = port_out(&span);
        if (n < 0 || (n == 0 && (n = port_wait(0, left, DEADLINE_NEVER)) < 0))
            return n;
        if ((uint64_t)n > left)
            n = left;
        for (int64_t i = 0; i < n; i++, byte_position++)
            span[i] = content_word(next_word + byte_position / WORD) >>
                      byte_position % WORD * 8;
        if (n > 0 && port_gave(n) < 0)
            return E_DEAD;
        mine->sent += n;
        left -= n;
    }
    return 1;
}

/* One batch: what is more than that is wrong, and is told so by the count. */
static int64_t receive_batch(uint64_t *have)
{
    unsigned char *span;
    while (*have < row->batch) {
        int64_t n = port_in(&span);
        if (n < 0)
            return n;
        if (n > 0) {
            checker_take(&mine->check, span, n);
            took(n);
            *have += n;
            continue;
        }
        mine->slept++;
        n = port_wait(row->batch - *have, 0, DEADLINE_NEVER);
        if (n < 0 || (n = tell()) < 0)
            return n;
    }
    *have -= row->batch;
    return 1;
}

static int ping_pong(void)
{
    uint64_t have = 0;
    while (end == 1) {
        if (failed(receive_batch(&have)) || failed(send_batch()))
            return 1;
    }
    while (!mine->stop) {
        uint64_t start = now();
        if (failed(send_batch()) || failed(receive_batch(&have)))
            return 1;
        sample(now() - start);
    }
    mine->quiet = 1;
    for (;;)
        if (failed(tell()) || failed(port_wait(0, 0, DEADLINE_NEVER)))
            return 1;
}

int client_main(const struct row *which, unsigned side)
{
    row = which;
    end = side;
    mine = map_report("mine");
    theirs = map_report("theirs");
    sends = row_sends(row, end);
    receives = row_receives(row, end);
    checksum = row->load == CHECKSUM;
    checker_init(&mine->check, !end);
    next_word = content_start(end);
    crc_init();
    if (row->late && end == 1)
        clock_sleep_ns(row->late);
    if (failed(port_open(row)))
        return 1;
    mine->ready = 1;
    /* Both ends first: a byte that nobody waits for is lost without need. */
    if (!row->late)
        sys_notification_wait(startup_handle("go"), 1, DEADLINE_NEVER);
    mine->good_at = now();
    return row->load == PINGPONG ? ping_pong() : stream_bytes();
}
