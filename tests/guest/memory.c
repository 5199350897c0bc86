/*
 * Memory objects and mappings: when there is no more, what is in them, and who
 * still sees them when they are gone. deaths.c has what processes leave behind.
 */
#include "lives.h"

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
                                  CHILD_STACK, CHILD_DATA, 3, 0)) > 0)
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
