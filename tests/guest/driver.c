/*
 * User interrupts of another process: a small driver of the RTC (child.h),
 * moved, preempted, blocked and killed by this program at chosen points.
 */
#include "driver.h"

TEST(driver_running)
{
    start_driver(PLAIN, SPIN, -1, 2);
    for (int i = 0; i < 50; i++)
        one_more();
    child_kill(&c);
    no_owner();
}

TEST(driver_in_uintr_wait)
{
    start_driver(PLAIN, WAIT, -1, 6);
    for (int i = 0; i < 50; i++) {
        SOON(child_state(&c) == THREAD_UINTR);
        one_more();
    }
    child_kill(&c);
    no_owner();
}

TEST(driver_yielding)
{
    start_driver(PLAIN, YIELD, -1, 3);
    for (int i = 0; i < 50; i++)
        one_more();
    child_kill(&c);
}

/* Preempted by something more urgent: the interrupt makes it most urgent. */
static int64_t spin_until(void *flag)
{
    while (!*(volatile int *)flag)
        ;
    return 0;
}

TEST(driver_preempted_is_boosted)
{
    static volatile int stop;
    struct thread spinner;
    int hart = test_harts() - 1, in_time = 0;
    uint64_t by_kernel = 0;
    start_driver(PLAIN, SPIN, hart, 2);
    one_more();
    MUST(sys_thread_set(0, 6, 0));
    for (int i = 0; i < 20; i++) {
        stop = 0;
        MUST(thread_start(&spinner, spin_until, (void *)&stop, 5));
        MUST(sys_thread_set(spinner.handle, -1, 1u << hart));
        clock_sleep_ns(2 * MS);
        uint64_t kernel = rtc_info().kernel, count = c.data[COUNT];
        rtc_raise_at(rtc);
        bool handled = EVENTUALLY(c.data[COUNT] == count + 1, 1000);
        by_kernel += rtc_info().kernel - kernel;
        stop = 1;
        thread_join(&spinner);
        in_time += handled;
        SOON(c.data[COUNT] == count + 1);
        SOON(c.data[STAGE] == 2);
    }
    MUST(sys_thread_set(0, PRIORITY_NORMAL, 0));
    /* a boost lasts one slice, and the host may stop a hart for longer */
    printf("# %d of 20 in time, %lu claimed by the kernel\n", in_time,
           by_kernel);
    CHECK(in_time >= 10);
    CHECK(by_kernel >= 10);
    one_more();
    child_kill(&c);
}

/*
 * Exactly: at once, before anybody else's next instruction, and for one slice
 * of 10 ms if the driver does not block; then it is what it was.
 */
TEST(boost_lasts_one_slice)
{
    if (test_harts() > 1 || !test_exact())
        SKIP("only with one hart and -icount");
    start_driver(PLAIN, SPIN, 0, 2);
    one_more();
    MUST(sys_thread_set(0, 6, 0));
    for (int i = 0; i < 20; i++) {
        uint64_t turns = c.data[TURNS], count = c.data[COUNT];
        uint64_t start = clock_ticks();
        rtc_raise_at(rtc);
        uint64_t us = clock_ns_from_ticks(clock_ticks() - start) / 1000;
        EXPECT(c.data[COUNT], count + 1);
        CHECK(c.data[TURNS] > turns);
        turns = c.data[TURNS];
        if (us < 9900 || us > 10200)
            FAIL("the boost lasted %lu us", us);
        while (clock_ticks() - start < clock_ticks_from_ns(30 * MS))
            ;
        EXPECT(c.data[TURNS], turns); /* less urgent than we are again */
        clock_sleep_ns(3 * MS);
        CHECK(c.data[TURNS] > turns);
    }
    MUST(sys_thread_set(0, PRIORITY_NORMAL, 0));
    child_kill(&c);
}

/* Blocking ends a boost: the driver waits for its turn like everybody. */
TEST(boost_ends_when_it_blocks)
{
    if (test_harts() > 1 || !test_exact())
        SKIP("only with one hart and -icount");
    start_driver(PLAIN, WAIT, 0, 2);
    one_more();
    MUST(sys_thread_set(0, 6, 0));
    for (int i = 0; i < 20; i++) {
        clock_sleep_ns(3 * MS); /* it waits, and is not loaded when we run */
        uint64_t turns = c.data[TURNS], count = c.data[COUNT];
        uint64_t start = clock_ticks();
        rtc_raise_at(rtc);
        uint64_t us = clock_ns_from_ticks(clock_ticks() - start) / 1000;
        EXPECT(c.data[COUNT], count + 1);
        EXPECT(c.data[TURNS], turns + 1);
        if (us > 300)
            FAIL("the boost lasted %lu us", us);
    }
    MUST(sys_thread_set(0, PRIORITY_NORMAL, 0));
    child_kill(&c);
}

/* Asleep for another reason: recorded, and taken when it runs again. */
TEST(recorded_while_asleep)
{
    start_driver(PLAIN, SLEEP, -1, 4);
    SOON(child_state(&c) == THREAD_WAITING);
    /* A real PLIC keeps the request that the owner before died with. */
    uint64_t count = c.data[COUNT], kernel = rtc_info().kernel;
    CHECK(count <= 1);
    rtc_raise_at(rtc);
    SOON(rtc_info().kernel == kernel + 1);
    clock_sleep_ns(20 * MS);
    EXPECT(c.data[COUNT], count);
    EXPECT(child_state(&c), THREAD_WAITING);
    EXPECT(rtc_info().kernel, kernel + 1);
    child_kill(&c);
    no_owner();
}

/* ---- claim here, complete there ----------------------------------------- */

static void migrate(const int *path, int steps)
{
    NEED_HARTS(2);
    start_driver(HOLD, SPIN, path[0], 2);
    for (int round = 0; round < 10; round++) {
        c.data[GO_ON] = 0;
        c.data[STAGE] = 0;
        uint64_t count = c.data[COUNT];
        MUST(sys_thread_set(c.thread, -1, 1u << path[0]));
        clock_sleep_ns(2 * MS);
        rtc_raise_at(rtc);
        SOON(c.data[STAGE] == 1);
        for (int i = 1; i < steps; i++) {
            MUST(sys_thread_set(c.thread, -1, 1u << path[i]));
            clock_sleep_ns(2 * MS);
        }
        c.data[GO_ON] = 1;
        SOON(c.data[STAGE] == 2);
        EXPECT(c.data[COUNT], count + 1);
        /* the device is not silent now */
        c.data[STAGE] = 0;
        rtc_raise_at(rtc);
        SOON(c.data[COUNT] == count + 2 && c.data[STAGE] == 2);
    }
    child_kill(&c);
}

TEST(migration_between_claim_and_complete)
{
    migrate((const int[]){0, 1}, 2);
}

TEST(migration_there_and_back)
{
    migrate((const int[]){0, 1, 0}, 3);
}

TEST(migration_over_all_harts)
{
    NEED_HARTS(4);
    migrate((const int[]){3, 2, 1, 0, 2}, 5);
}

/* Moved all the time while interrupts come all the time: none is lost. */
TEST(migration_storm)
{
    NEED_HARTS(2);
    unsigned harts = test_harts();
    start_driver(PLAIN, SPIN, 0, 2);
    for (unsigned i = 0; i < 300; i++) {
        uint64_t count = c.data[COUNT];
        rtc_raise_at(rtc);
        MUST(sys_thread_set(c.thread, -1, 1u << i % harts));
        SOON(c.data[COUNT] == count + 1);
    }
    child_kill(&c);
}

TEST(migration_storm_while_waiting)
{
    NEED_HARTS(2);
    unsigned harts = test_harts();
    start_driver(PLAIN, WAIT, 0, 6);
    for (unsigned i = 0; i < 300; i++) {
        uint64_t count = c.data[COUNT];
        MUST(sys_thread_set(c.thread, -1, 1u << i % harts));
        rtc_raise_at(rtc);
        SOON(c.data[COUNT] == count + 1);
    }
    child_kill(&c);
}

/* ---- CSRs --------------------------------------------------------------- */

/* Writes its own value to all of them, again and again, and checks them. */
static BLOB void csr_user(volatile uint64_t *d)
{
    uint64_t mine = d[1], bad = 0;
    blob_call(SYS_thread_set, 0, -1, d[5], 0, 0, 0);
    if (d[2])
        blob_call(SYS_uintr_register, 0, 0, 0, 0, 0, 0);
    d[8] = uintr_csr_read(CSR_USCRATCH) | uintr_csr_read(CSR_UEPC) |
           uintr_csr_read(CSR_UCAUSE) | uintr_csr_read(CSR_UTVAL) |
           uintr_csr_read(CSR_UTVEC) | uintr_csr_read(CSR_UIE) |
           uintr_csr_read(CSR_USTATUS);
    for (int i = 0; i < 200 && !bad; i++) {
        uintr_csr_write(CSR_USCRATCH, mine);
        uintr_csr_write(CSR_UEPC, mine << 4);
        uintr_csr_write(CSR_UTVAL, mine + 1);
        uintr_csr_write(CSR_UTVEC, mine << 8);
        for (volatile int k = 0; k < 500; k++)
            ;
        blob_call(SYS_thread_yield, 0, 0, 0, 0, 0, 0);
        bad = uintr_csr_read(CSR_USCRATCH) != mine ||
              uintr_csr_read(CSR_UEPC) != mine << 4 ||
              uintr_csr_read(CSR_UTVAL) != mine + 1 ||
              uintr_csr_read(CSR_UTVEC) != mine << 8;
        d[3]++;
    }
    d[4] = bad;
    blob_call(SYS_process_exit, 0, 0, 0, 0, 0, 0);
}

/* Four at a time, on one hart and then on any. */
static void csr_users(uint64_t mask)
{
    struct child k[4];
    for (int i = 0; i < 4; i++) {
        child_make(&k[i]);
        k[i].data[1] = 0x1000 + i * 0x111;
        k[i].data[2] = 1;
        k[i].data[5] = mask;
        child_run(&k[i], csr_user, 3);
    }
    for (int i = 0; i < 4; i++) {
        child_wait_end(&k[i], 20000);
        EXPECT(k[i].data[3], 200);
        EXPECT(k[i].data[4], 0);
        EXPECT(k[i].data[8], 0);
        child_close(&k[i]);
    }
}

TEST(csrs_are_the_threads_own)
{
    NEED_UINTR();
    csr_users(1);
    csr_users(~0u);
}

/*
 * A thread that never registered has no CSRs of its own: what it scribbles
 * there must not reach a driver, nor the driver's values the next scribbler.
 */
TEST(csrs_without_registering)
{
    NEED_UINTR();
    for (int i = 0; i < 6; i++) {
        struct child k;
        child_make(&k);
        k.data[1] = 0x4000 + i;
        k.data[2] = i % 2;
        k.data[5] = 1;
        child_run(&k, csr_user, 3);
        child_wait_end(&k, 20000);
        uint64_t found = k.data[8];
        child_close(&k);
        if (found && i > 0)
            FAIL("process %d finds 0x%lx of another", i, found);
    }
}

TEST_MAIN
