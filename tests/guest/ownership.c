/*
 * A driver that ends with an interrupt in flight, in each state: the next one
 * gets the device in order. Who may own a source; the notify way.
 */
#include "driver.h"

/* ---- death with an interrupt in flight ---------------------------------- */

/* By notification, where there are no user interrupts. */
static void next_notified(void)
{
    rtc_need();
    handle_t n = MUST(sys_notification_create());
    handle_t bell = MUST(sys_doorbell_create(n, 1));
    EXPECT(sys_irq_bind(rtc_irq, bell), OK);
    for (int i = 0; i < 3; i++) {
        rtc_raise_at(rtc);
        EXPECT(sys_notification_wait(n, 1, clock_deadline(1000 * MS)), 1);
        rtc_clear_at(rtc);
        EXPECT(sys_irq_ack(rtc_irq), OK);
    }
    EXPECT(sys_irq_release(rtc_irq), OK);
    sys_handle_close(bell);
    sys_handle_close(n);
    no_owner();
}

/* A new driver gets interrupts again. */
static void next_driver(void)
{
    no_owner();
    rtc_clear_at(rtc);
    if (startup_get()->delivery == DELIVERY_NONE)
        return next_notified();
    start_driver(PLAIN, SPIN, -1, 2);
    for (int i = 0; i < 3; i++)
        one_more();
    child_kill(&c);
    no_owner();
}

TEST(killed_between_claim_and_complete)
{
    for (int i = 0; i < 10; i++) {
        start_driver(HOLD, SPIN, -1, 2);
        rtc_raise_at(rtc);
        SOON(c.data[STAGE] == 1);
        child_kill(&c);
        next_driver();
    }
}

TEST(killed_with_the_line_still_high)
{
    for (int i = 0; i < 5; i++) {
        start_driver(NO_CLEAR, SPIN, -1, 2);
        c.data[MODE] = HOLD;
        rtc_raise_at(rtc);
        SOON(c.data[STAGE] == 1);
        rtc_raise_at(rtc);
        child_kill(&c);
        next_driver();
    }
}

TEST(killed_on_another_hart_than_it_claimed)
{
    NEED_HARTS(2);
    for (int i = 0; i < 10; i++) {
        start_driver(HOLD, SPIN, 0, 2);
        rtc_raise_at(rtc);
        SOON(c.data[STAGE] == 1);
        MUST(sys_thread_set(c.thread, -1, 2));
        clock_sleep_ns(2 * MS);
        child_kill(&c);
        next_driver();
    }
}

TEST(exit_in_the_handler)
{
    for (int i = 0; i < 10; i++) {
        start_driver(EXIT, i % 2 ? SPIN : WAIT, -1, 2);
        rtc_raise_at(rtc);
        EXPECT(child_wait_end(&c, 2000).code, 33);
        child_close(&c);
        next_driver();
    }
}

TEST(fault_in_the_handler)
{
    for (int i = 0; i < 10; i++) {
        start_driver(FAULT, i % 2 ? SPIN : WAIT, -1, 2);
        rtc_raise_at(rtc);
        EXPECT(child_wait_end(&c, 2000).reason, EXIT_FAULT);
        child_close(&c);
        next_driver();
    }
}

TEST(killed_with_a_recorded_source)
{
    for (int i = 0; i < 10; i++) {
        start_driver(PLAIN, SLEEP, -1, 4);
        SOON(child_state(&c) == THREAD_WAITING);
        uint64_t kernel = rtc_info().kernel;
        rtc_raise_at(rtc);
        SOON(rtc_info().kernel == kernel + 1);
        child_kill(&c);
        next_driver();
    }
}

TEST(killed_in_uintr_wait)
{
    for (int i = 0; i < 10; i++) {
        start_driver(PLAIN, WAIT, -1, 6);
        SOON(child_state(&c) == THREAD_UINTR);
        if (i % 2)
            rtc_raise_at(rtc);
        child_kill(&c);
        next_driver();
    }
}

TEST(event_during_the_drain)
{
    start_driver(AGAIN, SPIN, -1, 2);
    rtc_raise_at(rtc);
    SOON(c.data[COUNT] == 2);
    one_more();
    child_kill(&c);
}

/* ---- ownership ---------------------------------------------------------- */

TEST(second_owner_is_refused)
{
    start_driver(PLAIN, SPIN, -1, 2);
    struct child second;
    child_make(&second);
    handle_t n = MUST(sys_notification_create());
    handle_t bell = MUST(sys_doorbell_create(n, 1));
    handle_t irq = child_give(&second, rtc_irq);
    script(&second, 0, SYS_uintr_register, 0, 0, 0, 0, 0, 0);
    script(&second, 1, SYS_irq_attach, irq, 0, 0, 0, 0, 0);
    script(&second, 2, SYS_irq_bind, irq, child_give(&second, bell), 0, 0, 0,
           0);
    script(&second, 3, SYS_irq_release, irq, 0, 0, 0, 0, 0);
    script(&second, 4, SYS_irq_ack, irq, 0, 0, 0, 0, 0);
    script(&second, 5, SCRIPT_EXIT, 0, 0, 0, 0, 0, 0);
    child_run(&second, child_script, 3);
    child_wait_end(&second, 2000);
    EXPECT(second.data[8 + 7], E_BUSY);
    EXPECT(second.data[16 + 7], E_BUSY);
    EXPECT(second.data[24 + 7], E_STATE);
    EXPECT(second.data[32 + 7], E_STATE);
    child_close(&second);
    for (int i = 0; i < 5; i++)
        one_more();
    child_kill(&c);
    sys_handle_close(bell);
    sys_handle_close(n);
}

TEST(unowned_source_is_silent)
{
    rtc_need();
    no_owner();
    struct hart_info before, after;
    test_info(INFO_HART, 0, &before, sizeof(before));
    rtc_raise_at(rtc);
    clock_sleep_ns(30 * MS);
    test_info(INFO_HART, 0, &after, sizeof(after));
    rtc_clear_at(rtc);
    CHECK(after.interrupts - before.interrupts < 100);
    next_driver();
}

/* ---- the notify way ----------------------------------------------------- */

TEST(notify_ring_and_ack)
{
    rtc_need();
    handle_t n = MUST(sys_notification_create());
    handle_t bell = MUST(sys_doorbell_create(n, 1));
    EXPECT(sys_irq_bind(rtc_irq, bell), OK);
    for (int i = 0; i < 50; i++) {
        int64_t error;
        rtc_raise_at(rtc);
        EXPECT(sys_notification_wait(n, 1, clock_deadline(1000 * MS)), 1);
        rtc_clear_at(rtc);
        rtc_raise_at(rtc); /* not before the ack */
        EXPECT(sys_notification_poll(n, 1), 0);
        rtc_clear_at(rtc);
        EXPECT(sys_irq_ack(rtc_irq), OK);
        /* the PLIC may have kept that request, and its hart may be slow */
        sys_notification_wait(n, 1, clock_deadline(5 * MS));
        while ((error = sys_irq_ack(rtc_irq)) == OK)
            sys_notification_poll(n, 1);
        EXPECT(error, E_STATE);
    }
    EXPECT(sys_irq_release(rtc_irq), OK);
    no_owner();
    sys_handle_close(bell);
    sys_handle_close(n);
    next_driver();
}

TEST(notify_killed_before_the_ack)
{
    rtc_need();
    for (int i = 0; i < 10; i++) {
        struct child d;
        child_make(&d);
        handle_t n = MUST(sys_notification_create());
        handle_t bell = MUST(sys_doorbell_create(n, 1));
        handle_t there = child_give(&d, n);
        script(&d, 0, SYS_irq_bind, child_give(&d, rtc_irq),
               child_give(&d, bell), 0, 0, 0, 0);
        script(&d, 1, SYS_notification_wait, there, 1, DEADLINE_NEVER, 0, 0, 0);
        script(&d, 2, SCRIPT_SPIN, 0, 0, 0, 0, 0, 0);
        sys_handle_close(bell);
        sys_handle_close(n);
        child_run(&d, child_script, 2);
        SOON(child_state(&d) == THREAD_WAITING);
        EXPECT(d.data[7], OK);
        rtc_raise_at(rtc);
        SOON(d.data[8 + 7] == 1);
        child_kill(&d);
        next_driver();
    }
}

/* A doorbell that outlives its notification's users does not keep the irq. */
TEST(nothing_stays_behind)
{
    next_driver();
    struct memory_info before = test_memory(), after;
    for (int i = 0; i < 20; i++)
        next_driver();
    after = test_memory();
    for (int i = 0; i < OBJECT_TYPES; i++)
        EXPECT(after.objects[i], before.objects[i]);
    EXPECT(after.free, before.free);
}

TEST_MAIN
