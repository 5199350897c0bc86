/*
 * The UART server on two wired UARTs of the native machine: every mode and flow
 * control carries bytes both ways, what cannot be had is refused, a killed
 * driver is noticed. Elsewhere there are no wired UARTs, and all is skipped.
 */
#include "guest.h"

#include <uinta/async_stream.h>
#include <uinta/child.h>
#include <uinta/spawn.h>
#include <uinta/stream.h>
#include <uinta/uart_counters.h>
#include "gen/uart_client.h"

enum { BURST = 200, BURSTS = 100, KILLS = 25 };
enum { ENDS = 2, SOURCE = 12, BYTES = 4096, INPUT = 1, REFUSED_STATUS = 2 };
#define SOON (clock_ticks() + clock_ticks_from_ns(5000 * MS))

static struct end {
    handle_t service;
    int64_t pid;
    struct stream stream;
    uint64_t sent, got;
} ends[ENDS];

static int64_t start(int end, const char *mode, const char *flow,
                     const char *baud)
{
    static char words[ENDS][4][32];
    char mmio[12], irq[12];
    snprintf(mmio, sizeof(mmio), "mmio%d", SOURCE + end);
    snprintf(irq, sizeof(irq), "irq%d", SOURCE + end);
    if (!startup_handle(mmio))
        SKIP("no wired UARTs on this machine");
    snprintf(words[end][0], 32, "--mode=%s", mode);
    snprintf(words[end][1], 32, "--flow=%s", flow);
    snprintf(words[end][2], 32, "--baud=%s", baud);
    snprintf(words[end][3], 32, "source=%d", SOURCE + end);
    char *argv[] = {"uart",        words[end][0], words[end][1],
                    words[end][2], words[end][3], NULL};
    const struct spawn_handle handles[] = {
        {"mmio", startup_handle(mmio), 0},
        {"irq", startup_handle(irq), 0},
        {"service", ends[end].service, 0},
        {"log", test_system, R_WRITE},
    };
    const struct spawn_options options = {
        .priority = PRIORITY_DRIVER,
        .handles = handles,
        .handle_count = sizeof(handles) / sizeof(handles[0]),
    };
    return MUST(spawn_program("/server/uart", argv, NULL, &options));
}

static void stop(int end)
{
    struct process_status status;
    struct end *e = &ends[end];
    sys_process_kill(child_handle(e->pid), 9);
    EXPECT(child_wait(e->pid, 0, &status), e->pid);
    e->pid = 0;
}

static void begin(const char *mode, const char *flow)
{
    for (int i = 0; i < ENDS; i++)
        if (ends[i].pid) /* a case before this one has failed */
            stop(i);
    for (int i = 0; i < ENDS; i++) {
        struct end *e = &ends[i];
        *e = (struct end){.service = MUST(sys_endpoint_create())};
        e->pid = start(i, mode, flow, "1250000");
        EXPECT(stream_open(&e->stream, e->service, 0, 0, 0, 12288, INPUT), OK);
    }
}

static void finish(void)
{
    for (int i = 0; i < ENDS; i++) {
        stop(i);
        stream_close(&ends[i].stream);
        sys_handle_close(ends[i].service);
    }
}

static unsigned char content(int end, uint64_t at)
{
    return (at * 0x9e3779b97f4a7c15UL + end) >> 56 ^ at;
}

static void take(int end, const unsigned char *bytes, int64_t n)
{
    struct end *e = &ends[end];
    for (int64_t k = 0; k < n; k++, e->got++)
        if (bytes[k] != content(!end, e->got))
            FAIL("end %d: byte %lu is wrong", end, e->got);
}

/* What can be moved now, of `bytes` that each end is to send in all. */
static void move(uint64_t bytes)
{
    for (int i = 0; i < ENDS; i++) {
        struct end *e = &ends[i];
        unsigned char piece[256];
        uint64_t n = bytes - e->sent < 200 ? bytes - e->sent : 200;
        for (uint64_t k = 0; k < n; k++)
            piece[k] = content(i, e->sent + k);
        int64_t moved = n ? stream_try_write(&e->stream, piece, n) : 0;
        CHECK(moved >= 0 || moved == E_AGAIN);
        e->sent += moved > 0 ? moved : 0;
        moved = stream_try_read(&e->stream, piece, sizeof(piece));
        CHECK(moved > 0 || moved == E_AGAIN);
        take(i, piece, moved);
    }
}

/* What the drivers have counted, and what is in their clients' rings. */
static void explain(void)
{
    for (int i = 0; i < ENDS; i++) {
        const struct stream *s = &ends[i].stream;
        printf("end %d: sent %lu, %lu in its ring; state %ld; counters", i,
               ends[i].sent,
               ends[i].sent - s->out.shared->index[RING_CONSUMER].value,
               stream_state(s));
        for (uint64_t first = 0; first < UART_COUNTER_COUNT; first += 6) {
            uint64_t value[6] = {0};
            uart_counters(ends[i].service, first, value);
            for (int k = 0; k < 6 && first + k < UART_COUNTER_COUNT; k++)
                printf(" %lu", value[k]);
        }
        printf("\n");
    }
}

/* Both ways at once, from one thread. */
static void exchange(uint64_t bytes)
{
    uint64_t deadline = SOON, before = 0;
    while (ends[0].got < bytes || ends[1].got < bytes) {
        /* a busy host is slow: only standing still is a failure */
        if (ends[0].got + ends[1].got != before)
            deadline = SOON;
        before = ends[0].got + ends[1].got;
        move(bytes);
        if (clock_ticks() > deadline) {
            explain();
            FAIL("stuck at %lu and %lu of %lu", ends[0].got, ends[1].got,
                 bytes);
        }
        clock_sleep_ns(MS);
    }
}

/* v3: what a session has not delivered the next one sends, and counts, again. */
static void check_counters(int end)
{
    uint64_t value[6], more[6];
    EXPECT(uart_counters(ends[end].service, 0, value), UART_COUNTER_COUNT);
    EXPECT(uart_counters(ends[end].service, 6, more), UART_COUNTER_COUNT);
    uint64_t sessions = more[UART_SESSIONS - 6];
    uint64_t again = sessions ? 16 * (sessions - 1) : 0;
    CHECK(value[UART_BYTES_IN] == BYTES);
    CHECK(value[UART_BYTES_OUT] - BYTES <= again);
    CHECK(value[UART_OVERRUNS] == 0);
}

static void carries(const char *mode, const char *flow)
{
    begin(mode, flow);
    exchange(BYTES);
    for (int i = 0; i < ENDS; i++)
        check_counters(i);
    finish();
}

TEST(interrupt_v1)
{
    carries("interrupt", "v1");
}

TEST(interrupt_v2)
{
    carries("interrupt", "v2");
}

TEST(interrupt_v3)
{
    carries("interrupt", "v3");
}

TEST(async_v3)
{
    carries("async", "v3");
}

/* The last bytes of a burst do not wait in the driver for the next one. */
TEST(async_bursts_arrive_whole)
{
    begin("async", "v3");
    for (uint64_t round = 1; round <= BURSTS; round++)
        exchange(round * BURST);
    finish();
}

/*
 * The driver keeps bytes for a client that sleeps for more of them; one that has
 * thought better of it gets them all the same, and no other byte need come.
 */
TEST(async_keeps_bytes_only_a_while)
{
    static unsigned char piece[BURST];
    begin("async", "v3");
    struct ring *in = &ends[1].stream.in;
    CHECK(!ring_arm_wake(in, 10 * BURST));
    EXPECT(stream_write(&ends[0].stream, piece, BURST, SOON), BURST);
    clock_sleep_ns(4 * MS);
    ring_disarm(in);
    uint64_t end = SOON;
    while (ring_available(in, BURST) < BURST && clock_ticks() < end)
        clock_sleep_ns(MS);
    EXPECT(ring_available(in, BURST), BURST);
    finish();
}

TEST(async_unbuffered_v3)
{
    carries("async-unbuffered", "v3");
}

TEST(notify_v2)
{
    carries("notify", "v2");
}

TEST(notify_v3)
{
    carries("notify", "v3");
}

static void refused(const char *mode, const char *flow, const char *baud)
{
    struct process_status status;
    ends[0].service = MUST(sys_endpoint_create());
    int64_t pid = start(0, mode, flow, baud);
    EXPECT(child_wait(pid, 0, &status), pid);
    CHECK(status.reason == EXIT_EXITED);
    EXPECT((int64_t)status.code, REFUSED_STATUS);
    sys_handle_close(ends[0].service);
}

/*
 * Tasks at both ends: text goes from a source into the stream of one end, and
 * comes out of the other's, taken apart into lines.
 */
enum { LINES = 300, WIDTH = 120 };

static struct text {
    struct byte_source source;
    struct byte_sink sink;
    struct event never; /* neither ever waits */
    unsigned char made[LINE_MAX_BYTES], taken[LINE_MAX_BYTES];
    unsigned long done, number, checked;
} text;

static unsigned long line_of(unsigned long number, unsigned char *to)
{
    unsigned long n = number * 37 % WIDTH;
    memset(to, 'a' + number % 26, n);
    to[n] = '\n';
    return n + 1;
}

static int64_t text_look(struct byte_source *s, unsigned char **bytes)
{
    (void)s;
    if (text.number == LINES)
        return E_DEAD;
    *bytes = text.made + text.done;
    return line_of(text.number, text.made) - text.done;
}

static void text_took(struct byte_source *s, uint64_t n)
{
    (void)s;
    text.done += n;
    if (text.done < line_of(text.number, text.made))
        return;
    text.number++;
    text.done = 0;
}

static int64_t text_room(struct byte_sink *s, unsigned char **place)
{
    (void)s;
    *place = text.taken;
    return sizeof(text.taken);
}

static void text_gave(struct byte_sink *s, uint64_t n)
{
    (void)s;
    unsigned char line[LINE_MAX_BYTES];
    EXPECT(n, line_of(text.checked, line));
    CHECK(!memcmp(text.taken, line, n));
    text.checked++;
}

TEST(lines_over_the_wire)
{
    static struct async executor;
    static struct stream_ends streams[ENDS];
    static struct forward out, in;
    static struct lines lines;
    begin("async-unbuffered", "v3");
    text = (struct text){.source = {text_look, text_took, &text.never},
                         .sink = {text_room, text_gave, &text.never}};
    for (int i = 0; i < ENDS; i++)
        stream_ends_init(&streams[i], &ends[i].stream);
    lines_init(&lines, &streams[1].source);
    CHECK(async_forward(&executor, &out, &text.source, &streams[0].sink));
    CHECK(async_forward(&executor, &in, &lines.source, &text.sink));
    for (uint64_t late = SOON; text.checked < LINES;) {
        CHECK(clock_ticks() < late);
        if (!async_run(&executor))
            clock_sleep_ns(MS / 10);
        for (int i = 0; i < ENDS; i++) {
            struct stream *s = &ends[i].stream;
            int64_t events = sys_notification_poll(s->notification,
                                                   s->bell_bits | s->life_bits);
            if (events > 0)
                stream_ends_event(&streams[i], events);
        }
    }
    EXPECT(out.moved, in.moved);
    EXPECT(out.result, E_DEAD); /* the text is over; the wire goes on, */
    sys_process_kill(child_handle(ends[1].pid), 9); /* until it does not */
    int64_t events = MUST(sys_notification_wait(
        ends[1].stream.notification, ends[1].stream.life_bits, SOON));
    stream_ends_event(&streams[1], events);
    async_run(&executor);
    EXPECT(in.result, E_DEAD);
    finish();
}

TEST(what_cannot_be_had_is_refused)
{
    refused("fast", "v2", "1250000");
    refused("interrupt", "v9", "1250000");
    refused("interrupt", "v2", "4000000");
}

/* The second driver goes; the first one does not notice. */
TEST(an_owned_device_is_refused)
{
    static const char *const modes[] = {"interrupt", "notify", "async"};
    struct process_status status;
    begin("interrupt", "v2");
    exchange(BYTES / 4);
    for (int i = 0; i < 3; i++) {
        int64_t pid = start(0, modes[i], "v2", "1250000");
        EXPECT(child_wait(pid, 0, &status), pid);
        EXPECT((int64_t)status.code, REFUSED_STATUS);
    }
    exchange(BYTES);
    finish();
}

/* The client of a driver that dies hears of it, and goes on with the next. */
static void replace(int end, const char *mode)
{
    struct end *e = &ends[end];
    unsigned char piece[256];
    int64_t result;
    stop(end);
    while ((result = stream_read(&e->stream, piece, sizeof(piece), SOON)) > 0)
        take(end, piece, result);
    EXPECT(result, E_DEAD);
    e->pid = start(end, mode, "v3", "1250000");
    EXPECT(stream_reopen(&e->stream, e->service), OK);
}

/*
 * Drivers of both ends are killed in mid-transfer, at any moment, sometimes
 * both: each byte arrives, once.
 */
static void kills(const char *mode)
{
    uint64_t random = clock_ticks() | 1, bytes = 0;
    begin(mode, "v3");
    for (int kill = 0; kill < KILLS; kill++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        bytes += random % 400;
        move(bytes);
        clock_sleep_ns((random >> 20) % (2 * MS));
        replace(random >> 40 & 1, mode);
        if (random >> 41 & 1)
            exchange(bytes);
        else if (random >> 42 & 1)
            replace(~random >> 40 & 1, mode);
    }
    exchange(bytes);
    finish();
}

TEST(killed_in_mid_transfer)
{
    kills("interrupt");
}

TEST(killed_in_mid_transfer_async_unbuffered)
{
    kills("async-unbuffered");
}

TEST(killed_in_mid_transfer_notify)
{
    kills("notify");
}

TEST_MAIN
