/* Calls and doorbells to other harts, and between priorities: who runs next. */
#include "server.h"

/* ---- other harts -------------------------------------------------------- */

static int64_t spin_until(void *flag)
{
    for (; !*(volatile int *)flag; turns++)
        ;
    return 0;
}

/*
 * How far a loop on hart 1 comes before what hart 0 sends interrupts it: by
 * its own turns, not by a clock, which goes on while the host runs neither.
 * Without an IPI it would not come before the end of a slice at best, 10 ms:
 * a million turns. The median counts: the host may stop hart 0 in between.
 */
enum { ROUNDS = 31, TURNS_MAX = 50000 };
static uint64_t took[ROUNDS];

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void check_median(void)
{
    qsort(took, ROUNDS, sizeof(took[0]), by_size);
    printf("# best %lu turns, median %lu, worst %lu\n", took[0],
           took[ROUNDS / 2], took[ROUNDS - 1]);
    if (took[ROUNDS / 2] > TURNS_MAX)
        FAIL("half the rounds took over %lu turns", took[ROUNDS / 2]);
}

/* The server is more urgent and waits on hart 1: the call interrupts. */
TEST(message_to_another_hart_needs_no_tick)
{
    NEED_HARTS(2);
    volatile int stop = 0;
    struct thread spinner;
    start_server(6);
    MUST(sys_thread_set(server.handle, -1, 2));
    MUST(thread_start(&spinner, spin_until, (void *)&stop, 3));
    MUST(sys_thread_set(spinner.handle, -1, 2));
    MUST(sys_thread_set(0, -1, 1));
    for (int i = 0; i < ROUNDS; i++) {
        struct message m = {.word = {TURNS}};
        uint64_t before = turns;
        CHECK(EVENTUALLY(turns != before, 3000)); /* it runs */
        before = turns;
        EXPECT(ipc_call(ep, &m), OK);
        took[i] = m.word[1] - before;
    }
    stop = 1;
    thread_join(&spinner);
    stop_server();
    MUST(sys_thread_set(0, -1, ~0u));
    check_median();
}

static handle_t ring_n, ring_bell;

static int64_t wait_and_stamp(void *stamp)
{
    int64_t event = sys_notification_wait(ring_n, 1, clock_deadline(5000 * MS));
    *(volatile uint64_t *)stamp = turns;
    return event;
}

TEST(event_for_another_hart_needs_no_tick)
{
    NEED_HARTS(2);
    volatile int stop = 0;
    struct thread spinner, waiter;
    ring_n = MUST(sys_notification_create());
    ring_bell = MUST(sys_doorbell_create(ring_n, 1));
    MUST(thread_start(&spinner, spin_until, (void *)&stop, 3));
    MUST(sys_thread_set(spinner.handle, -1, 2));
    MUST(sys_thread_set(0, -1, 1));
    for (int i = 0; i < ROUNDS; i++) {
        volatile uint64_t stamp = 0;
        MUST(thread_start(&waiter, wait_and_stamp, (void *)&stamp, 6));
        MUST(sys_thread_set(waiter.handle, -1, 2));
        clock_sleep_ns(3 * MS);
        uint64_t before = turns;
        MUST(sys_doorbell_ring(ring_bell));
        EXPECT(thread_join(&waiter), 1);
        took[i] = stamp - before;
    }
    stop = 1;
    thread_join(&spinner);
    MUST(sys_thread_set(0, -1, ~0u));
    MUST(sys_handle_close(ring_bell));
    MUST(sys_handle_close(ring_n));
    check_median();
}

/* ---- priorities --------------------------------------------------------- */

/* The call switches to a more urgent server at once, on one hart. */
TEST(urgent_server_runs_at_once)
{
    MUST(sys_thread_set(0, -1, 1));
    start_server(6);
    MUST(sys_thread_set(server.handle, -1, 1));
    struct message m = {.word = {ADD}};
    for (int i = 0; i < 100; i++)
        EXPECT((m = (struct message){.word = {ADD}}, ipc_call(ep, &m)), OK);
    stop_server();
    MUST(sys_thread_set(0, -1, ~0u));
}

/* A server less urgent than a loop on its only hart must wait for the loop. */
TEST(less_urgent_server_waits)
{
    volatile int stop = 0;
    struct thread spinner;
    unsigned mask = 1u << (test_harts() - 1);
    start_server(1);
    MUST(sys_thread_set(server.handle, -1, mask));
    MUST(sys_thread_set(0, 6, 0));
    MUST(thread_start(&spinner, spin_until, (void *)&stop, 5));
    MUST(sys_thread_set(spinner.handle, -1, mask));
    CHECK(EVENTUALLY(sibling(5).hart == test_harts() - 1, 5000));
    struct child c;
    start_caller(&c, ADD, 6);
    MUST(sys_thread_set(c.thread, -1, mask));
    clock_sleep_ns(30 * MS);
    uint64_t early = c.data[4];
    stop = 1;
    thread_join(&spinner);
    MUST(sys_thread_set(0, 3, 0));
    CHECK(EVENTUALLY(c.data[4], 1000));
    EXPECT(early, 0);
    child_kill(&c);
    stop_server();
}

TEST_MAIN
