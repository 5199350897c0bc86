/*
 * Who runs when and where: priorities, time slices, harts, sleeping.
 */
#include <uinta/thread.h>
#include "child.h"

enum { MANY = 8 };

static struct child kids[MANY];

/* Counts in data[0] until told otherwise. */
static BLOB void counter(volatile uint64_t *data)
{
    for (;;)
        data[0]++;
}

/* Writes where it is in line: data[1] = ticket; then exits. */
static BLOB void runs_once(volatile uint64_t *data)
{
    uint64_t now;
    __asm__ volatile("rdtime %0" : "=r"(now));
    data[1] = now;
    blob_call(SYS_process_exit, 0, 0, 0, 0, 0, 0);
}

static void start(int i, void (*fn)(volatile uint64_t *), int priority,
                  uint64_t mask)
{
    child_make(&kids[i]);
    child_run(&kids[i], fn, priority);
    if (mask) /* it may have ended already */
        sys_thread_set(kids[i].thread, -1, mask);
}

/* Runs above everything else of the case. */
static void above(void)
{
    MUST(sys_thread_set(0, PRIORITIES - 1, 1));
}

static void as_before(void)
{
    MUST(sys_thread_set(0, PRIORITY_NORMAL, ~0u));
}

static void kill_all(int n)
{
    for (int i = 0; i < n; i++)
        child_kill(&kids[i]);
}

/* On one hart, made ready in another order than they must run. */
TEST(order_of_priorities)
{
    NEED_HARTS(1);
    static const int order[] = {3, 0, 6, 1, 5, 2, 4};
    above();
    for (int i = 0; i < 7; i++) {
        child_make(&kids[i]);
        child_run(&kids[i], runs_once, order[i]);
        sys_thread_set(kids[i].thread, -1, 1);
    }
    as_before();
    uint64_t at[7];
    for (int i = 0; i < 7; i++) {
        EXPECT(child_wait_end(&kids[i], 5000).reason, EXIT_EXITED);
        at[order[i]] = kids[i].data[1];
        child_close(&kids[i]);
    }
    if (test_harts() == 1)
        for (int p = 1; p < 7; p++)
            CHECK(at[p] <= at[p - 1]);
}

/* They run there, or wait for it there; a move takes until its hart knows. */
static bool both_at_hart_0(void)
{
    return child_thread(&kids[0]).hart == 0 && child_thread(&kids[1]).hart == 0;
}

TEST(more_urgent_runs_alone)
{
    above();
    start(0, counter, 4, 1);
    start(1, counter, 3, 1);
    MUST(sys_thread_set(0, PRIORITIES - 1, test_harts() > 1 ? 2 : 1));
    bool come = EVENTUALLY(
        both_at_hart_0() && child_state(&kids[1]) == THREAD_READY, 5000);
    uint64_t low = kids[1].data[0], high = kids[0].data[0];
    clock_sleep_ns(100 * MS);
    uint64_t more = kids[1].data[0] - low;
    bool works = kids[0].data[0] > high;
    kill_all(2);
    as_before();
    CHECK(come && works);
    EXPECT(more, 0);
}

/* The first n have counted about as far as each other, at most ratio to one. */
static bool even(int n, unsigned ratio)
{
    uint64_t least = kids[0].data[0], most = least;
    for (int i = 1; i < n; i++) {
        uint64_t count = kids[i].data[0];
        least = count < least ? count : least;
        most = count > most ? count : most;
    }
    printf("# least %lu, most %lu\n", least, most);
    return least > 0 && most / ratio < least;
}

/*
 * Equals share a hart: each gets about its part. Where the clock is the host's,
 * it may stop the hart in anybody's turn: then in some more time.
 */
TEST(equals_take_turns)
{
    above();
    for (int i = 0; i < 4; i++)
        start(i, counter, 2, 1);
    bool fair = false;
    for (int more = test_exact() ? 1 : 10; more > 0 && !fair; more--) {
        clock_sleep_ns(600 * MS);
        fair = even(4, 4);
    }
    kill_all(4);
    as_before();
    CHECK(fair);
}

/*
 * The same while something more urgent wakes every 2 ms: a turn goes on where
 * it was interrupted, it does not begin anew for ever.
 */
TEST(slice_survives_preemption)
{
    above();
    start(0, counter, 2, 1);
    start(1, counter, 2, 1);
    for (int i = 0; i < 200; i++)
        clock_sleep_ns(2 * MS);
    bool fair = even(2, 6);
    kill_all(2);
    as_before();
    CHECK(fair);
}

/*
 * Someone else's loop has hart 0 for itself, without a turn to end: an equal
 * that joins it there, from another hart or because the first one sinks to
 * its priority, must make it take turns. Nothing else may end the loop's run:
 * most rounds count, for other timers (the watchdog's) end it now and then.
 */
static unsigned late_equals(bool sinks)
{
    unsigned late = 0;

    MUST(sys_thread_set(0, PRIORITIES - 1, 2));
    for (int i = 0; i < 11; i++) {
        start(0, counter, sinks ? 4 : 2, 1);
        bool ran = EVENTUALLY(kids[0].data[0], 2000);
        start(1, counter, 2, 1);
        if (sinks) {
            CHECK(EVENTUALLY(both_at_hart_0(), 5000));
            MUST(sys_thread_set(kids[0].thread, 2, 0));
        }
        late += !ran || !EVENTUALLY(kids[1].data[0], 150);
        kill_all(2);
    }
    as_before();
    printf("# %u of 11 late\n", late);
    return late;
}

TEST(equal_from_another_hart_gets_turns)
{
    NEED_HARTS(2);
    CHECK(late_equals(false) <= 5);
}

TEST(sinking_to_an_equal_ends_the_turn)
{
    NEED_HARTS(2);
    CHECK(late_equals(true) <= 5);
}

/* Each child has run, and there is one on every hart but ours. */
static bool all_at_work(unsigned harts)
{
    uint64_t used = 1;
    for (unsigned i = 0; i < harts; i++) {
        if (kids[i].data[0] == 0)
            return false;
        used |= 1u << child_thread(&kids[i]).hart;
    }
    return used == (1u << harts) - 1;
}

TEST(idle_harts_steal)
{
    unsigned harts = test_harts();
    NEED_HARTS(2);
    MUST(sys_thread_set(0, 6, 1));
    for (unsigned i = 0; i < harts; i++)
        start(i, counter, 2, 0);
    bool all = EVENTUALLY(all_at_work(harts), 5000);
    kill_all(harts);
    as_before();
    CHECK(all);
}

TEST(mask_moves_a_running_thread)
{
    unsigned harts = test_harts();
    NEED_HARTS(2);
    start(0, counter, 2, 0);
    for (unsigned i = 0; i < 40; i++) {
        MUST(sys_thread_set(kids[0].thread, -1, 1u << i % harts));
        CHECK(EVENTUALLY(child_thread(&kids[0]).hart == i % harts, 2000));
        uint64_t n = kids[0].data[0];
        CHECK(EVENTUALLY(kids[0].data[0] > n, 2000));
    }
    kill_all(1);
}

TEST(mask_moves_the_caller)
{
    unsigned harts = test_harts();
    for (unsigned i = 0; i < 100; i++)
        EXPECT(sys_thread_set(0, -1, 1u << i % harts), OK);
    MUST(sys_thread_set(0, -1, ~0u));
}

TEST(priority_of_a_running_thread)
{
    above();
    start(0, counter, 2, 1);
    start(1, counter, 2, 1);
    CHECK(EVENTUALLY(both_at_hart_0(), 5000));
    for (int i = 0; i < 10; i++) {
        struct child *up = &kids[i % 2], *down = &kids[1 - i % 2];
        MUST(sys_thread_set(up->thread, 4, 0));
        MUST(sys_thread_set(down->thread, 1, 0));
        uint64_t n = up->data[0];
        CHECK(EVENTUALLY(up->data[0] > n, 5000)); /* hart 0 has been told */
        uint64_t m = down->data[0];
        n = up->data[0];
        CHECK(EVENTUALLY(up->data[0] > n, 5000));
        EXPECT(down->data[0], m);
    }
    kill_all(2);
    as_before();
}

TEST(sleep_is_never_short)
{
    for (int i = 0; i < 50; i++) {
        uint64_t until = clock_ticks() + 1000 * (1 + i % 20);
        EXPECT(sys_notification_wait(0, 0, until), E_TIMEDOUT);
        CHECK(clock_ticks() >= until);
    }
}

/* ... and ends soon: the best of many, the host may be busy. */
TEST(sleep_is_not_long)
{
    uint64_t best = ~0UL;
    for (int i = 0; i < 30; i++) {
        uint64_t until = clock_deadline(2 * MS);
        sys_notification_wait(0, 0, until);
        uint64_t late = clock_ticks() - until;
        best = late < best ? late : best;
    }
    printf("# %lu ns late at best\n", clock_ns_from_ticks(best));
    CHECK(clock_ns_from_ticks(best) < 2 * MS);
}

static int64_t sleeper(void *ticks)
{
    uint64_t until = clock_ticks() + (uint64_t)ticks;
    sys_notification_wait(0, 0, until);
    return clock_ticks() < until;
}

TEST(many_sleepers)
{
    static struct thread t[32];
    for (int i = 0; i < 32; i++)
        MUST(thread_start(&t[i], sleeper, (void *)(uint64_t)(50000 - i * 1500),
                          3));
    for (int i = 0; i < 32; i++)
        EXPECT(thread_join(&t[i]), 0);
}

/* All harts in the kernel all the time: the lock starves none. */
static BLOB void hammer(volatile uint64_t *data)
{
    for (;;) {
        blob_call(SYS_null + 10, 1, 0, 0, 0, 0, 0); /* handle_type */
        data[0]++;
    }
}

TEST(kernel_lock_is_fair)
{
    unsigned harts = test_harts();
    NEED_HARTS(2);
    above();
    for (unsigned i = 0; i < harts; i++)
        start(i, hammer, 2, 1u << i);
    /* Counts are not compared: the host has fewer harts than we do. */
    bool all = true;
    for (unsigned i = 0; i < harts; i++)
        all = EVENTUALLY(kids[i].data[0] > 2000, 8000) && all;
    kill_all(harts);
    as_before();
    CHECK(all);
}

TEST_MAIN
