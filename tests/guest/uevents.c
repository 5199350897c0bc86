/* Timers and doorbells as user interrupts of the calling thread. */
#include "handlers.h"

/* ---- timers ------------------------------------------------------------- */

TEST(timer_fires)
{
    ready();
    uintr_enable();
    for (uint64_t i = 1; i <= 10; i++) {
        uint64_t at = clock_deadline(2 * MS);
        EXPECT(sys_uintr_timer(at), OK);
        CHECK(DURING(LONG_US, timers == i));
        CHECK(clock_ticks() >= at);
    }
    uintr_disable();
}

TEST(timer_can_be_disarmed)
{
    ready();
    uintr_enable();
    uint64_t at;
    do { /* once more if the host was away for so long */
        timers = 0;
        at = clock_deadline(100 * MS);
        sys_uintr_timer(at);
        sys_uintr_timer(DEADLINE_NEVER);
    } while (clock_ticks() >= at);
    CHECK(!DURING(150000, timers));
    sys_uintr_timer(clock_ticks());
    CHECK(DURING(LONG_US, timers == 1));
    uintr_disable();
}

/* The first of the hart's deadlines goes back behind itself and others. */
TEST(timer_armed_again_later)
{
    ready();
    uintr_enable();
    for (int i = 1; i <= 20; i++) /* before and behind the watchdog's 500 ms */
        EXPECT(sys_uintr_timer(clock_deadline((300 + 40 * i) * MS)), OK);
    EXPECT(sys_uintr_timer(clock_deadline(10000 * MS)), OK);
    CHECK(!DURING(100000, timers));
    EXPECT(sys_uintr_timer(clock_ticks()), OK);
    CHECK(DURING(LONG_US, timers == 1));
    uintr_disable();
}

TEST(two_close_timers)
{
    ready();
    uintr_enable();
    for (uint64_t i = 1; i <= 20; i++) {
        uint64_t at = clock_deadline(MS);
        next_deadline = at + 1; /* past when the handler asks for it */
        sys_uintr_timer(at);
        CHECK(DURING(LONG_US, timers == 2 * i));
    }
    uintr_disable();
}

static volatile uint64_t woken;

static uint64_t wake_sleeper(void *unused)
{
    (void)unused;
    woken = 1;
    uintr_woke();
    return DEADLINE_NEVER;
}

/*
 * With -icount a step is an instruction later, so that one of the interrupts
 * comes between any two from before the look to the sleep. A wake-up that is
 * lost there is lost for ever: the watchdog ends the program.
 */
TEST(no_wake_up_is_lost_before_a_sleep)
{
    enum { STEPS = 1500 };
    ready();
    uintr_on_timer(wake_sleeper, NULL);
    uintr_enable();
    for (uint64_t step = 0; step < STEPS; step++) {
        woken = 0;
        sys_uintr_timer(clock_deadline(MS / 50));
        uint64_t loops = step / 2 + 1;
        if (step & 1)
            __asm__ volatile("nop");
        __asm__ volatile("1: addi %0, %0, -1\nbnez %0, 1b" : "+r"(loops));
        while (!woken)
            uintr_sleep_unless(&woken);
    }
    uintr_disable();
    uintr_on_timer(on_timer, NULL);
}

TEST(timer_wakes_the_waiter)
{
    ready();
    for (uint64_t i = 1; i <= 10; i++) {
        uint64_t at = clock_deadline(2 * MS);
        sys_uintr_timer(at);
        EXPECT(sys_uintr_wait(clock_deadline(3000 * MS)), OK);
        CHECK(clock_ticks() >= at);
        uintr_enable();
        uintr_disable();
        EXPECT(timers, i);
    }
}

TEST(timer_while_blocked_elsewhere)
{
    ready();
    uintr_enable();
    sys_uintr_timer(clock_deadline(2 * MS));
    sys_notification_wait(0, 0, clock_deadline(6 * MS));
    CHECK(DURING(LONG_US, timers == 1));
    uintr_disable();
}

TEST(timer_after_migration)
{
    NEED_HARTS(2);
    ready();
    uintr_enable();
    for (uint64_t i = 1; i <= 20; i++) {
        MUST(sys_thread_set(0, -1, 1));
        sys_uintr_timer(clock_deadline(3 * MS));
        MUST(sys_thread_set(0, -1, 2)); /* hart 0 is idle from here */
        CHECK(DURING(LONG_US, timers == i));
    }
    /* UIE is clear from here, or the handler might run just before the wait */
    uintr_disable();
    for (uint64_t i = 21; i <= 40; i++) {
        MUST(sys_thread_set(0, -1, 1));
        sys_uintr_timer(clock_deadline(3 * MS));
        MUST(sys_thread_set(0, -1, 2));
        EXPECT(sys_uintr_wait(clock_deadline(3000 * MS)), OK);
        EXPECT(timers, i - 1);
        uintr_enable();
        uintr_disable();
        EXPECT(timers, i);
    }
    MUST(sys_thread_set(0, -1, ~0u));
}

/* ---- doorbells as interrupts -------------------------------------------- */

static volatile uint64_t produced;
static volatile int go;

static int64_t ring_once(void *delay)
{
    clock_sleep_ns((uint64_t)delay);
    produced++;
    return sys_doorbell_ring(bell);
}

static int64_t ring_once_on_hart_1(void *delay)
{
    int64_t error = sys_thread_set(0, -1, 2);
    return error < 0 ? error : ring_once(delay);
}

TEST(bell_reaches_a_running_thread)
{
    struct thread t;
    ready();
    MUST(sys_uintr_bind(note));
    uintr_enable();
    for (uint64_t i = 1; i <= 20; i++) {
        MUST(thread_start(&t, ring_once, (void *)(2 * MS), 5));
        bool came = DURING(LONG_US, softs == i);
        EXPECT(thread_join(&t), OK);
        CHECK(came);
        EXPECT(sys_notification_poll(note, 1), 1);
    }
    uintr_disable();
    sys_uintr_bind(0);
}

TEST(bell_wakes_uintr_wait)
{
    struct thread t;
    ready();
    MUST(sys_uintr_bind(note));
    for (uint64_t i = 1; i <= 20; i++) {
        MUST(thread_start(&t, ring_once, (void *)(2 * MS), 5));
        EXPECT(sys_uintr_wait(clock_deadline(3000 * MS)), OK);
        uintr_enable();
        uintr_disable();
        EXPECT(softs, i);
        EXPECT(thread_join(&t), OK);
        EXPECT(sys_notification_poll(note, 1), 1);
    }
    sys_uintr_bind(0);
}

TEST(bell_on_another_hart)
{
    NEED_HARTS(2);
    struct thread t;
    ready();
    MUST(sys_uintr_bind(note));
    MUST(sys_thread_set(0, -1, 1));
    uintr_enable();
    for (uint64_t i = 1; i <= 20; i++) {
        MUST(thread_start(&t, ring_once_on_hart_1, (void *)(3 * MS), 5));
        bool came = DURING(LONG_US, softs == i);
        EXPECT(thread_join(&t), OK);
        CHECK(came);
        sys_notification_poll(note, 1);
    }
    uintr_disable();
    sys_uintr_bind(0);
    MUST(sys_thread_set(0, -1, ~0u));
}

/* What was rung before the binding raises it too. */
TEST(bell_before_the_binding)
{
    ready();
    MUST(sys_doorbell_ring(bell));
    MUST(sys_uintr_bind(note));
    uintr_enable();
    uintr_disable();
    EXPECT(softs, 1);
    EXPECT(sys_notification_poll(note, 1), 1);
    sys_uintr_bind(0);
    MUST(sys_doorbell_ring(bell));
    uintr_enable();
    uintr_disable();
    EXPECT(softs, 1);
    sys_notification_poll(note, 1);
}

static volatile uint64_t consumed;

static void drain(void *arg)
{
    (void)arg;
    sys_notification_poll(note, 1);
    consumed = produced;
}

static int64_t ring_many(void *count)
{
    while (!go)
        sys_thread_yield();
    for (uint64_t i = 0; i < (uint64_t)count; i++) {
        __atomic_add_fetch(&produced, 1, __ATOMIC_SEQ_CST);
        if (sys_doorbell_ring(bell) != OK)
            return 1;
    }
    return 0;
}

/* Cleared before the drain: an event during it comes again. */
TEST(no_bell_is_lost)
{
    struct thread t;
    ready();
    produced = consumed = 0;
    go = 0;
    uintr_on_soft(drain, NULL);
    MUST(sys_uintr_bind(note));
    MUST(thread_start(&t, ring_many, (void *)3000, 3));
    go = 1;
    uintr_disable();
    uint64_t until = clock_deadline(20000 * MS);
    while (consumed < 3000 && clock_ticks() < until) {
        sys_uintr_wait(clock_deadline(1000 * MS));
        uintr_enable();
        uintr_disable();
    }
    int64_t result = thread_join(&t);
    uintr_on_soft(on_soft, NULL);
    sys_uintr_bind(0);
    EXPECT(result, 0);
    EXPECT(consumed, 3000);
}

TEST_MAIN
