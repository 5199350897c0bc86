/*
 * User interrupts of this very thread, through user/lib: when they arrive,
 * what masks them, what wakes uintr_wait, that none is lost and none comes
 * twice. driver.c has those of other processes.
 */
#include "handlers.h"

TEST(registering)
{
    ready();
    EXPECT(sys_uintr_register(0), E_BUSY);
    EXPECT(sys_irq_attach(rtc_irq), E_BUSY);
    EXPECT(sys_irq_bind(rtc_irq, bell), E_BUSY);
    EXPECT(sys_irq_ack(rtc_irq), E_STATE);
    EXPECT(rtc_info().pid, startup_get()->pid);
}

TEST(direct_delivery)
{
    ready();
    volatile struct uintr_stats *stats =
        (volatile struct uintr_stats *)USER_UINTR_STATS;
    uint64_t direct = stats->direct[RTC_SOURCE], kernel = rtc_info().kernel;
    uintr_enable();
    for (uint64_t i = 1; i <= 100; i++) {
        rtc_raise_at(rtc);
        CHECK(DURING(LONG_US, externals == i));
    }
    uintr_disable();
    EXPECT(externals, 100);
    /* nearly all of them: the host may have let a time slice pass */
    CHECK(stats->direct[RTC_SOURCE] - direct > 50);
    EXPECT(stats->direct[RTC_SOURCE] - direct + rtc_info().kernel - kernel,
           100);
    EXPECT(uintr_unexpected, 0);
}

TEST(pending_when_unmasked)
{
    ready();
    for (uint64_t i = 1; i <= 20; i++) {
        rtc_raise_at(rtc);
        CHECK(!DURING(200, externals == i));
        uintr_enable();
        uint64_t now = externals; /* the very next instruction */
        uintr_disable();
        EXPECT(now, i);
    }
}

TEST(pending_when_its_class_is_enabled)
{
    ready();
    uintr_csr_clear(CSR_UIE, UIRQ_EXT);
    uintr_enable();
    rtc_raise_at(rtc);
    CHECK(!DURING(200, externals));
    CHECK(uintr_csr_read(CSR_UIP) & UIRQ_EXT);
    uintr_csr_set(CSR_UIE, UIRQ_EXT);
    uint64_t now = externals;
    uintr_disable();
    EXPECT(now, 1);
}

/* Raised in the handler of another: taken at its uret, not one later. */
TEST(pending_at_uret)
{
    ready();
    soft_raises = true;
    uintr_enable();
    for (uint64_t i = 1; i <= 20; i++) {
        uintr_csr_set(CSR_UIP, UIRQ_SOFT);
        uint64_t s = softs, e = externals;
        EXPECT(s, i);
        EXPECT(e, i);
    }
    uintr_disable();
}

/* Raised while the kernel works for us: taken at its sret. */
TEST(pending_at_sret)
{
    ready();
    sys_uintr_bind(note);
    uintr_enable();
    for (uint64_t i = 1; i <= 20; i++) {
        sys_doorbell_ring(bell);
        uint64_t now = softs;
        EXPECT(now, i);
        sys_notification_poll(note, 1);
    }
    /* and by the device, in the middle of a long call */
    for (uint64_t i = 1; i <= 10; i++) {
        rtc_alarm_in(30000);
        int64_t m = sys_memory_create(MEMORY_SIZE_MAX, 0);
        bool came = DURING(LONG_US, externals == i);
        sys_handle_close(m);
        CHECK(came);
    }
    uintr_disable();
    sys_uintr_bind(0);
}

TEST(event_during_the_drain)
{
    ready();
    raise_in_handler = 5;
    uintr_enable();
    rtc_raise_at(rtc);
    CHECK(DURING(LONG_US, externals == 6));
    uintr_disable();
    CHECK(!DURING(200, externals > 6));
}

TEST(external_before_soft)
{
    ready();
    rtc_raise_at(rtc);
    uintr_csr_set(CSR_UIP, UIRQ_SOFT);
    soft_raises = false;
    static volatile uint64_t seen;
    seen = 0;
    uintr_enable();
    seen = externals * 16 + softs;
    uintr_disable();
    EXPECT(seen, 17);
}

/* A spurious handler run would be counted as unexpected. */
TEST(stale_external_is_not_carried_over)
{
    volatile uint32_t *claim =
        (volatile uint32_t *)(USER_UINTR_PLIC + PLIC_CLAIM);
    int taken = 0;
    ready();
    for (int i = 0; i < 20; i++) {
        rtc_alarm_in(2000000);
        sys_notification_wait(0, 0, clock_deadline(6 * MS)); /* off the hart */
        int64_t source = sys_uintr_take();
        if (source == 0) { /* late: it would be taken for the next one, */
            RTC_REG(rtc, RTC_CLEAR_ALARM) = 1;
            rtc_clear_at(rtc);
            while ((source = *claim) || (source = sys_uintr_take()))
                *claim = source; /* and so would what the PLIC has kept */
            continue;
        }
        taken++;
        EXPECT(source, RTC_SOURCE);
        rtc_clear_at(rtc);
        *claim = source;
        EXPECT(uintr_csr_read(CSR_UIP) & UIRQ_EXT, 0);
        uintr_enable();
        uintr_disable();
        sys_thread_yield();
        clock_sleep_ns(MS);
        EXPECT(uintr_csr_read(CSR_UIP) & UIRQ_EXT, 0);
    }
    CHECK(taken > 0);
    EXPECT(externals, 0);
    EXPECT(uintr_unexpected, 0);
}

TEST(recorded_while_blocked_is_taken)
{
    ready();
    uint64_t taken = uintr_taken, kernel = rtc_info().kernel;
    uintr_enable();
    for (uint64_t i = 1; i <= 20; i++) {
        rtc_alarm_in(2000000);
        sys_notification_wait(0, 0, clock_deadline(8 * MS));
        CHECK(DURING(LONG_US, externals == i));
    }
    uintr_disable();
    CHECK(uintr_taken > taken);
    EXPECT(rtc_info().kernel - kernel, uintr_taken - taken);
    EXPECT(uintr_unexpected, 0);
}

/* ---- uintr_wait --------------------------------------------------------- */

TEST(wait_times_out)
{
    ready();
    uint64_t until = clock_deadline(5 * MS);
    EXPECT(sys_uintr_wait(until), E_TIMEDOUT);
    CHECK(clock_ticks() >= until);
    EXPECT(sys_uintr_wait(0), E_TIMEDOUT);
}

TEST(wait_does_not_sleep_on_a_pending_one)
{
    ready();
    rtc_raise_at(rtc);
    EXPECT(sys_uintr_wait(clock_deadline(2000 * MS)), OK);
    EXPECT(externals, 0); /* UIE is clear */
    uintr_enable();
    uintr_disable();
    EXPECT(externals, 1);
    uintr_csr_set(CSR_UIP, UIRQ_SOFT);
    EXPECT(sys_uintr_wait(clock_deadline(2000 * MS)), OK);
    uintr_enable();
    uintr_disable();
    EXPECT(softs, 1);
    sys_uintr_timer(clock_ticks());
    EXPECT(sys_uintr_wait(clock_deadline(2000 * MS)), OK);
    uintr_enable();
    uintr_disable();
    EXPECT(timers, 1);
}

TEST(wait_ignores_what_is_masked)
{
    ready();
    uintr_csr_write(CSR_UIE, UIRQ_TIMER);
    rtc_raise_at(rtc);
    EXPECT(sys_uintr_wait(clock_deadline(5 * MS)), E_TIMEDOUT);
    uintr_csr_set(CSR_UIP, UIRQ_SOFT);
    EXPECT(sys_uintr_wait(clock_deadline(5 * MS)), E_TIMEDOUT);
    uintr_csr_clear(CSR_UIP, UIRQ_SOFT);
    uintr_csr_write(CSR_UIE, UIRQ_ALL);
    EXPECT(sys_uintr_wait(clock_deadline(2000 * MS)), OK);
    uintr_enable();
    uintr_disable();
    EXPECT(externals, 1);
}

TEST(device_wakes_the_waiter)
{
    ready();
    for (uint64_t i = 1; i <= 20; i++) {
        rtc_alarm_in(1000000);
        EXPECT(sys_uintr_wait(clock_deadline(3000 * MS)), OK);
        uintr_enable();
        uintr_disable();
        EXPECT(externals, i);
    }
}

/* The same with UIE set: the handler has run when the call returns. */
TEST(handler_runs_on_the_way_back)
{
    ready();
    uintr_enable();
    for (uint64_t i = 1; i <= 20; i++) {
        rtc_alarm_in(1000000);
        while (externals < i)
            CHECK(sys_uintr_wait(clock_deadline(3000 * MS)) == OK);
    }
    uintr_disable();
    EXPECT(externals, 20);
}

/* ---- state -------------------------------------------------------------- */

/* uepc, ucause, uscratch, utval while others use the CSRs of this hart. */
TEST(state_survives_preemption)
{
    ready();
    MUST(sys_thread_set(0, -1, 1));
    struct child other;
    child_make(&other);
    script(&other, 0, SYS_uintr_register, 0, 0, 0, 0, 0, 0);
    script(&other, 1, SCRIPT_SPIN, 0, 0, 0, 0, 0, 0);
    child_run(&other, child_script, PRIORITY_NORMAL);
    MUST(sys_thread_set(other.thread, -1, 1));
    uintr_disable();
    uint64_t bad = 0;
    for (uint64_t i = 1; i <= 30 && !bad; i++) {
        uintr_csr_write(CSR_USCRATCH, i * 0x1111);
        uintr_csr_write(CSR_UEPC, 0x10000 + 4 * i);
        uintr_csr_write(CSR_UTVAL, ~i);
        uint64_t turns = other.data[8 + 7];
        uint64_t until = clock_deadline(3000 * MS);
        while (other.data[8 + 7] == turns && clock_ticks() < until)
            sys_thread_yield();
        bad |= uintr_csr_read(CSR_USCRATCH) != i * 0x1111;
        bad |= uintr_csr_read(CSR_UEPC) != 0x10000 + 4 * i;
        bad |= uintr_csr_read(CSR_UTVAL) != ~i;
        bad |= uintr_csr_read(CSR_UIE) != UIRQ_ALL;
    }
    child_kill(&other);
    MUST(sys_thread_set(0, -1, ~0u));
    EXPECT(bad, 0);
}

/* ---- giving it up ------------------------------------------------------- */

TEST(release_and_attach_again)
{
    ready();
    for (int i = 0; i < 10; i++) {
        rtc_raise_at(rtc); /* in flight */
        EXPECT(sys_irq_release(rtc_irq), OK);
        EXPECT(rtc_info().pid, 0);
        rtc_clear_at(rtc);
        EXPECT(sys_irq_attach(rtc_irq), OK);
        externals = 0;
        uintr_enable();
        rtc_clear_at(rtc);
        rtc_raise_at(rtc);
        CHECK(DURING(LONG_US, externals >= 1));
        uintr_disable();
    }
}

static int64_t release_it(void *arg)
{
    (void)arg;
    rtc_clear_at(rtc);
    return sys_irq_release(rtc_irq);
}

/*
 * A sibling releases a source that the kernel had recorded for us: UEIP must
 * not stay set, or the handler would run for ever.
 */
TEST(recorded_and_released_by_a_sibling)
{
    struct thread t;
    ready();
    for (int i = 0; i < 10; i++) {
        rtc_alarm_in(2000000);
        sys_notification_wait(0, 0, clock_deadline(6 * MS));
        MUST(thread_start(&t, release_it, NULL, 6));
        uint64_t until = clock_deadline(20 * MS);
        while (rtc_info().pid && clock_ticks() < until)
            ;
        EXPECT(thread_join(&t), OK);
        uintr_enable(); /* at most one empty run of the handler */
        uintr_disable();
        EXPECT(uintr_csr_read(CSR_UIP) & UIRQ_EXT, 0);
        EXPECT(sys_irq_attach(rtc_irq), OK);
    }
}

/* A driver that leaves the PLIC's threshold high hurts nobody else. */
TEST(threshold_of_another_driver)
{
    ready();
    MUST(sys_thread_set(0, -1, 1));
    uint64_t kernel = rtc_info().kernel;
    *(volatile uint32_t *)(USER_UINTR_PLIC + PLIC_THRESHOLD) = 7;
    uintr_enable();
    rtc_raise_at(rtc);
    /* or its turn ended, and the kernel has claimed it for us meanwhile */
    CHECK(!DURING(1000, externals) || rtc_info().kernel > kernel);
    /* somebody else's turn on this hart, then ours */
    struct child other;
    child_make(&other);
    script(&other, 0, SYS_thread_set, 0, -1, 1, 0, 0, 0);
    script(&other, 1, SYS_uintr_register, 0, 0, 0, 0, 0, 0);
    script(&other, 2, SCRIPT_EXIT, 0, 0, 0, 0, 0, 0);
    child_run(&other, child_script, 5);
    child_wait_end(&other, 2000);
    child_close(&other);
    *(volatile uint32_t *)(USER_UINTR_PLIC + PLIC_THRESHOLD) = 0;
    CHECK(DURING(LONG_US, externals == 1));
    uintr_disable();
    MUST(sys_thread_set(0, -1, ~0u));
}

TEST_MAIN
