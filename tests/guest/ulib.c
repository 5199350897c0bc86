/*
 * The user-interrupt library (uinta/uintr.h): what its entries must keep, what
 * must not be lost, and what its masking promises. Interrupts come from the
 * thread itself (USIP), from the user timer, and from another thread's
 * doorbell; devices are the business of the drivers' tests.
 */
#include <uinta/thread.h>
#include <uinta/uintr.h>
#include "guest.h"

static volatile uint64_t softs, timers;

static void raise_soft(void)
{
    uintr_csr_set(CSR_UIP, UIRQ_SOFT);
}

static void count_soft(void *arg)
{
    (void)arg;
    softs = softs + 1;
}

/* Registers once; every case starts with nothing pending and UIE clear. */
static void begin(void)
{
    static bool registered;
    if (!registered) {
        int64_t delivery = uintr_init();
        if (delivery == E_UNSUPPORTED)
            SKIP("no user interrupts here");
        MUST(delivery);
        registered = true;
    }
    uintr_disable();
    uintr_bind(0);
    sys_uintr_timer(DEADLINE_NEVER);
    uintr_csr_clear(CSR_UIP, UIRQ_SOFT);
    uintr_csr_write(CSR_UIE, 0);
    uintr_on_soft(count_soft, NULL);
    softs = timers = 0;
    uintr_unexpected = 0;
}

TEST(delivered_when_enabled_and_not_before)
{
    begin();
    raise_soft();
    EXPECT(softs, 0);
    uintr_enable();
    EXPECT(softs, 1); /* at once: on the write that allows it */
    raise_soft();
    EXPECT(softs, 2);
    uintr_disable();
    raise_soft();
    EXPECT(softs, 2);
}

TEST(save_and_restore_nest)
{
    begin();
    uintr_enable();
    uint64_t outer = uintr_save();
    raise_soft();
    uint64_t inner = uintr_save();
    EXPECT(inner, 0);
    uintr_restore(inner);
    EXPECT(softs, 0); /* the inner pair does not unmask the outer one */
    uintr_restore(outer);
    EXPECT(softs, 1);
    uintr_disable();
}

/* A pair around nothing, with UIE clear before, leaves it clear. */
TEST(restore_does_not_enable_what_was_disabled)
{
    begin();
    uintr_restore(uintr_save());
    raise_soft();
    EXPECT(softs, 0);
}

TEST(without_a_handler_it_is_counted)
{
    begin();
    uintr_on_soft(NULL, NULL);
    uintr_enable();
    raise_soft();
    uintr_disable();
    EXPECT(softs, 0);
    EXPECT(uintr_unexpected, 1);
}

TEST(bad_sources_are_refused)
{
    begin();
    EXPECT(uintr_on_source(0, count_soft, NULL), E_ARG);
    EXPECT(uintr_on_source(SOURCES_MAX, count_soft, NULL), E_ARG);
    EXPECT(uintr_on_source(~0u, count_soft, NULL), E_ARG);
}

/* Every register a handler may change, changed. */
static void trash_registers(void)
{
    __asm__ volatile(".irp r, ra, t0, t1, t2, t3, t4, t5, t6, a0, a1, a2, a3, "
                     "a4, a5, a6, a7\n"
                     "li \\r, -1\n"
                     ".endr" ::
                         : "ra", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "a0",
                           "a1", "a2", "a3", "a4", "a5", "a6", "a7");
}

static void trashing_soft(void *arg)
{
    (void)arg;
    softs = softs + 1;
    trash_registers();
}

static uint64_t trashing_timer(void *arg)
{
    (void)arg;
    timers = timers + 1;
    trash_registers();
    return clock_deadline(200000);
}

/*
 * Loads every register (but zero, sp, gp, tp) with its number times 0x1111,
 * spins a while in a loop that changes none but t0, and returns a bit mask of
 * those that are different afterwards. Interrupts come in between.
 */
uint64_t spin_with_registers(uint64_t turns);
__asm__(".pushsection .text.spin_with_registers, \"ax\"\n"
        ".globl spin_with_registers\n"
        "spin_with_registers:\n"
        "addi sp, sp, -256\n"
        ".irp n, 1,8,9,18,19,20,21,22,23,24,25,26,27\n"
        "sd x\\n, 8*\\n(sp)\n"
        ".endr\n"
        "mv t0, a0\n" /* x5 counts */
        ".irp n, 1,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,"
        "27,28,29,30,31\n"
        "li x\\n, 0x1111 * \\n\n"
        ".endr\n"
        "1: addi t0, t0, -1\n"
        "bnez t0, 1b\n"
        "sd x31, 232(sp)\n" /* x31 and x10 are needed to compare the rest */
        "sd x10, 240(sp)\n"
        "li x10, 0\n"
        ".irp n, 1,6,7,8,9,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,"
        "28,29,30\n"
        "li x31, 0x1111 * \\n\n"
        "beq x\\n, x31, 2f\n"
        "li x31, 1 << \\n\n"
        "or x10, x10, x31\n"
        "2:\n"
        ".endr\n"
        "ld x5, 232(sp)\n"
        "li x31, 0x1111 * 31\n"
        "beq x5, x31, 3f\n"
        "li x31, 1 << 31\n"
        "or x10, x10, x31\n"
        "3: ld x5, 240(sp)\n"
        "li x31, 0x1111 * 10\n"
        "beq x5, x31, 4f\n"
        "ori x10, x10, 1 << 10\n"
        "4:\n"
        ".irp n, 1,8,9,18,19,20,21,22,23,24,25,26,27\n"
        "ld x\\n, 8*\\n(sp)\n"
        ".endr\n"
        "addi sp, sp, 256\n"
        "ret\n"
        ".popsection\n");

TEST(registers_survive_interrupts)
{
    begin();
    uintr_on_soft(trashing_soft, NULL);
    uintr_on_timer(trashing_timer, NULL);
    uintr_enable();
    MUST(sys_uintr_timer(clock_deadline(200000)));
    uint64_t changed = 0, end = clock_deadline(300 * MS);
    while (clock_ticks() < end && !changed)
        changed = spin_with_registers(20000);
    uintr_disable();
    EXPECT(changed, 0);
    CHECK(timers > 20);
}

/* Deadlines closer together than a handler takes: each one is a call. */
static uint64_t list_of_deadlines[50];

static uint64_t next_deadline(void *arg)
{
    (void)arg;
    timers = timers + 1;
    return timers < 50 ? list_of_deadlines[timers] : DEADLINE_NEVER;
}

TEST(close_timers_do_not_merge)
{
    begin();
    uint64_t start = clock_deadline(2 * MS);
    for (int i = 0; i < 50; i++)
        list_of_deadlines[i] = start + i / 2; /* in pairs, a tick apart */
    uintr_on_timer(next_deadline, NULL);
    uintr_enable();
    MUST(sys_uintr_timer(list_of_deadlines[0]));
    uint64_t end = clock_deadline(10000 * MS);
    while (timers < 50 && clock_ticks() < end)
        ;
    uintr_disable();
    EXPECT(timers, 50);
}

/* A timer comes while the thread sleeps, and one that is past already. */
TEST(sleeping_ends_with_a_timer)
{
    begin();
    uintr_on_timer(next_deadline, NULL);
    timers = 48; /* two more */
    list_of_deadlines[49] = 0;
    uint64_t start = clock_ticks();
    MUST(sys_uintr_timer(clock_deadline(5 * MS)));
    while (timers < 50) {
        MUST(uintr_sleep(clock_deadline(10000 * MS)));
        uintr_enable();
        uintr_disable();
    }
    CHECK(clock_ticks() - start >= clock_ticks_from_ns(5 * MS));
    EXPECT(uintr_sleep(clock_deadline(MS)), E_TIMEDOUT);
}

/* A handler that lets others in: the timer comes inside the soft one. */
static volatile uint64_t timers_inside;

static uint64_t one_timer(void *arg)
{
    (void)arg;
    timers = timers + 1;
    return DEADLINE_NEVER;
}

static void nesting_soft(void *arg)
{
    struct uintr_nest nest;
    (void)arg;
    softs = softs + 1;
    sys_uintr_timer(0);
    uint64_t before = timers;
    uintr_nest_begin(&nest);
    for (int i = 0; i < 1000000 && timers == before; i++)
        ;
    uintr_nest_end(&nest);
    timers_inside = timers_inside + (timers - before);
}

TEST(a_handler_can_be_interrupted)
{
    begin();
    timers_inside = 0;
    uintr_on_soft(nesting_soft, NULL);
    uintr_on_timer(one_timer, NULL);
    uintr_enable();
    for (int i = 1; i <= 100; i++) {
        raise_soft(); /* comes back here: uepc was kept */
        EXPECT(softs, i);
        EXPECT(timers_inside, i);
    }
    /* And UIE is as it was, after all that. */
    CHECK(uintr_csr_read(CSR_USTATUS) & USTATUS_UIE);
    uintr_disable();
}

/* uintr_pause() runs the handlers of what ended it, and nobody else's. */
TEST(a_pause_runs_handlers)
{
    begin();
    uint64_t vectors = uintr_csr_read(CSR_UTVEC);
    uintr_on_timer(one_timer, NULL);
    raise_soft();
    uintr_pause(); /* what is pending already */
    EXPECT(softs, 1);
    EXPECT(timers, 0);
    MUST(sys_uintr_timer(clock_deadline(2 * MS)));
    uintr_pause(); /* what comes while it sleeps */
    EXPECT(softs, 1);
    EXPECT(timers, 1);
    EXPECT(uintr_csr_read(CSR_UTVEC), vectors);
    raise_soft();
    EXPECT(softs, 1); /* UIE is clear again */
}

TEST(a_handler_in_a_pause_can_be_interrupted)
{
    begin();
    timers_inside = 0;
    uintr_on_soft(nesting_soft, NULL);
    uintr_on_timer(one_timer, NULL);
    for (int i = 1; i <= 100; i++) {
        raise_soft();
        uintr_pause();
        EXPECT(softs, i);
        EXPECT(timers_inside, i);
    }
}

/*
 * Another thread rings; the handler clears USIP (the entry does), polls, and
 * reads the counter. Whatever was counted before a ring must be seen after it.
 */
enum { RINGS = 3000 };
static volatile uint64_t produced, seen, bell;
static handle_t rung;

static void drain(void *arg)
{
    (void)arg;
    softs = softs + 1;
    if (sys_notification_poll(rung, ~(1UL << 63)) > 0)
        seen = produced;
}

static int64_t ringer(void *arg)
{
    (void)arg;
    for (int i = 0; i < RINGS; i++) {
        produced = produced + 1;
        sys_doorbell_ring(bell);
        for (volatile int k = produced % 50; k; k--)
            ;
        /* Every so often wait for the handler: the last ring must count. */
        if (i % 100 == 99) {
            uint64_t end = clock_deadline(10000 * MS);
            while (seen != produced)
                if (clock_ticks() > end)
                    return i;
                else
                    sys_thread_yield();
        }
    }
    return RINGS;
}

static void ring_often(bool pause)
{
    struct thread thread;
    begin();
    produced = seen = 0;
    rung = MUST(sys_notification_create());
    bell = MUST(sys_doorbell_create(rung, 1));
    MUST(uintr_bind(rung));
    uintr_on_soft(drain, NULL);
    MUST(thread_start(&thread, ringer, NULL, PRIORITY_NORMAL));
    while (pause && seen < RINGS)
        uintr_pause();
    while (seen < RINGS) {
        int64_t result = uintr_sleep(clock_deadline(10000 * MS));
        uintr_enable();
        uintr_disable();
        if (result == E_TIMEDOUT)
            break;
    }
    EXPECT(thread_join(&thread), RINGS);
    EXPECT(seen, RINGS);
    CHECK(softs <= RINGS + 10);
    uintr_bind(0);
    sys_handle_close(bell);
    sys_handle_close(rung);
}

TEST(no_ring_is_lost)
{
    ring_often(false);
}

TEST(no_ring_is_lost_by_a_pause)
{
    ring_often(true);
}

/* Rung before the binding: the interrupt comes with it. */
TEST(binding_shows_what_was_rung_before)
{
    begin();
    handle_t n = MUST(sys_notification_create());
    handle_t d = MUST(sys_doorbell_create(n, 2));
    MUST(sys_doorbell_ring(d));
    uintr_enable();
    EXPECT(softs, 0);
    MUST(uintr_bind(n));
    EXPECT(softs, 1);
    uintr_disable();
    MUST(uintr_bind(0));
    MUST(sys_doorbell_ring(d));
    EXPECT(uintr_csr_read(CSR_UIP) & UIRQ_SOFT, 0);
    sys_handle_close(d);
    sys_handle_close(n);
}

TEST_MAIN
