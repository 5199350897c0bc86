/*
 * Every system call with random arguments, from a process that has only a
 * few handles. It may kill or block itself in any way: then the next one goes
 * on with the next seed, until a million calls have been made. Afterwards the
 * kernel must have all its memory back and still pass messages.
 */
#include "child.h"

enum {
    ROUNDS = 1000000,
    DRIVER_ROUNDS = 200000,
    STUCK_MS = 2, /* no progress for so long: it blocked */

    DONE = 0, /* indices in the shared page */
    LIMIT = 1,
    STATE = 2,
    LAST = 3,       /* the call being made and its arguments: 8 words */
    SUCCEEDED = 16, /* by call */
    CALLS = 80,
    SCRATCH = 1024 /* bytes */
};

static inline __attribute__((always_inline)) uint64_t
next(volatile uint64_t *data)
{
    uint64_t x = data[STATE];
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    data[STATE] = x;
    return x ^ x >> 29;
}

static BLOB uint64_t argument(volatile uint64_t *data)
{
    uint64_t r = next(data) >> 8, kind = r & 15;
    r >>= 4;
    if (kind < 6)
        return r % 17; /* a handle that may exist, a flag, a priority */
    if (kind == 6)
        return r & 0xfff;
    if (kind == 7)
        return (r & 0x3fff) << 12;
    if (kind == 8)
        return CHILD_DATA + SCRATCH + (r & 1023);
    if (kind == 9)
        return -(r & 31);
    if (kind == 10)
        return (-1UL << 38) + ((r & 0xfff) << 21) + (r >> 40 & 0xfff);
    if (kind == 11)
        return 1UL << (r & 63);
    if (kind == 12)
        return (r & 0xffff) << 16 | (r & 7); /* packed handles */
    if (kind == 13)
        return 4096 << (r & 7);
    if (kind == 14)
        return CHILD_TEXT + (r & 0x3ffe);
    return next(data);
}

static inline __attribute__((always_inline)) bool may_block(uint64_t call)
{
    return call == SYS_ipc_call || call == SYS_ipc_receive ||
           call == SYS_ipc_reply_receive;
}

/* Arguments that get far: the others are refused at the first check. */
static BLOB void likely(volatile uint64_t *data, uint64_t call)
{
    volatile uint64_t *a = data + LAST;
    uint64_t r = next(data);
    if (call == SYS_process_map) {
        a[1] = r & 1 ? 0 : (r >> 8) % 12;
        a[2] = (r >> 16) % 12;
        a[3] = (r >> 20 & 0xfff) << 12;
        a[4] = r >> 32 & 0x1000;
        a[5] = PAGE_SIZE << (r >> 36 & 1);
        a[6] = r >> 40 & 7;
    }
    if (call == SYS_thread_create) {
        a[1] = r & 1 ? 0 : (r >> 8) % 12;
        a[2] = CHILD_TEXT + (r >> 20 & 0xffe);
        a[3] = CHILD_STACK - (r >> 34 & 0xff0);
        a[5] = r >> 50 & 1;
        a[6] = r >> 51 & 0xf;
    }
    if (call == SYS_process_give) {
        a[1] = (r >> 8) % 12;
        a[2] = (r >> 16) % 12;
        a[3] = r >> 20 & R_ALL;
    }
    if (call == SYS_memory_slice) {
        a[1] = (r >> 8) % 12;
        a[2] = r >> 16 & 0x3000;
        a[3] = r >> 20 & 0x3000;
    }
}

static BLOB void fuzzer(volatile uint64_t *data)
{
    while (data[DONE] < data[LIMIT]) {
        uint64_t call = (next(data) >> 20) % CALLS, now;
        volatile uint64_t *a = data + LAST;
        if (call == SYS_process_exit || call == SYS_thread_exit)
            continue;
        if (may_block(call) && (next(data) >> 30) % 16)
            continue;
        a[0] = call;
        for (int i = 1; i < 7; i++)
            a[i] = argument(data);
        __asm__ volatile("rdtime %0" : "=r"(now));
        if (call == SYS_notification_wait && (next(data) >> 30) % 64)
            a[3] = now + (next(data) >> 54);
        if (call == SYS_uintr_wait && (next(data) >> 30) % 64)
            a[1] = now + (next(data) >> 54);
        if (next(data) >> 40 & 1)
            likely(data, call);
        data[DONE]++;
        if ((int64_t)blob_call(a[0], a[1], a[2], a[3], a[4], a[5], a[6]) >= 0)
            data[SUCCEEDED + call]++;
    }
    blob_call(SYS_process_exit, 0, 0, 0, 0, 0, 0);
}

/* Handles 1.. of the victim: one of each kind, as harmless as they come. */
static handle_t toys[8];
static int toy_count;

static void make_toys(int driver)
{
    int n = 0;
    toys[n++] = MUST(sys_endpoint_create());
    toys[n++] = MUST(sys_notification_create());
    toys[n++] = MUST(sys_doorbell_create(toys[1], 5));
    toys[n++] = MUST(sys_memory_create(4 * PAGE_SIZE, 0));
    if (driver && startup_handle("irq11")) {
        toys[n++] =
            MUST(sys_handle_dup(startup_handle("irq11"), R_ATTACH | R_DUP, 0));
        toys[n++] = MUST(sys_handle_dup(startup_handle("mmio11"),
                                        R_READ | R_WRITE | R_DUP, 0));
    }
    toy_count = n;
}

static void drop_toys(void)
{
    for (int i = 0; i < toy_count; i++)
        MUST(sys_handle_close(toys[i]));
}

static uint64_t succeeded[CALLS];

/* One victim, until it is done, dead, or stuck. Returns the calls it made. */
static uint64_t victim(uint64_t seed, uint64_t limit)
{
    struct child c;
    child_make_at(&c, PRIORITY_NORMAL);
    for (int i = 0; i < toy_count; i++)
        child_give(&c, toys[i]);
    c.data[STATE] = seed;
    c.data[LIMIT] = limit;
    child_run(&c, fuzzer, PRIORITY_NORMAL - 1);
    struct process_status s;
    uint64_t before, done = 0, still = 0;
    do {
        before = done;
        clock_sleep_ns(MS);
        done = c.data[DONE];
        still = done == before ? still + 1 : 0;
        MUST(sys_process_status(c.process, (uint64_t)&s));
    } while (s.reason == EXIT_RUNNING && still < STUCK_MS && done <= limit);
    MUST(sys_process_kill(c.process, 1));
    child_wait_end(&c, 5000);
    done = c.data[DONE];
    for (int i = 0; i < CALLS; i++)
        succeeded[i] += c.data[SUCCEEDED + i];
    child_close(&c);
    return done <= limit ? done : 0; /* it may have written there */
}

static void sanity(void)
{
    struct child c;
    handle_t e = MUST(sys_endpoint_create());
    child_make(&c);
    script(&c, 0, SYS_ipc_call, child_give(&c, e), 0, 123, 0, 0, 0);
    script(&c, 1, SCRIPT_EXIT, 7, 0, 0, 0, 0, 0);
    child_run(&c, child_script, 3);
    struct message m = {0};
    EXPECT(ipc_receive(e, &m), OK);
    EXPECT(m.word[0], 123);
    EXPECT(ipc_reply(&m), OK);
    EXPECT(child_wait_end(&c, 1000).code, 7);
    child_close(&c);
    MUST(sys_handle_close(e));
}

static uint64_t wanted_seed; /* 0: another each time */

static void fuzz(uint64_t rounds, int driver)
{
    uint64_t seed = wanted_seed, total = 0;
    if (!seed)
        seed = clock_ticks() * 0x9e3779b97f4a7c15UL | 1;
    int victims = 0;
    printf("# seed 0x%lx\n", seed);
    MUST(sys_thread_set(0, PRIORITY_DRIVER, 0)); /* over its victims */
    make_toys(driver);
    victim(seed, 1);
    drop_toys();
    struct test_snapshot before = test_snap(), after;
    uint64_t free = test_memory().free;
    make_toys(driver);
    while (total < rounds) {
        ALLOW_SECONDS(30);
        total += victim(seed += 0x9e3779b97f4a7c16UL, rounds - total);
        victims++;
    }
    printf("# %lu calls, %d processes; succeeded:", total, victims);
    for (int i = 0; i < CALLS; i++)
        if (succeeded[i])
            printf(" %d:%lu", i, succeeded[i]);
    printf("\n");
    drop_toys();
    /* what the last victim started may be less urgent, and not have ended yet */
    (void)EVENTUALLY(
        (after = test_snap(),
         !memcmp(after.objects, before.objects, sizeof(before.objects))),
        2000);
    sanity();
    CHECK(victims < (int)rounds / 10);
    for (int i = 0; i < OBJECT_TYPES; i++)
        if (after.objects[i] != before.objects[i])
            FAIL("objects of type %d: %lu before, %lu after", i,
                 before.objects[i], after.objects[i]);
    CHECK(after.handles == before.handles && after.mapped == before.mapped);
    EXPECT(test_memory().free, free);
}

TEST(random_calls)
{
    fuzz(ROUNDS, 0);
}

TEST(random_calls_of_a_driver)
{
    fuzz(DRIVER_ROUNDS, 1);
}

/* A first argument seed=NUMBER repeats what a failed run did. */
int main(int argc, char **argv)
{
    if (argc > 1 && !strncmp(argv[1], "seed=", 5)) {
        wanted_seed = strtoul(argv[1] + 5, NULL, 0);
        argc--;
        argv++;
    }
    return test_main(argc, argv); /* TEST_MAIN */
}
