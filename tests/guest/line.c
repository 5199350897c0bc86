/*
 * Two UART servers on two wired UARTs, a client at each end, and a wire that
 * tests/test_uart_line.py makes bad meanwhile. Everything that a client can
 * know is printed; what is right is for the test to say.
 *
 *   line [mode=M] [flow=F] [baud=N] [word=W] [trigger=N] [from=a|b|ab]
 *        [bytes=N] [ms=N] [minutes=N] [stream=N] [reads=late] [move=1]
 *
 * from: who sends; until `bytes` are sent or `ms` are over. stream: bytes of
 * memory of a client's stream. reads=late: nobody reads before everything is
 * with the drivers. move=1: every millisecond both drivers and this program go
 * to another hart.
 *
 *   running             a tenth of `ms` is over
 *   stalled, flows      of a direction: nothing came for STALL_MS; again
 *   at S s a>b N b>a N  every ten seconds
 *   wire a sent N got N crc X wrong N at N     of the bytes that came to a
 *   counters a N ...    of its driver, in the order of uart_counters.h
 *   error a POSITION WHAT     the first ones
 *   told a forgotten N errors N crc X overruns N crc X
 *   moved N             times
 *   through, or stuck   before everything was sent
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uinta/child.h>
#include <uinta/clock.h>
#include <uinta/process.h>
#include <uinta/spawn.h>
#include <uinta/stream.h>
#include <uinta/thread.h>
#include <uinta/uart_counters.h>
#include "abi/errors.h"
#include "abi/info.h"
#include "gen/syscalls.h"
#include "gen/uart_client.h"

#define MS 1000000UL /* ns */
enum { A, B, ENDS, SOURCE = 12, INPUT = 1 };
enum { SHOWN = 20 };
enum { STALL_MS = 200, GIVE_UP_MS = 60000, PIECE = 2048, WORDS_MAX = 12 };
enum { SETTLE_MS = 500 }; /* nothing came for so long: nothing is on its way */

static struct end {
    handle_t service, thread;
    int64_t pid;
    struct stream stream;
    bool sends, stalled;
    uint64_t sent, got, wrong, first_wrong;
    uint64_t heard; /* ticks at which something came */
    uint64_t errors, forgotten;
    struct told {
        uint64_t count;
        uint32_t crc;
    } told[2]; /* [1]: overruns */
    uint32_t crc, hart;
} ends[ENDS];

static const char *driver_words[WORDS_MAX];
static unsigned driver_word_count;
static uint64_t bytes, ms, stream_size = 36 * 1024;
static bool reads_late, moves;
static uint64_t started, moved, harts;
static volatile bool ended;

static int64_t must(int64_t result, const char *what)
{
    if (result >= 0)
        return result;
    printf("line: %s: %s\n", what, error_text(result));
    exit(1);
}

static uint64_t now_ms(void)
{
    return clock_ns_from_ticks(clock_ticks()) / MS;
}

/* Drivers. */

static void start(unsigned i)
{
    struct end *e = &ends[i];
    char mmio[12], irq[12], source[16], words[WORDS_MAX][32];
    char *argv[WORDS_MAX + 3] = {"uart", source};
    snprintf(mmio, sizeof(mmio), "mmio%u", SOURCE + i);
    snprintf(irq, sizeof(irq), "irq%u", SOURCE + i);
    snprintf(source, sizeof(source), "source=%u", SOURCE + i);
    if (!startup_handle(mmio)) {
        printf("line: no wired UARTs: MACHINE=native has them\n");
        exit(2);
    }
    for (unsigned w = 0; w < driver_word_count; w++) {
        snprintf(words[w], sizeof(words[w]), "--%s", driver_words[w]);
        argv[2 + w] = words[w];
    }
    e->service = must(sys_endpoint_create(), "endpoint");
    const struct spawn_handle handles[] = {
        {"mmio", startup_handle(mmio), 0},
        {"irq", startup_handle(irq), 0},
        {"service", e->service, 0},
        {"log", startup_handle("system"), R_WRITE}};
    const struct spawn_options options = {.priority = PRIORITY_DRIVER,
                                          .handles = handles,
                                          .handle_count = 4,
                                          .thread = &e->thread};
    e->pid = must(spawn_program("/server/uart", argv, NULL, &options),
                  "/server/uart");
    must(stream_open(&e->stream, e->service, 0, 0, 0, stream_size, INPUT),
         "connect");
}

static void check_driver(unsigned i)
{
    struct process_status status;
    char how[96];
    if (child_status(ends[i].pid, &status) < 0 || status.reason == EXIT_RUNNING)
        return;
    child_describe(how, sizeof(how), &status);
    printf("line: driver %c: %s\n", 'a' + i, how);
    exit(1);
}

/* Moving. */

static uint64_t random_next(void)
{
    static uint64_t x = 88172645463325252UL;
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    return x >> 11;
}

/* To a hart that it is not on. */
static void move(handle_t thread, uint32_t *hart)
{
    *hart = (*hart + 1 + random_next() % (harts - 1)) % harts;
    must(sys_thread_set(thread, -1, 1u << *hart), "move");
}

/* In time, whoever else wants to run: this thread is the most urgent one. */
static void move_all(handle_t clients)
{
    uint32_t hart = 0;
    uint64_t step = clock_ticks_from_ns(MS), next = clock_ticks() + step;
    must(sys_thread_set(0, PRIORITIES - 1, 0), "priority");
    for (; !ended; next += step) {
        for (unsigned i = 0; i < ENDS; i++)
            move(ends[i].thread, &ends[i].hart);
        move(clients, &hart);
        moved++;
        sys_notification_wait(0, 0, next);
    }
}

/* Clients. */

static unsigned char content(unsigned end, uint64_t at)
{
    uint64_t x = (at + 1) * 0x9e3779b97f4a7c15UL;
    x ^= x >> 29;
    return (x * 0xbf58476d1ce4e5b9UL >> 56) + end;
}

static uint32_t crc_table[256];

static void crc_init(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int bit = 0; bit < 8; bit++)
            c = c >> 1 ^ (c & 1 ? 0xedb88320 : 0);
        crc_table[i] = c;
    }
}

static uint32_t crc_of(uint32_t crc, const unsigned char *p, uint64_t n)
{
    crc = ~crc;
    while (n--)
        crc = crc >> 8 ^ crc_table[(crc ^ *p++) & 0xff];
    return ~crc;
}

static bool sending(unsigned i)
{
    struct end *e = &ends[i];
    return e->sends && (ms ? now_ms() - started < ms : e->sent < bytes);
}

static void send_some(unsigned i)
{
    struct end *e = &ends[i];
    unsigned char piece[PIECE];
    while (sending(i)) {
        uint64_t n = PIECE;
        if (!ms && bytes - e->sent < n)
            n = bytes - e->sent;
        for (uint64_t k = 0; k < n; k++)
            piece[k] = content(i, e->sent + k);
        int64_t done = stream_try_write(&e->stream, piece, n);
        if (done == E_AGAIN)
            return;
        e->sent += must(done, "write");
    }
}

static void receive_some(unsigned i)
{
    struct end *e = &ends[i];
    unsigned char piece[PIECE];
    for (int pieces = 0; pieces < 16; pieces++) {
        int64_t n = stream_try_read(&e->stream, piece, PIECE);
        if (n == E_AGAIN)
            return;
        must(n, "read");
        e->crc = crc_of(e->crc, piece, n);
        for (int64_t k = 0; k < n; k++)
            if (piece[k] != content(!i, e->got + k) && !e->wrong++)
                e->first_wrong = e->got + k;
        e->got += n;
        e->heard = now_ms();
        if (e->stalled)
            printf("flows %c>%c\n", 'a' + !i, 'a' + i);
        e->stalled = false;
    }
}

/* As the test sums up what it expects: 8 bytes of position, 1 of what. */
static void take_error(struct end *e, uint64_t position, uint64_t what)
{
    struct told *t = &e->told[what == UART_ERROR_OVERRUN];
    unsigned char entry[9];
    for (int i = 0; i < 8; i++)
        entry[i] = position >> 8 * i;
    entry[8] = what;
    t->crc = crc_of(t->crc, entry, sizeof(entry));
    if (t->count++ < SHOWN)
        printf("error %c %lu %lu\n", e == &ends[A] ? 'a' : 'b', position, what);
}

static void take_errors(unsigned i)
{
    struct end *e = &ends[i];
    uint64_t position = 0, what = 0;
    int64_t result;
    while ((result = uart_error(e->service, e->errors, &position, &what)) !=
           E_NOENT) {
        if (result == E_RANGE) { /* `position`: the oldest that it knows */
            e->forgotten += position - e->errors;
            e->errors = position;
            continue;
        }
        must(result, "error");
        take_error(e, position, what);
        e->errors++;
    }
}

/* The direction to this end: does nothing come although something should? */
static void note_stall(unsigned i)
{
    struct end *e = &ends[i];
    if (ends[!i].sends && !e->stalled && now_ms() - e->heard > STALL_MS) {
        printf("stalled %c>%c\n", 'a' + !i, 'a' + i);
        e->stalled = true;
    }
}

/* Everything that was to be sent has come, or is not going to. */
static bool through(void)
{
    bool all = true, quiet = true;
    for (unsigned i = 0; i < ENDS; i++) {
        struct end *e = &ends[i];
        struct ring *r = &e->stream.out;
        if (sending(i))
            return false;
        all = all && e->got == ends[!i].sent;
        /* v3 keeps up to 7 bytes there, which have come: 8 are a credit */
        quiet = quiet && now_ms() - e->heard >= SETTLE_MS &&
                ring_available(r, r->capacity) == (int64_t)r->capacity;
    }
    return all || quiet;
}

static void tell(void)
{
    static uint64_t tens;
    static bool running;
    uint64_t passed = now_ms() - started;
    if (ms && !running && passed > ms / 10) {
        printf("running\n");
        running = true;
    }
    if (passed / 10000 > tens) {
        tens = passed / 10000;
        printf("at %lu s a>b %lu b>a %lu\n", tens * 10, ends[B].got,
               ends[A].got);
    }
}

/* False: not everything could be sent. */
static bool transfer(void)
{
    while (!through()) {
        bool reading = !reads_late || !(sending(A) || sending(B));
        tell();
        for (unsigned i = 0; i < ENDS; i++) {
            struct end *e = &ends[i];
            check_driver(i);
            send_some(i);
            if (reading)
                receive_some(i);
            else
                e->heard = now_ms();
            note_stall(i);
            take_errors(i);
        }
        if (now_ms() - ends[A].heard > GIVE_UP_MS &&
            now_ms() - ends[B].heard > GIVE_UP_MS)
            return false;
        clock_sleep_ns(MS);
    }
    return true;
}

/* Both clients, in a thread that can be moved; 0: everything came through. */
static int64_t clients(void *unused)
{
    (void)unused;
    bool whole = transfer();
    ended = true;
    return !whole;
}

static void print_end(unsigned i)
{
    struct end *e = &ends[i];
    uint64_t value[6];
    printf("wire %c sent %lu got %lu crc %08x wrong %lu at %lu\n", 'a' + i,
           e->sent, e->got, (unsigned)e->crc, e->wrong, e->first_wrong);
    printf("told %c forgotten %lu errors %lu crc %08x overruns %lu crc %08x\n",
           'a' + i, e->forgotten, e->told[0].count, (unsigned)e->told[0].crc,
           e->told[1].count, (unsigned)e->told[1].crc);
    printf("counters %c", 'a' + i);
    for (unsigned first = 0; first < UART_COUNTER_COUNT; first += 6) {
        must(uart_counters(e->service, first, value), "counters");
        for (unsigned k = 0; k < 6 && first + k < UART_COUNTER_COUNT; k++)
            printf(" %lu", value[k]);
    }
    printf("\n");
}

/* Not every byte came to this end, or not as it was sent. */
static bool spoiled(unsigned i)
{
    return ends[i].wrong || ends[i].got != ends[!i].sent;
}

static bool option(const char *word)
{
    static const char *const of_driver[] = {
        "mode=", "flow=", "baud=", "word=", "trigger="};
    for (unsigned i = 0; i < sizeof(of_driver) / sizeof(of_driver[0]); i++)
        if (!strncmp(word, of_driver[i], strlen(of_driver[i]))) {
            driver_words[driver_word_count++] = word;
            return driver_word_count < WORDS_MAX;
        }
    if (!strncmp(word, "from=", 5)) {
        ends[A].sends = strchr(word + 5, 'a');
        ends[B].sends = strchr(word + 5, 'b');
        return ends[A].sends || ends[B].sends;
    }
    if (!strncmp(word, "bytes=", 6))
        return (bytes = strtoul(word + 6, NULL, 10)) != 0;
    if (!strncmp(word, "ms=", 3))
        return (ms = strtoul(word + 3, NULL, 10)) != 0;
    if (!strncmp(word, "minutes=", 8))
        return (ms = strtoul(word + 8, NULL, 10) * 60000) != 0;
    if (!strncmp(word, "stream=", 7))
        return (stream_size = strtoul(word + 7, NULL, 10)) != 0;
    if (!strcmp(word, "reads=late"))
        return reads_late = true;
    if (!strcmp(word, "move=1"))
        return moves = true;
    return false;
}

int main(int argc, char **argv)
{
    struct hart_info info;
    setvbuf(stdout, NULL, _IOLBF, 512);
    ends[A].sends = ends[B].sends = true;
    bytes = 4096;
    for (int i = 1; i < argc; i++)
        if (!option(argv[i])) {
            printf("line: '%s' is not known; there are: mode= flow= baud= "
                   "word= trigger= (of /server/uart) from=a|b|ab bytes=N ms=N "
                   "minutes=N stream=N reads=late move=1\n",
                   argv[i]);
            return 2;
        }
    while (sys_system_info(startup_handle("system"), INFO_HART, harts,
                           (uint64_t)&info, sizeof(info)) == OK)
        harts++;
    if (moves && harts < 2) {
        printf("line: move=1 needs two harts\n");
        return 2;
    }
    crc_init();
    for (unsigned i = 0; i < ENDS; i++)
        start(i);
    started = now_ms();
    for (unsigned i = 0; i < ENDS; i++)
        ends[i].heard = started;
    static struct thread thread;
    must(thread_start(&thread, clients, NULL, -1), "thread");
    if (moves)
        move_all(thread.handle);
    int64_t stuck = thread_join(&thread);
    for (unsigned i = 0; i < ENDS; i++) {
        take_errors(i);
        print_end(i);
    }
    printf("moved %lu\n%s\n", moved, stuck ? "stuck" : "through");
    return stuck || spoiled(A) || spoiled(B);
}
