/*
 * Restartable sequences: a thread that is taken off its hart inside one goes on
 * at its abort address. And who may see all PLIC contexts instead of the page.
 */
#include <uinta/thread.h>
#include "child.h"

extern const char loop_start[], loop_end[], loop_abort[];

/* Counts word 0 up until it is aborted; answers with where that was. */
uint64_t loop_run(volatile uint64_t *turns);
__asm__(".pushsection .text.loop_run, \"ax\"\n"
        ".globl loop_run, loop_start, loop_end, loop_abort\n"
        "loop_run:\n"
        "loop_start:\n"
        "ld t0, 0(a0)\n"
        "addi t0, t0, 1\n"
        "sd t0, 0(a0)\n"
        "ld t0, 8(a0)\n" /* not 0: enough, without an abort */
        "beqz t0, loop_start\n"
        "loop_end:\n"
        "li a0, 0\n"
        "ret\n"
        "loop_abort:\n"
        "mv a0, t6\n"
        "ret\n"
        ".popsection\n");

static struct {
    volatile uint64_t turns, stop;
} loop;
static volatile bool registers, go;

static int64_t spin(void *arg)
{
    (void)arg;
    while (!go)
        ;
    if (registers) {
        int64_t error = sys_thread_rseq(
            (uint64_t)loop_start, (uint64_t)loop_end, (uint64_t)loop_abort);
        if (error)
            return error;
    }
    return (int64_t)loop_run(&loop.turns);
}

static struct thread looper;

/* It spins on `hart`, below this thread's priority. It begins when it is there:
 * a thread that runs elsewhere goes only when that hart has been told. */
static void start(bool with_sequence, int hart)
{
    registers = with_sequence;
    go = false;
    loop.turns = loop.stop = 0;
    MUST(sys_thread_set(0, PRIORITY_SERVER, 0));
    MUST(thread_start(&looper, spin, NULL, PRIORITY_NORMAL));
    MUST(sys_thread_set(looper.handle, -1, 1u << hart));
    CHECK(EVENTUALLY((int)sibling(PRIORITY_NORMAL).hart == hart, 2000));
    go = true;
}

static bool inside(int64_t pc)
{
    return pc >= (int64_t)loop_start && pc < (int64_t)loop_end;
}

/* This thread wakes on the same hart and so takes it from the other. */
TEST(preempted_inside_goes_on_at_abort)
{
    for (int i = 0; i < 20; i++) {
        start(true, 0);
        MUST(sys_thread_set(0, -1, 1));
        while (loop.turns == 0)
            clock_sleep_ns(MS);
        int64_t pc = thread_join(&looper);
        CHECK(inside(pc));
    }
    MUST(sys_thread_set(0, PRIORITY_NORMAL, -1));
}

TEST(moved_inside_goes_on_at_abort)
{
    NEED_HARTS(2);
    for (int i = 0; i < 20; i++) {
        start(true, 0);
        CHECK(EVENTUALLY(loop.turns, 2000));
        MUST(sys_thread_set(looper.handle, -1, 2));
        int64_t pc = thread_join(&looper);
        CHECK(inside(pc));
    }
    MUST(sys_thread_set(0, PRIORITY_NORMAL, -1));
}

/* The same code in a thread that has registered nothing. */
TEST(other_threads_are_left_alone)
{
    start(false, 0);
    MUST(sys_thread_set(0, -1, 1));
    for (uint64_t seen = 0, i = 0; i < 20; i++) {
        CHECK(EVENTUALLY(loop.turns != seen, 2000));
        seen = loop.turns;
    }
    loop.stop = 1;
    EXPECT(thread_join(&looper), 0);
    MUST(sys_thread_set(0, PRIORITY_NORMAL, -1));
}

/* A range of no bytes takes it back. */
TEST(withdrawn)
{
    MUST(sys_thread_rseq((uint64_t)loop_start, (uint64_t)loop_end,
                         (uint64_t)loop_abort));
    MUST(sys_thread_rseq(0, 0, 0));
    start(false, 0);
    CHECK(EVENTUALLY(loop.turns, 2000));
    loop.stop = 1;
    EXPECT(thread_join(&looper), 0);
    MUST(sys_thread_set(0, PRIORITY_NORMAL, 0));
}

TEST(rseq_errors)
{
    REFUSED(sys_thread_rseq(0x2000, 0x1000, 0x3000), E_ARG);
    REFUSED(sys_thread_rseq(0x1001, 0x2000, 0x3000), E_ARG);
    REFUSED(sys_thread_rseq(0x1000, 0x2000, 0x3001), E_ARG);
    REFUSED(sys_thread_rseq(0x1000, 0x2000, 0x1000), E_ARG);
    REFUSED(sys_thread_rseq(0x1000, 0x2000, 0x1ffe), E_ARG);
    REFUSED(sys_thread_rseq(0x1000, -2UL, 0x100), E_RANGE);
    REFUSED(sys_thread_rseq(0x1000, 0x2000, USER_END), E_RANGE);
    EXPECT(sys_thread_rseq(0x1000, 0x2000, 0x2000), OK);
    EXPECT(sys_thread_rseq(0, 0, 0), OK);
}

/* Words of a child's page. */
enum { SYSTEM, REGISTER, HART, CONTEXT, DONE };

static BLOB void contexts_user(volatile uint64_t *d)
{
    d[REGISTER] = blob_call(SYS_uintr_register, d[SYSTEM], 0, 0, 0, 0, 0);
    d[HART] = *(volatile uint64_t *)USER_UINTR_STATS;
    d[CONTEXT] = *(volatile uint32_t *)(USER_UINTR_CONTEXTS +
                                        d[HART] * PAGE_SIZE + PLIC_THRESHOLD);
    d[DONE] = 1;
    /* there is no virtual page */
    d[CONTEXT] = *(volatile uint32_t *)USER_UINTR_PLIC;
}

TEST(contexts_instead_of_the_page)
{
    struct child c;
    unsigned harts = test_harts();

    child_make(&c);
    c.data[SYSTEM] = child_give(&c, test_system);
    child_run(&c, contexts_user, PRIORITY_NORMAL);
    struct process_status status = child_wait_end(&c, 2000);
    if ((int64_t)c.data[REGISTER] == E_UNSUPPORTED) {
        child_close(&c);
        SKIP("no user interrupts here");
    }
    CHECK((int64_t)c.data[REGISTER] > 0);
    CHECK(c.data[HART] < harts);
    EXPECT(c.data[DONE], 1);
    EXPECT(status.reason, EXIT_FAULT);
    EXPECT(status.address, USER_UINTR_PLIC);
    child_close(&c);
}

TEST(contexts_need_a_right)
{
    handle_t n = MUST(sys_notification_create());
    int64_t type = MUST(sys_handle_type(test_system));
    uint32_t rights = (uint32_t)type & ~R_CONTEXTS;
    handle_t less = MUST(sys_handle_dup(test_system, rights, 0));

    if (sys_uintr_register(less) == E_UNSUPPORTED) {
        sys_handle_close(less);
        sys_handle_close(n);
        SKIP("no user interrupts here");
    }
    REFUSED(sys_uintr_register(less), E_RIGHTS);
    REFUSED(sys_uintr_register(n), E_TYPE);
    REFUSED(sys_uintr_register(12345), E_BADHANDLE);
    sys_handle_close(less);
    sys_handle_close(n);
}

/* Nobody maps anything over the contexts, registered or not. */
TEST(contexts_are_the_kernels_place)
{
    handle_t m = MUST(sys_memory_create(PAGE_SIZE, 0));

    for (uint64_t at = USER_UINTR_CONTEXTS; at <= USER_UINTR_STATS;
         at += PAGE_SIZE)
        REFUSED(sys_process_map(0, m, at, 0, PAGE_SIZE, PROT_R), E_OVERLAP);
    sys_handle_close(m);
}

TEST_MAIN
