/*
 * Memory objects, mappings and what a process leaves behind: nothing, however
 * and in whatever state it ends.
 */
#include <uinta/thread.h>
#include "child.h"

enum { SPAWNS = 1000 };

static void spawn_and_exit(int code)
{
    struct child c;
    child_make(&c);
    script(&c, 0, SCRIPT_EXIT, code, 0, 0, 0, 0, 0);
    child_run(&c, child_script, PRIORITY_NORMAL);
    EXPECT(child_wait_end(&c, 2000).code, code);
    child_close(&c);
}

static void nothing_lost(struct memory_info before)
{
    struct memory_info after = test_memory();
    for (int i = 0; i < OBJECT_TYPES; i++)
        if (after.objects[i] != before.objects[i])
            FAIL("objects of type %d: %lu before, %lu after", i,
                 before.objects[i], after.objects[i]);
    if (after.free != before.free)
        FAIL("%lu bytes free before, %lu after", before.free, after.free);
}

TEST(thousand_spawns_and_exits)
{
    spawn_and_exit(1);
    struct memory_info before = test_memory();
    ALLOW_SECONDS(120);
    for (int i = 0; i < SPAWNS; i++)
        spawn_and_exit(i);
    nothing_lost(before);
}

/* ---- killed in every state ---------------------------------------------- */

static handle_t ep, n;

/* One child in the state that a script leads to, then killed. */
static void kill_in(int state, uint64_t call, uint64_t a, uint64_t b,
                    uint64_t d)
{
    struct child c;
    child_make(&c);
    child_give(&c, ep); /* handle 1 */
    child_give(&c, n);  /* handle 2 */
    script(&c, 0, SYS_uintr_register, 0, 0, 0, 0, 0, 0);
    script(&c, 1, call, a, b, d, 0, 0, 0);
    script(&c, 2, SCRIPT_SPIN, 0, 0, 0, 0, 0, 0);
    child_run(&c, child_script, PRIORITY_NORMAL);
    if (state == THREAD_REPLY) {
        struct message m = {0};
        EXPECT(ipc_receive(ep, &m), OK);
    }
    if (state != THREAD_RUNNING && !EVENTUALLY(child_state(&c) == state, 1000))
        FAIL("the child is in state %d, not %d", child_state(&c), state);
    if (state == THREAD_RUNNING)
        clock_sleep_ns(MS);
    child_kill(&c);
}

static void kill_often(int state, uint64_t call, uint64_t a, uint64_t b,
                       uint64_t d)
{
    ep = MUST(sys_endpoint_create());
    n = MUST(sys_notification_create());
    kill_in(state, call, a, b, d);
    struct memory_info before = test_memory();
    for (int i = 0; i < 50; i++)
        kill_in(state, call, a, b, d);
    nothing_lost(before);
    MUST(sys_handle_close(ep));
    MUST(sys_handle_close(n));
}

TEST(kill_while_running)
{
    kill_often(THREAD_RUNNING, SYS_null, 0, 0, 0);
}

TEST(kill_while_calling)
{
    kill_often(THREAD_CALLING, SYS_ipc_call, 1, 0, 0);
}

TEST(kill_while_waiting_for_a_reply)
{
    kill_often(THREAD_REPLY, SYS_ipc_call, 1, 0, 0);
}

TEST(kill_while_receiving)
{
    kill_often(THREAD_RECEIVING, SYS_ipc_receive, 1, 0, 0);
}

TEST(kill_while_waiting)
{
    kill_often(THREAD_WAITING, SYS_notification_wait, 2, 1, DEADLINE_NEVER);
}

TEST(kill_while_asleep)
{
    kill_often(THREAD_WAITING, SYS_notification_wait, 0, 0, 1UL << 60);
}

TEST(kill_in_uintr_wait)
{
    NEED_UINTR();
    kill_often(THREAD_UINTR, SYS_uintr_wait, DEADLINE_NEVER, 0, 0);
}

/* At once after its start, wherever it has got to. */
TEST(kill_at_birth)
{
    spawn_and_exit(1);
    struct memory_info before = test_memory();
    MUST(sys_thread_set(0, 6, 0)); /* or a child of 6 is for ever */
    for (int i = 0; i < 200; i++) {
        struct child c;
        child_make(&c);
        script(&c, 0, SYS_thread_yield, 0, 0, 0, 0, 0, 0);
        script(&c, 1, SCRIPT_SPIN, 0, 0, 0, 0, 0, 0);
        child_run(&c, child_script, i % 2 ? PRIORITY_NORMAL : 6);
        for (volatile int k = 0; k < i * 7; k++)
            ;
        child_kill(&c);
    }
    MUST(sys_thread_set(0, PRIORITY_NORMAL, 0));
    nothing_lost(before);
}

/* A child that makes one system call after the other, killed at any point. */
static BLOB void busy_in_the_kernel(volatile uint64_t *data)
{
    for (;;) {
        uint64_t m = blob_call(SYS_memory_create, PAGE_SIZE, 0, 0, 0, 0, 0);
        blob_call(SYS_process_map, 0, m, 0x1000000, 0, PAGE_SIZE, 3);
        blob_call(SYS_process_unmap, 0, 0x1000000, PAGE_SIZE, 0, 0, 0);
        blob_call(SYS_handle_close, m, 0, 0, 0, 0, 0);
        uint64_t now;
        __asm__ volatile("rdtime %0" : "=r"(now));
        blob_call(SYS_notification_wait, 0, 0, now + 3, 0, 0, 0);
        data[0]++;
    }
}

TEST(kill_in_the_middle_of_calls)
{
    spawn_and_exit(1);
    struct memory_info before = test_memory();
    for (int i = 0; i < 200; i++) {
        struct child c;
        child_make(&c);
        child_run(&c, busy_in_the_kernel, PRIORITY_NORMAL);
        while (c.data[0] < 3)
            clock_sleep_ns(10000);
        for (volatile int k = 0; k < i * 5; k++)
            ;
        child_kill(&c);
    }
    nothing_lost(before);
}

/* ---- objects that hold each other --------------------------------------- */

TEST(process_that_holds_itself)
{
    struct child c;
    spawn_and_exit(1);
    struct memory_info before = test_memory();
    for (int i = 0; i < 20; i++) {
        child_make(&c);
        child_give(&c, c.process);
        script(&c, 0, SCRIPT_EXIT, 0, 0, 0, 0, 0, 0);
        child_run(&c, child_script, 3);
        child_wait_end(&c, 1000);
        child_close(&c);
    }
    nothing_lost(before);
}

/* Another makes processes that hold themselves and never run; it ends. */
TEST(cycle_ends_with_its_maker)
{
    struct child c;
    spawn_and_exit(1);
    struct memory_info before = test_memory();
    for (int i = 0; i < 10; i++) {
        child_make(&c);
        /* handles of a new process count from 1 */
        script(&c, 0, SYS_process_create, 1, 0, 1, 0, 0, 0);
        script(&c, 1, SYS_process_create, 2, 0, 1, 0, 0, 0);
        script(&c, 2, SYS_process_give, 1, 1, R_MANAGE, 0, 0, 0);
        script(&c, 3, SYS_process_give, 1, 2, R_MANAGE, 0, 0, 0);
        script(&c, 4, SYS_process_give, 2, 1, R_MANAGE, 0, 0, 0);
        script(&c, 5, SCRIPT_EXIT, 0, 0, 0, 0, 0, 0);
        child_run(&c, child_script, 3);
        child_wait_end(&c, 1000);
        for (int k = 0; k < 5; k++)
            CHECK((int64_t)c.data[8 * k + 7] > 0);
        child_close(&c);
    }
    nothing_lost(before);
}

/* Each holds the next; the end of the first must not need a deep stack. */
TEST(chain_of_processes)
{
    enum { LENGTH = 300 };
    handle_t first = MUST(sys_process_create(1, 0, 0)), last;
    MUST(sys_handle_close(first));
    struct memory_info before = test_memory();
    first = last = MUST(sys_process_create(1, 0, 0));
    for (int i = 1; i < LENGTH; i++) {
        handle_t next = MUST(sys_process_create(1, 0, 0));
        MUST(sys_process_give(last, next, R_MANAGE));
        if (last != first)
            MUST(sys_handle_close(last));
        last = next;
    }
    MUST(sys_handle_close(last));
    MUST(sys_handle_close(first));
    nothing_lost(before);
}

/* ---- exhaustion --------------------------------------------------------- */

TEST(memory_runs_out_and_comes_back)
{
    static handle_t all[HANDLES_MAX];
    int count = 0;
    int64_t h = 0;
    sys_handle_close(MUST(sys_memory_create(MEMORY_SIZE_MAX, 0)));
    struct memory_info before = test_memory();
    for (uint64_t size = MEMORY_SIZE_MAX; size >= PAGE_SIZE; size /= 2)
        while (count < HANDLES_MAX - 100 &&
               (h = sys_memory_create(size, 0)) > 0)
            all[count++] = h;
    int64_t also = sys_memory_create(PAGE_SIZE, 0);
    int64_t contiguous = sys_memory_create(4 * PAGE_SIZE, MEMORY_CONTIGUOUS);
    for (int i = 0; i < count; i++)
        sys_handle_close(all[i]);
    EXPECT(h, E_NOMEM);
    if (also >= 0)
        sys_handle_close(also);
    EXPECT(contiguous, E_NOMEM);
    struct memory_info after = test_memory();
    EXPECT(after.objects[OBJECT_MEMORY], before.objects[OBJECT_MEMORY]);
    /* the table of handles may have grown by its pages */
    CHECK(before.free - after.free <= 8 * PAGE_SIZE);
    spawn_and_exit(3);
}

/* A process that takes all there is dies; then everybody has it again. */
static BLOB void glutton(volatile uint64_t *data)
{
    for (uint64_t size = 1 << 21; size >= 4096; size /= 2) {
        int64_t h;
        while ((h = (int64_t)blob_call(SYS_memory_create, size, 0, 0, 0, 0,
                                       0)) > 0)
            data[0]++;
        data[1] = h;
    }
    /* and page tables, each for one page far from the others */
    int64_t one = data[2], error = 0;
    for (uint64_t i = 0; error >= 0 && i < 100000; i++)
        error = blob_call(SYS_process_map, 0, one, (1UL << 30) + (i << 21), 0,
                          4096, 1);
    data[3] = error;
    data[4] = 1;
    for (;;)
        blob_call(SYS_notification_wait, 0, 0, -1UL, 0, 0, 0);
}

TEST(a_glutton_gives_everything_back)
{
    struct child c;
    spawn_and_exit(1);
    struct memory_info before = test_memory();
    handle_t page = MUST(sys_memory_create(PAGE_SIZE, 0));
    child_make(&c);
    c.data[2] = child_give(&c, page);
    MUST(sys_handle_close(page));
    ALLOW_SECONDS(60);
    child_run(&c, glutton, PRIORITY_NORMAL);
    CHECK(EVENTUALLY(c.data[4], 50000));
    int64_t first = c.data[1], second = c.data[3];
    child_kill(&c);
    CHECK(first == E_NOMEM || first == E_LIMIT);
    EXPECT(second, E_NOMEM);
    nothing_lost(before);
}

TEST(as_many_processes_as_there_can_be)
{
    static handle_t all[HANDLES_MAX];
    int count = 0;
    int64_t h;
    sys_handle_close(MUST(sys_process_create(1, 0, 0)));
    struct memory_info before = test_memory();
    while (count < HANDLES_MAX - 40 && (h = sys_process_create(1, 0, 0)) > 0)
        all[count++] = h;
    printf("# %d processes, then %s\n", count, value_text(h));
    for (int i = 0; i < count; i++)
        MUST(sys_handle_close(all[i]));
    CHECK(h > 0 || h == E_NOMEM || h == E_LIMIT);
    struct memory_info after = test_memory();
    EXPECT(after.objects[OBJECT_PROCESS], before.objects[OBJECT_PROCESS]);
    spawn_and_exit(4);
}

TEST(as_many_threads_as_there_can_be)
{
    struct child c;
    int64_t h;
    int count = 0;
    spawn_and_exit(1);
    struct memory_info before = test_memory();
    child_make(&c);
    script(&c, 0, SYS_notification_wait, 0, 0, DEADLINE_NEVER, 0, 0, 0);
    static handle_t all[HANDLES_MAX];
    while (count < HANDLES_MAX &&
           (h = sys_thread_create(c.process, child_address(child_script),
                                  CHILD_STACK, CHILD_DATA, 3)) > 0)
        all[count++] = h;
    printf("# %d threads, then %s\n", count, value_text(h));
    for (int i = 0; i < count; i++)
        MUST(sys_handle_close(all[i]));
    CHECK(h == E_NOMEM || h == E_LIMIT);
    CHECK(count > 100);
    child_kill(&c);
    struct memory_info after = test_memory();
    EXPECT(after.objects[OBJECT_THREAD], before.objects[OBJECT_THREAD]);
}

/* ---- contents and mappings ---------------------------------------------- */

TEST(new_memory_is_zero)
{
    for (int i = 0; i < 30; i++) {
        handle_t m = MUST(sys_memory_create(8 * PAGE_SIZE, i % 2));
        uint64_t *at = map_memory(m, 8 * PAGE_SIZE, PROT_R | PROT_W);
        CHECK(at);
        for (uint64_t k = 0; k < 8 * PAGE_SIZE / 8; k++)
            if (at[k])
                FAIL("word %lu is 0x%lx", k, at[k]);
        memset(at, 0xaa, 8 * PAGE_SIZE);
        unmap_memory(at, 8 * PAGE_SIZE);
        MUST(sys_handle_close(m));
    }
}

TEST(mapping_outlives_the_handle)
{
    handle_t m = MUST(sys_memory_create(PAGE_SIZE, 0));
    char *at = map_memory(m, PAGE_SIZE, PROT_R | PROT_W);
    MUST(sys_handle_close(m));
    at[100] = 55;
    handle_t other = MUST(sys_memory_create(PAGE_SIZE, 0));
    EXPECT(at[100], 55);
    unmap_memory(at, PAGE_SIZE);
    MUST(sys_handle_close(other));
}

TEST(contiguous_memory)
{
    handle_t m = MUST(sys_memory_create(64 * PAGE_SIZE, MEMORY_CONTIGUOUS));
    uint64_t base = MUST(sys_memory_phys(m, 0));
    EXPECT(base % PAGE_SIZE, 0);
    for (uint64_t i = 0; i < 64 * PAGE_SIZE; i += 512)
        EXPECT(sys_memory_phys(m, i), base + i);
    MUST(sys_handle_close(m));
}

TEST(slices)
{
    const uint64_t p = PAGE_SIZE;
    handle_t m = MUST(sys_memory_create(8 * p, 0));
    char *all = map_memory(m, 8 * p, PROT_R | PROT_W);
    for (int i = 0; i < 8; i++)
        all[i * p] = 'a' + i;
    handle_t s = MUST(sys_memory_slice(m, 2 * p, 4 * p));
    handle_t t = MUST(sys_memory_slice(s, p, 2 * p));
    EXPECT(sys_memory_size(s), 4 * p);
    EXPECT(sys_memory_size(t), 2 * p);
    EXPECT(sys_memory_phys(t, 0), MUST(sys_memory_phys(m, 3 * p)));
    REFUSED(sys_memory_slice(t, p, 2 * p), E_RANGE);
    REFUSED(sys_memory_phys(t, 2 * p), E_RANGE);
    MUST(sys_handle_close(m));
    MUST(sys_handle_close(s));
    char *part = map_memory(t, 2 * p, PROT_R | PROT_W);
    CHECK(part);
    EXPECT(part[0], 'd');
    EXPECT(part[p], 'e');
    part[1] = 'x';
    EXPECT(all[3 * p + 1], 'x');
    REFUSED(sys_process_map(0, t, 0x30000000, p, 2 * p, PROT_R), E_RANGE);
    unmap_memory(part, 2 * p);
    unmap_memory(all, 8 * p);
    MUST(sys_handle_close(t));
}

TEST(slice_keeps_rights)
{
    handle_t m = MUST(sys_memory_create(PAGE_SIZE, 0));
    handle_t less = MUST(sys_handle_dup(m, R_READ | R_DUP, 0));
    handle_t s = MUST(sys_memory_slice(less, 0, PAGE_SIZE));
    EXPECT(sys_handle_type(s), MUST(sys_handle_type(less)));
    REFUSED(sys_process_map(0, s, 0x30000000, 0, PAGE_SIZE, PROT_R | PROT_W),
            E_RIGHTS);
    sys_handle_close(s);
    sys_handle_close(less);
    sys_handle_close(m);
}

/* ---- translations on other harts ---------------------------------------- */

static BLOB void reader(volatile uint64_t *data)
{
    volatile uint64_t *place = (volatile uint64_t *)0x2000000;
    for (;;) {
        data[8] = *place;
        data[9]++;
    }
}

/*
 * A child reads a page in a loop on another hart; the page is unmapped: its
 * next read must fault, and never see what the frame is used for next.
 */
TEST(unmap_reaches_other_harts)
{
    NEED_HARTS(2);
    MUST(sys_thread_set(0, -1, 1));
    for (int i = 0; i < 40; i++) {
        struct child c;
        child_make(&c);
        handle_t m = MUST(sys_memory_create(PAGE_SIZE, 0));
        MUST(sys_process_map(c.process, m, 0x2000000, 0, PAGE_SIZE, PROT_R));
        MUST(sys_handle_close(m));
        child_run(&c, reader, PRIORITY_NORMAL);
        MUST(sys_thread_set(c.thread, -1, 2));
        CHECK(EVENTUALLY(c.data[9] > 10, 1000));
        MUST(sys_process_unmap(c.process, 0x2000000, PAGE_SIZE));
        uint64_t count = c.data[9];
        handle_t poison[8];
        for (int k = 0; k < 8; k++) { /* the frame, most likely */
            poison[k] = MUST(sys_memory_create(PAGE_SIZE, 0));
            uint64_t *at = map_memory(poison[k], PAGE_SIZE, PROT_R | PROT_W);
            at[0] = 0x600d;
            unmap_memory(at, PAGE_SIZE);
        }
        struct process_status s = child_wait_end(&c, 2000);
        uint64_t seen = c.data[8], more = c.data[9] - count;
        for (int k = 0; k < 8; k++)
            sys_handle_close(poison[k]);
        child_close(&c);
        EXPECT(s.reason, EXIT_FAULT);
        EXPECT(s.address, 0x2000000);
        EXPECT(seen, 0);
        CHECK(more <= 1);
    }
    MUST(sys_thread_set(0, -1, ~0u));
}

/* ---- code in recycled pages --------------------------------------------- */

enum { LI_A0 = 0x00000513, RET = 0x00008067 };

/* On the harts of data[2]: calls what is at 0x3000000, exits with its result. */
static BLOB void call_code(volatile uint64_t *data)
{
    blob_call(SYS_thread_set, 0, -1, data[2], 0, 0, 0);
    uint64_t (*code)(void) = (uint64_t(*)(void))0x3000000;
    data[1] = code();
    blob_call(SYS_process_exit, data[1], 0, 0, 0, 0, 0);
}

/*
 * Programs with other code at the same address in the same frames, on every
 * hart in turn: each runs its own code, not what was there before.
 */
TEST(recycled_code_pages)
{
    unsigned harts = test_harts();
    for (unsigned i = 0; i < 40 * harts; i++) {
        struct child c;
        child_make(&c);
        handle_t m = MUST(sys_memory_create(PAGE_SIZE, 0));
        uint32_t *code = map_memory(m, PAGE_SIZE, PROT_R | PROT_W);
        code[0] = LI_A0 | (i % 2000) << 20;
        code[1] = RET;
        unmap_memory(code, PAGE_SIZE);
        MUST(sys_process_map(c.process, m, 0x3000000, 0, PAGE_SIZE,
                             PROT_R | PROT_X));
        MUST(sys_handle_close(m));
        c.data[2] = 1u << i % harts;
        child_run(&c, call_code, PRIORITY_NORMAL);
        EXPECT(child_wait_end(&c, 2000).code, i % 2000);
        child_close(&c);
    }
}

/* A program that replaces its own code: unmap, write, map again. */
TEST(own_code_replaced)
{
    handle_t m = MUST(sys_memory_create(PAGE_SIZE, 0));
    for (int i = 0; i < 200; i++) {
        uint32_t *code = map_memory(m, PAGE_SIZE, PROT_R | PROT_W);
        code[0] = LI_A0 | i << 20;
        code[1] = RET;
        unmap_memory(code, PAGE_SIZE);
        int (*run)(void) =
            (int (*)(void))map_memory(m, PAGE_SIZE, PROT_R | PROT_X);
        CHECK(run);
        int got = run();
        unmap_memory((void *)run, PAGE_SIZE);
        EXPECT(got, i);
    }
    MUST(sys_handle_close(m));
}

TEST_MAIN
