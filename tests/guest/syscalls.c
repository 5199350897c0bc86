/*
 * Every error of every system call on handles, processes and threads, by
 * name, and that an error changes nothing; objects.c has the other calls. IPC,
 * user interrupts and scheduling in use have files of their own.
 */
#include "refused.h"

TEST(null_call)
{
    REFUSED(sys_null(), OK);
}

TEST(unknown_numbers)
{
    static const uint64_t numbers[] = {6,   7,    11,   75,   127,       128,
                                       500, 1024, 4096, HUGE, 1UL << 63, ~0UL};
    for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        REFUSED(blob_call(numbers[i], 1, 2, 3, 4, 5, 6), E_NOSYS);
}

TEST(registers_after_a_call)
{
    uint64_t kept = 0, cleared = 0;
    __asm__ volatile(
        "li s2, 0x1234\n li t0, 5\n li t1, 6\n li t2, 7\n li t3, 8\n"
        "li t4, 9\n li t5, 10\n li t6, 11\n li a7, 0\n ecall\n"
        "or t0, t0, t1\n or t0, t0, t2\n or t0, t0, t3\n or t0, t0, t4\n"
        "or t0, t0, t5\n or t0, t0, t6\n or t0, t0, a1\n or t0, t0, a7\n"
        "mv %0, s2\n mv %1, t0\n"
        : "=&r"(kept), "=&r"(cleared)
        :
        : "a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "t0", "t1", "t2",
          "t3", "t4", "t5", "t6", "s2", "memory");
    EXPECT(kept, 0x1234);
    EXPECT(cleared, 0);
}

TEST(handle_close_errors)
{
    REFUSED(sys_handle_close(NO_HANDLE), E_BADHANDLE);
    REFUSED(sys_handle_close(FAR_HANDLE), E_BADHANDLE);
    REFUSED(sys_handle_close(0), E_BADHANDLE);
    handle_t h = MUST(sys_endpoint_create());
    EXPECT(sys_handle_close(h), OK);
    REFUSED(sys_handle_close(h), E_BADHANDLE);
}

TEST(handle_dup_errors)
{
    handles();
    REFUSED(sys_handle_dup(NO_HANDLE, 0, 0), E_BADHANDLE);
    REFUSED(sys_handle_dup(0, 0, 0), E_BADHANDLE);
    REFUSED(sys_handle_dup(endpoint, R_READ, 0), E_RIGHTS);
    REFUSED(sys_handle_dup(endpoint, ~0UL, 0), E_RIGHTS);
    REFUSED(sys_handle_dup(endpoint, 1UL << 40, 0), E_RIGHTS);
    REFUSED(sys_handle_dup(notification, R_WAIT, 5), E_ARG);
    BAD_RIGHTS(endpoint, R_DUP, sys_handle_dup(H, R_CALL, 0));
    BAD_RIGHTS(endpoint, R_RECEIVE, sys_handle_dup(H, R_CALL, 7));
    handle_t badged = MUST(sys_handle_dup(endpoint, R_CALL | R_DUP, 7));
    REFUSED(sys_handle_dup(badged, R_CALL, 8), E_ARG);
    MUST(sys_handle_close(badged));
}

TEST(handle_dup_never_adds_rights)
{
    handles();
    handle_t less = weak(memory, R_READ | R_DUP);
    REFUSED(sys_handle_dup(less, R_READ | R_WRITE, 0), E_RIGHTS);
    EXPECT(sys_handle_type(less),
           (uint64_t)OBJECT_MEMORY << 32 | R_READ | R_DUP);
    MUST(sys_handle_close(less));
}

TEST(handle_table_full)
{
    static handle_t all[HANDLES_MAX];
    int n = 0;
    int64_t last;
    handles();
    while ((last = sys_handle_dup(endpoint, R_CALL, 0)) > 0)
        all[n++] = last;
    int64_t results[8] = {
        last,
        sys_endpoint_create(),
        sys_notification_create(),
        sys_memory_create(PAGE_SIZE, 0),
        sys_doorbell_create(notification, 1),
        sys_process_create(1, 0, 0),
        sys_memory_slice(memory, 0, PAGE_SIZE),
        sys_thread_create(0, (uint64_t)park, 0x1000, 0, 3, 0)};
    struct test_snapshot before, after;
    before = test_snap();
    sys_endpoint_create();
    sys_memory_create(PAGE_SIZE, 0);
    sys_process_create(1, 0, 0);
    after = test_snap();
    for (int i = 0; i < n; i++)
        sys_handle_close(all[i]);
    for (int i = 0; i < 8; i++)
        if (results[i] != E_LIMIT)
            FAIL("call %d with a full table: %s", i, value_text(results[i]));
    CHECK(n > 900);
    CHECK(!memcmp(&before, &after, sizeof(before)));
    MUST(sys_handle_close(MUST(sys_endpoint_create())));
}

TEST(process_create_errors)
{
    REFUSED(sys_process_create(1, 0, PRIORITIES), E_ARG);
    REFUSED(sys_process_create(1, 0, ~0UL), E_ARG);
}

TEST(process_priority_is_bounded)
{
    struct child c; /* of maximum 3: it may not make one of 4 */
    child_make(&c);
    handle_t low = MUST(sys_process_create(1, 0, 2));
    REFUSED(sys_thread_create(low, CHILD_TEXT, 0, 0, 3, 0), E_RIGHTS);
    MUST(sys_handle_close(low));
    child_close(&c);
}

TEST(process_map_handles)
{
    BAD_HANDLES(process,
                sys_process_map(H, memory, 0x20000000, 0, PAGE_SIZE, PROT_R));
    BAD_RIGHTS(process, R_MANAGE,
               sys_process_map(H, memory, 0x20000000, 0, PAGE_SIZE, PROT_R));
    BAD_HANDLES(memory,
                sys_process_map(process, H, 0x20000000, 0, PAGE_SIZE, PROT_R));
    REFUSED(sys_process_map(process, 0, 0x20000000, 0, PAGE_SIZE, PROT_R),
            E_BADHANDLE);
}

TEST(process_map_rights)
{
    BAD_RIGHTS(memory, R_READ,
               sys_process_map(process, H, 0x20000000, 0, PAGE_SIZE, PROT_R));
    BAD_RIGHTS(
        memory, R_WRITE,
        sys_process_map(process, H, 0x20000000, 0, PAGE_SIZE, PROT_R | PROT_W));
    BAD_RIGHTS(
        memory, R_EXEC,
        sys_process_map(process, H, 0x20000000, 0, PAGE_SIZE, PROT_R | PROT_X));
}

TEST(process_map_protections)
{
    handles();
    static const uint64_t bad[] = {
        0, PROT_W,    PROT_X, PROT_W | PROT_X, PROT_R | PROT_W | PROT_X, 8,
        9, 1UL << 32, ~0UL};
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        REFUSED(
            sys_process_map(process, memory, 0x20000000, 0, PAGE_SIZE, bad[i]),
            E_ARG);
}

TEST(process_map_alignment)
{
    handles();
    REFUSED(sys_process_map(process, memory, 0x20000001, 0, PAGE_SIZE, PROT_R),
            E_ALIGN);
    REFUSED(sys_process_map(process, memory, 0x20000000, 8, PAGE_SIZE, PROT_R),
            E_ALIGN);
    REFUSED(sys_process_map(process, memory, 0x20000000, 0, 100, PROT_R),
            E_ALIGN);
}

TEST(process_map_ranges)
{
    handles();
    const uint64_t at = 0x20000000, p = PAGE_SIZE;
    REFUSED(sys_process_map(process, memory, at, 0, 0, PROT_R), E_RANGE);
    REFUSED(sys_process_map(process, memory, 0, 0, p, PROT_R), E_RANGE);
    REFUSED(sys_process_map(process, memory, at, 0, 3 * p, PROT_R), E_RANGE);
    REFUSED(sys_process_map(process, memory, at, p, 2 * p, PROT_R), E_RANGE);
    REFUSED(sys_process_map(process, memory, at, 2 * p, p, PROT_R), E_RANGE);
    REFUSED(sys_process_map(process, memory, at, -p, p, PROT_R), E_RANGE);
    REFUSED(sys_process_map(process, memory, at, 0, -p, PROT_R), E_RANGE);
    REFUSED(sys_process_map(process, memory, USER_END, 0, p, PROT_R), E_RANGE);
    REFUSED(sys_process_map(process, memory, USER_END - p, 0, 2 * p, PROT_R),
            E_RANGE);
    REFUSED(sys_process_map(process, memory, -p, 0, p, PROT_R), E_RANGE);
    REFUSED(sys_process_map(process, memory, KERNEL_ADDRESS, 0, p, PROT_R),
            E_RANGE);
}

TEST(process_map_overlap)
{
    handles();
    const uint64_t at = 0x20000000, p = PAGE_SIZE;
    MUST(sys_process_map(process, memory, at, 0, 2 * p, PROT_R));
    REFUSED(sys_process_map(process, memory, at, 0, p, PROT_R), E_OVERLAP);
    REFUSED(sys_process_map(process, memory, at + p, 0, p, PROT_R), E_OVERLAP);
    REFUSED(sys_process_map(process, memory, at - p, 0, 2 * p, PROT_R),
            E_OVERLAP);
    REFUSED(sys_process_map(process, memory, USER_UINTR_PLIC, 0, p, PROT_R),
            E_OVERLAP);
    REFUSED(sys_process_map(process, memory, USER_UINTR_STATS, 0, p, PROT_R),
            E_OVERLAP);
    EXPECT(sys_process_map(process, memory, at + 2 * p, 0, p, PROT_R), OK);
    EXPECT(sys_process_unmap(process, at + 2 * p, p), OK);
    EXPECT(sys_process_unmap(process, at, 2 * p), OK);
}

TEST(process_unmap_errors)
{
    const uint64_t at = 0x20000000, p = PAGE_SIZE;
    BAD_HANDLES(process, sys_process_unmap(H, 0x20000000, PAGE_SIZE));
    BAD_RIGHTS(process, R_MANAGE, sys_process_unmap(H, at, p));
    MUST(sys_process_map(process, memory, at, 0, 2 * p, PROT_R));
    REFUSED(sys_process_unmap(process, at, p), E_ARG);
    REFUSED(sys_process_unmap(process, at + p, p), E_ARG);
    REFUSED(sys_process_unmap(process, at, 3 * p), E_ARG);
    REFUSED(sys_process_unmap(process, at + 1, p), E_ALIGN);
    REFUSED(sys_process_unmap(process, at, 0), E_RANGE);
    REFUSED(sys_process_unmap(process, -p, p), E_RANGE);
    EXPECT(sys_process_unmap(process, at, 2 * p), OK);
    REFUSED(sys_process_unmap(process, at, 2 * p), E_ARG);
}

TEST(process_give_errors)
{
    BAD_HANDLES(process, sys_process_give(H, endpoint, R_CALL));
    BAD_RIGHTS(process, R_MANAGE, sys_process_give(H, endpoint, R_CALL));
    REFUSED(sys_process_give(process, NO_HANDLE, 0), E_BADHANDLE);
    REFUSED(sys_process_give(process, 0, 0), E_BADHANDLE);
    REFUSED(sys_process_give(process, endpoint, R_WRITE), E_RIGHTS);
    BAD_RIGHTS(endpoint, R_DUP, sys_process_give(process, H, R_CALL));
}

TEST(process_give_table_full)
{
    handles();
    handle_t p = MUST(sys_process_create(2, 0, 0));
    int64_t last;
    int n = 0;
    while ((last = sys_process_give(p, endpoint, R_CALL)) > 0)
        n++;
    EXPECT(last, E_LIMIT);
    EXPECT(n, HANDLES_MAX - 1);
    REFUSED(sys_process_give(p, endpoint, R_CALL), E_LIMIT);
    uint64_t before = test_snap().objects[OBJECT_PROCESS];
    MUST(sys_handle_close(p));
    EXPECT(test_snap().objects[OBJECT_PROCESS], before - 1);
}

TEST(process_watch_errors)
{
    BAD_HANDLES(process, sys_process_watch(H, doorbell));
    BAD_HANDLES(doorbell, sys_process_watch(process, H));
    BAD_RIGHTS(process, R_STATUS, sys_process_watch(H, doorbell));
    BAD_RIGHTS(doorbell, R_RING, sys_process_watch(process, H));
    handle_t p = MUST(sys_process_create(2, 0, 0));
    EXPECT(sys_process_watch(p, doorbell), OK);
    REFUSED(sys_process_watch(p, doorbell), E_BUSY);
    MUST(sys_handle_close(p));
    sys_notification_poll(notification, ~0UL >> 2);
}

TEST(process_status_errors)
{
    static struct process_status s;
    static const struct process_status constant;
    BAD_HANDLES(process, sys_process_status(H, (uint64_t)&s));
    BAD_RIGHTS(process, R_STATUS, sys_process_status(H, (uint64_t)&s));
    REFUSED(sys_process_status(process, 0), E_FAULT);
    REFUSED(sys_process_status(process, BAD_ADDRESS), E_FAULT);
    REFUSED(sys_process_status(process, KERNEL_ADDRESS), E_FAULT);
    REFUSED(sys_process_status(process, ~0UL), E_FAULT);
    REFUSED(sys_process_status(process, (uint64_t)&constant), E_FAULT);
    REFUSED(sys_process_status(process, USER_TEXT), E_FAULT);
    EXPECT(sys_process_status(process, (uint64_t)&s), OK);
    EXPECT(s.reason, EXIT_RUNNING);
}

/* A structure that lies half in a mapped page: nothing of it is written. */
TEST(status_over_the_edge)
{
    handles();
    char *page = map_memory(memory, PAGE_SIZE, PROT_R | PROT_W);
    CHECK(page);
    memset(page, 0x5a, PAGE_SIZE);
    uint64_t edge = (uint64_t)page + PAGE_SIZE - 16;
    REFUSED(sys_process_status(process, edge), E_FAULT);
    for (int i = 0; i < (int)PAGE_SIZE; i++)
        EXPECT(page[i], 0x5a);
    unmap_memory(page, PAGE_SIZE);
}

/* An unaligned place is a place like another. */
TEST(status_unaligned)
{
    static char place[100];
    handles();
    memset(place, 0x5a, sizeof(place));
    EXPECT(sys_process_status(process, (uint64_t)place + 3), OK);
    EXPECT(place[2], 0x5a);
    EXPECT(place[3 + sizeof(struct process_status)], 0x5a);
}

TEST(process_kill_errors)
{
    BAD_HANDLES(process, sys_process_kill(H, 1));
    BAD_RIGHTS(process, R_MANAGE, sys_process_kill(H, 1));
    REFUSED(sys_process_kill(0, 1), E_BADHANDLE);
}

TEST(process_dead_refuses)
{
    struct child c;
    child_make(&c);
    script(&c, 0, SCRIPT_EXIT, 42, 0, 0, 0, 0, 0);
    child_run(&c, child_script, 3);
    struct process_status s = child_wait_end(&c, 1000);
    EXPECT(s.reason, EXIT_EXITED);
    EXPECT(s.code, 42);
    handles();
    REFUSED(
        sys_process_map(c.process, memory, 0x20000000, 0, PAGE_SIZE, PROT_R),
        E_DEAD);
    REFUSED(sys_process_unmap(c.process, CHILD_DATA, CHILD_DATA_SIZE), E_DEAD);
    REFUSED(sys_process_give(c.process, endpoint, R_CALL), E_DEAD);
    REFUSED(sys_thread_create(c.process, CHILD_TEXT, 0, 0, 0, 0), E_DEAD);
    REFUSED(sys_thread_set(c.thread, 1, 0), E_DEAD);
    REFUSED(sys_process_kill(c.process, 1), OK);
    MUST(sys_process_status(c.process, (uint64_t)&s));
    EXPECT(s.reason, EXIT_EXITED);
    child_close(&c);
}

TEST(process_id_errors)
{
    BAD_HANDLES(process, sys_process_id(H));
    EXPECT(sys_process_id(0), startup_get()->pid);
    CHECK(sys_process_id(process) > startup_get()->pid);
}

TEST(thread_create_errors)
{
    handles();
    const uint64_t entry = CHILD_TEXT, stack = CHILD_STACK;
    BAD_HANDLES(process,
                sys_thread_create(H, CHILD_TEXT, CHILD_STACK, 0, 0, 0));
    BAD_RIGHTS(process, R_MANAGE, sys_thread_create(H, entry, stack, 0, 0, 0));
    REFUSED(sys_thread_create(process, entry, stack, 0, PRIORITIES, 0), E_ARG);
    REFUSED(sys_thread_create(process, entry, stack, 0, ~0UL, 0), E_ARG);
    REFUSED(sys_thread_create(process, entry, stack, 0, 4, 0), E_RIGHTS);
    REFUSED(sys_thread_create(process, entry + 1, stack, 0, 0, 0), E_RANGE);
    REFUSED(sys_thread_create(process, USER_END, stack, 0, 0, 0), E_RANGE);
    REFUSED(sys_thread_create(process, KERNEL_ADDRESS, stack, 0, 0, 0),
            E_RANGE);
    REFUSED(sys_thread_create(process, entry, KERNEL_ADDRESS, 0, 0, 0),
            E_RANGE);
    REFUSED(sys_thread_create(process, entry, stack + 8, 0, 0, 0), E_ALIGN);
    REFUSED(sys_thread_create(process, entry, stack, 0, 0, 1UL << 40), E_ARG);
}

TEST(thread_set_errors)
{
    BAD_HANDLES(thread, sys_thread_set(H, 1, 0));
    BAD_RIGHTS(thread, R_MANAGE, sys_thread_set(H, 1, 0));
    REFUSED(sys_thread_set(thread, PRIORITIES, 0), E_ARG);
    REFUSED(sys_thread_set(thread, -2, 0), E_ARG);
    REFUSED(sys_thread_set(thread, -1, 1UL << 40), E_ARG);
    REFUSED(sys_thread_set(thread, -1, 1UL << test_harts()), E_ARG);
    EXPECT(sys_thread_set(thread, -1, 0), OK);
    EXPECT(sys_thread_set(0, -1, 0), OK);
}

TEST_MAIN
