/*
 * User interrupts of another process: a small driver of the RTC (child.h),
 * moved, preempted, blocked and killed by this program at chosen points.
 */
#include <uinta/thread.h>
#include <uinta/uintr.h>
#include "child.h"
#include "rtc.h"

enum { CHILD_RTC = 0x5000000 };

/* Words of the shared page. */
enum {
    MODE,     /* what the handler does, below */
    COUNT,    /* interrupts handled */
    STAGE,    /* 1: in the handler, source claimed */
    GO_ON,    /* lets a waiting handler continue */
    IRQ,      /* handle */
    ATTACHED, /* result of irq_attach */
    READY,
    IDLE, /* what the thread does besides, below */
    TURNS,
    TAKEN,    /* sources that the kernel had recorded */
    REGISTER, /* result of uintr_register */
    NOTHING,  /* handler without a source */
    BELL      /* handle of a notification, for irq_bind */
};

enum { PLAIN, HOLD, EXIT, FAULT, AGAIN, NO_CLEAR };
enum { SPIN, WAIT, SLEEP, YIELD };

static BLOB void blob_handler(volatile uint64_t *d)
{
    volatile uint32_t *claim = (volatile uint32_t *)(USER_UINTR_PLIC + 4);
    uint64_t source = *claim;
    if (source == 0) {
        source = blob_call(SYS_uintr_take, 0, 0, 0, 0, 0, 0);
        if (source)
            d[TAKEN]++;
    }
    if (source == 0) {
        d[NOTHING]++;
        return;
    }
    if (d[MODE] != NO_CLEAR)
        rtc_clear_at(CHILD_RTC);
    d[COUNT]++;
    d[STAGE] = 1;
    /* A request that the driver before left behind is none to hold. */
    if (d[MODE] == HOLD && d[READY])
        while (!d[GO_ON])
            ;
    if (d[MODE] == EXIT)
        blob_call(SYS_process_exit, 33, 0, 0, 0, 0, 0);
    if (d[MODE] == FAULT)
        *(volatile int *)0 = 0;
    if (d[MODE] == AGAIN && d[COUNT] == 1)
        rtc_raise_at(CHILD_RTC);
    *claim = source;
    d[STAGE] = 2;
}

void blob_entry(void);
__asm__(".pushsection blob_text, \"ax\"\n"
        ".balign 4\n"
        ".globl blob_entry\n"
        "blob_entry:\n"
        "addi sp, sp, -144\n"
        "sd ra, 0(sp)\n sd a0, 8(sp)\n sd a1, 16(sp)\n sd a2, 24(sp)\n"
        "sd a3, 32(sp)\n sd a4, 40(sp)\n sd a5, 48(sp)\n sd a6, 56(sp)\n"
        "sd a7, 64(sp)\n sd t0, 72(sp)\n sd t1, 80(sp)\n sd t2, 88(sp)\n"
        "sd t3, 96(sp)\n sd t4, 104(sp)\n sd t5, 112(sp)\n sd t6, 120(sp)\n"
        "li a0, 0x800000\n"
        "call blob_handler\n"
        "ld ra, 0(sp)\n ld a0, 8(sp)\n ld a1, 16(sp)\n ld a2, 24(sp)\n"
        "ld a3, 32(sp)\n ld a4, 40(sp)\n ld a5, 48(sp)\n ld a6, 56(sp)\n"
        "ld a7, 64(sp)\n ld t0, 72(sp)\n ld t1, 80(sp)\n ld t2, 88(sp)\n"
        "ld t3, 96(sp)\n ld t4, 104(sp)\n ld t5, 112(sp)\n ld t6, 120(sp)\n"
        "addi sp, sp, 144\n"
        ".word 0x00200073\n" /* uret */
        ".popsection\n");

static BLOB void blob_driver(volatile uint64_t *d)
{
    uint64_t entry;
    __asm__ volatile("lla %0, blob_entry" : "=r"(entry));
    d[REGISTER] = blob_call(SYS_uintr_register, 0, 0, 0, 0, 0, 0);
    uintr_csr_write(CSR_UTVEC, entry);
    uintr_csr_set(CSR_UIE, UIRQ_EXT);
    d[ATTACHED] = blob_call(SYS_irq_attach, d[IRQ], 0, 0, 0, 0, 0);
    uintr_csr_set(CSR_USTATUS, USTATUS_UIE);
    d[READY] = 1;
    for (;; d[TURNS]++) {
        if (d[IDLE] == WAIT)
            blob_call(SYS_uintr_wait, -1UL, 0, 0, 0, 0, 0);
        if (d[IDLE] == SLEEP)
            blob_call(SYS_notification_wait, 0, 0, -1UL, 0, 0, 0);
        if (d[IDLE] == YIELD)
            blob_call(SYS_thread_yield, 0, 0, 0, 0, 0, 0);
    }
}

static struct child c;

/* hart: its only one, -1: any */
static void start_driver(int mode, int idle, int hart, int priority)
{
    NEED_UINTR();
    rtc_need();
    child_make(&c);
    c.data[IRQ] = child_give(&c, rtc_irq);
    MUST(sys_process_map(c.process, rtc_mmio, CHILD_RTC, 0, PAGE_SIZE,
                         PROT_R | PROT_W));
    c.data[MODE] = mode;
    c.data[IDLE] = idle;
    child_run(&c, blob_driver, priority);
    if (hart >= 0)
        MUST(sys_thread_set(c.thread, -1, 1u << hart));
    CHECK(EVENTUALLY(c.data[READY], 2000));
    CHECK((int64_t)c.data[REGISTER] > 0);
    EXPECT(c.data[ATTACHED], OK);
}

#define SOON(condition) CHECK(EVENTUALLY(condition, 2000))

/* One interrupt more is handled completely. */
static void one_more(void)
{
    uint64_t count = c.data[COUNT];
    c.data[STAGE] = 0;
    rtc_raise_at(rtc);
    SOON(c.data[COUNT] == count + 1 && c.data[STAGE] == 2);
}

static void no_owner(void)
{
    EXPECT(rtc_info().pid, 0);
}

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
    rtc_raise_at(rtc);
    clock_sleep_ns(20 * MS);
    EXPECT(c.data[COUNT], 0);
    EXPECT(child_state(&c), THREAD_WAITING);
    CHECK(rtc_info().kernel > 0);
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
        rtc_raise_at(rtc);
        EXPECT(sys_notification_wait(n, 1, clock_deadline(1000 * MS)), 1);
        rtc_clear_at(rtc);
        rtc_raise_at(rtc); /* not before the ack */
        EXPECT(sys_notification_poll(n, 1), 0);
        rtc_clear_at(rtc);
        EXPECT(sys_irq_ack(rtc_irq), OK);
        EXPECT(sys_notification_wait(n, 1, clock_deadline(5 * MS)) == 1
                   ? sys_irq_ack(rtc_irq)
                   : OK,
               OK);
        EXPECT(sys_irq_ack(rtc_irq), E_STATE);
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
