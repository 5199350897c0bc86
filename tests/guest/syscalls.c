/*
 * Every error of every system call, by name, and that an error changes
 * nothing. IPC, user interrupts and scheduling in use have files of their own.
 */
#include "child.h"

enum { NO_HANDLE = 900, HUGE = 0x7fffffff };

#define FAR_HANDLE     0xffffffffffffffffUL
#define BAD_ADDRESS    0x3e000000UL /* nothing is mapped there */
#define KERNEL_ADDRESS 0xffffffc080200000UL

/* One handle of each type, made once and kept. */
static handle_t process, thread, endpoint, notification, doorbell, memory;

static void park(void)
{
    for (;;)
        sys_notification_wait(0, 0, DEADLINE_NEVER);
}

static void handles(void)
{
    static char stack[4096] __attribute__((aligned(16)));
    if (memory)
        return;
    process = MUST(sys_process_create(0x6d6d7564, 0, 3));
    thread = MUST(sys_thread_create(0, (uint64_t)park,
                                    (uint64_t)stack + sizeof(stack), 0, 3));
    endpoint = MUST(sys_endpoint_create());
    notification = MUST(sys_notification_create());
    doorbell = MUST(sys_doorbell_create(notification, 1));
    memory = MUST(sys_memory_create(2 * PAGE_SIZE, 0));
}

/* The same object with these rights only. */
static handle_t weak(handle_t h, uint64_t rights)
{
    return MUST(sys_handle_dup(h, rights, 0));
}

/* A call that wants handle type `good`: bad numbers and other types. */
#define BAD_HANDLES(good, call)                                              \
    do {                                                                     \
        handles();                                                           \
        const handle_t all_[] = {process,  thread, endpoint,   notification, \
                                 doorbell, memory, test_system};             \
        uint64_t H = NO_HANDLE;                                              \
        REFUSED(call, E_BADHANDLE);                                          \
        H = FAR_HANDLE;                                                      \
        REFUSED(call, E_BADHANDLE);                                          \
        H = HANDLES_MAX;                                                     \
        REFUSED(call, E_BADHANDLE);                                          \
        for (unsigned i_ = 0; i_ < 7; i_++) {                                \
            H = all_[i_];                                                    \
            if (H != (good))                                                 \
                REFUSED(call, E_TYPE);                                       \
        }                                                                    \
    } while (0)

/* ... and a handle without the right. */
#define BAD_RIGHTS(good, right, call)                                  \
    do {                                                               \
        uint64_t type_ = MUST(sys_handle_type(good));                  \
        uint64_t H = weak(good, (uint32_t)type_ & ~(uint64_t)(right)); \
        REFUSED(call, E_RIGHTS);                                       \
        MUST(sys_handle_close(H));                                     \
    } while (0)

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
    int64_t results[8] = {last,
                          sys_endpoint_create(),
                          sys_notification_create(),
                          sys_memory_create(PAGE_SIZE, 0),
                          sys_doorbell_create(notification, 1),
                          sys_process_create(1, 0, 0),
                          sys_memory_slice(memory, 0, PAGE_SIZE),
                          sys_thread_create(0, (uint64_t)park, 0x1000, 0, 3)};
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
    REFUSED(sys_thread_create(low, CHILD_TEXT, 0, 0, 3), E_RIGHTS);
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
    REFUSED(sys_thread_create(c.process, CHILD_TEXT, 0, 0, 0), E_DEAD);
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
    BAD_HANDLES(process, sys_thread_create(H, CHILD_TEXT, CHILD_STACK, 0, 0));
    BAD_RIGHTS(process, R_MANAGE, sys_thread_create(H, entry, stack, 0, 0));
    REFUSED(sys_thread_create(process, entry, stack, 0, PRIORITIES), E_ARG);
    REFUSED(sys_thread_create(process, entry, stack, 0, ~0UL), E_ARG);
    REFUSED(sys_thread_create(process, entry, stack, 0, 4), E_RIGHTS);
    REFUSED(sys_thread_create(process, entry + 1, stack, 0, 0), E_RANGE);
    REFUSED(sys_thread_create(process, USER_END, stack, 0, 0), E_RANGE);
    REFUSED(sys_thread_create(process, KERNEL_ADDRESS, stack, 0, 0), E_RANGE);
    REFUSED(sys_thread_create(process, entry, KERNEL_ADDRESS, 0, 0), E_RANGE);
    REFUSED(sys_thread_create(process, entry, stack + 8, 0, 0), E_ALIGN);
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

TEST(endpoint_bind_errors)
{
    BAD_HANDLES(endpoint, sys_endpoint_bind(H, doorbell));
    BAD_HANDLES(doorbell, sys_endpoint_bind(endpoint, H));
    BAD_RIGHTS(endpoint, R_RECEIVE, sys_endpoint_bind(H, doorbell));
    BAD_RIGHTS(doorbell, R_RING, sys_endpoint_bind(endpoint, H));
    EXPECT(sys_endpoint_bind(endpoint, doorbell), OK);
    EXPECT(sys_endpoint_bind(endpoint, 0), OK);
    EXPECT(sys_endpoint_bind(endpoint, 0), OK);
}

TEST(ipc_errors)
{
    struct message m = {0};
    BAD_HANDLES(endpoint, (m = (struct message){0}, ipc_call(H, &m)));
    BAD_HANDLES(endpoint, (m = (struct message){0}, ipc_receive(H, &m)));
    BAD_HANDLES(endpoint, (m = (struct message){0}, ipc_poll(H, &m)));
    BAD_RIGHTS(endpoint, R_CALL, (m = (struct message){0}, ipc_call(H, &m)));
    BAD_RIGHTS(endpoint, R_RECEIVE,
               (m = (struct message){0}, ipc_receive(H, &m)));
    BAD_RIGHTS(endpoint, R_RECEIVE, (m = (struct message){0}, ipc_poll(H, &m)));
    REFUSED((m = (struct message){0}, ipc_poll(endpoint, &m)), E_AGAIN);
    for (int i = 0; i < 4; i++) {
        m = (struct message){0};
        m.handle[i] = NO_HANDLE;
        REFUSED(ipc_call(endpoint, &m), E_BADHANDLE);
    }
    handle_t h = weak(memory, R_READ);
    m = (struct message){.handle = {endpoint, 0, h}};
    REFUSED(ipc_call(endpoint, &m), E_RIGHTS);
    MUST(sys_handle_close(h));
}

TEST(ipc_reply_without_caller)
{
    struct message m = {0};
    const uint64_t tokens[] = {0, 1, 77, 1UL << 16, ~0UL, 1UL << 63};
    for (int i = 0; i < 6; i++) {
        m = (struct message){.token = tokens[i]};
        REFUSED(ipc_reply(&m), E_ARG);
        m = (struct message){0};
        handles();
        REFUSED(ipc_trap(SYS_ipc_reply_receive, tokens[i], endpoint, &m),
                E_ARG);
    }
}

TEST(call_without_receiver)
{
    struct message m = {0};
    handle_t e = MUST(sys_endpoint_create());
    handle_t only_call = weak(e, R_CALL);
    MUST(sys_handle_close(e));
    EXPECT(ipc_call(only_call, &m), E_DEAD);
    MUST(sys_handle_close(only_call));
}

TEST(notification_errors)
{
    uint64_t soon = clock_ticks() + 10;
    BAD_HANDLES(notification, sys_notification_wait(H, 1, soon));
    BAD_HANDLES(notification, sys_notification_poll(H, 1));
    BAD_HANDLES(notification, sys_doorbell_create(H, 1));
    REFUSED(sys_notification_poll(0, 1), E_BADHANDLE);
    BAD_RIGHTS(notification, R_WAIT, sys_notification_wait(H, 1, soon));
    BAD_RIGHTS(notification, R_WAIT, sys_notification_poll(H, 1));
    BAD_RIGHTS(notification, R_WAIT, sys_doorbell_create(H, 1));
    REFUSED(sys_notification_wait(notification, 0, soon), E_ARG);
    REFUSED(sys_notification_wait(notification, 1UL << 63, soon), E_ARG);
    REFUSED(sys_notification_wait(notification, 1, 0), E_TIMEDOUT);
    REFUSED(sys_notification_wait(0, 0, 0), E_TIMEDOUT);
    REFUSED(sys_doorbell_create(notification, 0), E_ARG);
    REFUSED(sys_doorbell_create(notification, 1UL << 62), E_ARG);
    REFUSED(sys_doorbell_create(notification, 1UL << 63), E_ARG);
    EXPECT(sys_handle_close(
               MUST(sys_doorbell_create(notification, (1UL << 62) - 1))),
           OK);
    sys_notification_poll(notification, ~0UL);
}

TEST(doorbell_errors)
{
    BAD_HANDLES(doorbell, sys_doorbell_ring(H));
    BAD_RIGHTS(doorbell, R_RING, sys_doorbell_ring(H));
    REFUSED(sys_doorbell_ring(0), E_BADHANDLE);
}

TEST(memory_create_errors)
{
    REFUSED(sys_memory_create(0, 0), E_RANGE);
    REFUSED(sys_memory_create(1, 0), E_ALIGN);
    REFUSED(sys_memory_create(PAGE_SIZE + 1, 0), E_ALIGN);
    REFUSED(sys_memory_create(MEMORY_SIZE_MAX + PAGE_SIZE, 0), E_RANGE);
    REFUSED(sys_memory_create(-PAGE_SIZE, 0), E_RANGE);
    REFUSED(sys_memory_create(1UL << 63, MEMORY_CONTIGUOUS), E_RANGE);
    REFUSED(sys_memory_create(PAGE_SIZE, 2), E_ARG);
    REFUSED(sys_memory_create(PAGE_SIZE, ~0UL), E_ARG);
}

TEST(memory_slice_errors)
{
    const uint64_t p = PAGE_SIZE;
    BAD_HANDLES(memory, sys_memory_slice(H, 0, PAGE_SIZE));
    BAD_RIGHTS(memory, R_DUP, sys_memory_slice(H, 0, p));
    REFUSED(sys_memory_slice(memory, 1, p), E_ALIGN);
    REFUSED(sys_memory_slice(memory, 0, 1), E_ALIGN);
    REFUSED(sys_memory_slice(memory, 0, 0), E_RANGE);
    REFUSED(sys_memory_slice(memory, 2 * p, p), E_RANGE);
    REFUSED(sys_memory_slice(memory, p, 2 * p), E_RANGE);
    REFUSED(sys_memory_slice(memory, -p, 2 * p), E_RANGE);
    REFUSED(sys_memory_slice(memory, p, -p), E_RANGE);
}

TEST(memory_size_and_phys_errors)
{
    BAD_HANDLES(memory, sys_memory_size(H));
    BAD_HANDLES(memory, sys_memory_phys(H, 0));
    BAD_RIGHTS(memory, R_PHYS, sys_memory_phys(H, 0));
    REFUSED(sys_memory_phys(memory, 2 * PAGE_SIZE), E_RANGE);
    REFUSED(sys_memory_phys(memory, ~0UL), E_RANGE);
    EXPECT(sys_memory_size(memory), 2 * PAGE_SIZE);
    EXPECT(sys_memory_phys(memory, 5) & 0xfff, 5);
}

static handle_t some_irq(void)
{
    handle_t irq = startup_handle("irq11");
    if (!irq)
        SKIP("no RTC");
    return irq;
}

TEST(irq_errors)
{
    handle_t irq = some_irq();
    BAD_HANDLES(irq, sys_irq_attach(H));
    BAD_HANDLES(irq, sys_irq_bind(H, doorbell));
    BAD_HANDLES(irq, sys_irq_ack(H));
    BAD_HANDLES(irq, sys_irq_release(H));
    BAD_HANDLES(doorbell, sys_irq_bind(irq, H));
    BAD_RIGHTS(irq, R_ATTACH, sys_irq_attach(H));
    BAD_RIGHTS(irq, R_ATTACH, sys_irq_bind(H, doorbell));
    BAD_RIGHTS(irq, R_ATTACH, sys_irq_ack(H));
    BAD_RIGHTS(irq, R_ATTACH, sys_irq_release(H));
    BAD_RIGHTS(doorbell, R_RING, sys_irq_bind(irq, H));
    REFUSED(sys_irq_attach(irq), E_STATE); /* not registered */
    REFUSED(sys_irq_ack(irq), E_STATE);
    REFUSED(sys_irq_release(irq), E_STATE);
}

TEST(irq_bind_is_exclusive)
{
    handle_t irq = some_irq();
    handles();
    EXPECT(sys_irq_bind(irq, doorbell), OK);
    REFUSED(sys_irq_bind(irq, doorbell), E_BUSY);
    REFUSED(sys_irq_ack(irq), E_STATE); /* it has not rung */
    EXPECT(sys_irq_release(irq), OK);
    REFUSED(sys_irq_release(irq), E_STATE);
}

TEST(uintr_without_registering)
{
    REFUSED(sys_uintr_wait(0), E_STATE);
    REFUSED(sys_uintr_take(), E_STATE);
    REFUSED(sys_uintr_timer(0), E_STATE);
    handles();
    REFUSED(sys_uintr_bind(notification), E_STATE);
    REFUSED(sys_uintr_bind(0), E_STATE);
}

TEST(system_info_errors)
{
    static struct memory_info info;
    const uint64_t out = (uint64_t)&info, size = sizeof(info);
    BAD_HANDLES(test_system, sys_system_info(H, INFO_MEMORY, 0, (uint64_t)&info,
                                             sizeof(info)));
    BAD_RIGHTS(test_system, R_INSPECT,
               sys_system_info(H, INFO_MEMORY, 0, out, size));
    REFUSED(sys_system_info(test_system, 77, 0, out, size), E_ARG);
    REFUSED(sys_system_info(test_system, ~0UL, 0, out, size), E_ARG);
    REFUSED(sys_system_info(test_system, INFO_MEMORY, 0, out, size - 1), E_ARG);
    REFUSED(sys_system_info(test_system, INFO_MEMORY, 1, out, size), E_NOENT);
    REFUSED(sys_system_info(test_system, INFO_MEMORY, ~0UL, out, size),
            E_NOENT);
    REFUSED(sys_system_info(test_system, INFO_HART, 8, out,
                            sizeof(struct hart_info)),
            E_NOENT);
    REFUSED(sys_system_info(test_system, INFO_HART, 1UL << 60, out,
                            sizeof(struct hart_info)),
            E_NOENT);
    REFUSED(sys_system_info(test_system, INFO_MEMORY, 0, 0, size), E_FAULT);
    REFUSED(sys_system_info(test_system, INFO_MEMORY, 0, KERNEL_ADDRESS, size),
            E_FAULT);
}

TEST(system_log_errors)
{
    static char text[600];
    const uint64_t t = (uint64_t)text;
    BAD_HANDLES(test_system, sys_system_log_read(H, 0, (uint64_t)text, 100));
    BAD_HANDLES(test_system, sys_system_log_write(H, (uint64_t)text, 1));
    BAD_RIGHTS(test_system, R_READ, sys_system_log_read(H, 0, t, 100));
    BAD_RIGHTS(test_system, R_WRITE, sys_system_log_write(H, t, 1));
    REFUSED(sys_system_log_read(test_system, 0, t, 8), E_ARG);
    REFUSED(sys_system_log_read(test_system, 0, 0, 100), E_FAULT);
    REFUSED(sys_system_log_read(test_system, 0, USER_TEXT, 100), E_FAULT);
    REFUSED(sys_system_log_write(test_system, t, 257), E_RANGE);
    REFUSED(sys_system_log_write(test_system, t, ~0UL), E_RANGE);
    REFUSED(sys_system_log_write(test_system, 0, 10), E_FAULT);
    REFUSED(sys_system_log_write(test_system, KERNEL_ADDRESS, 10), E_FAULT);
    EXPECT(sys_system_log_read(test_system, ~0UL, t, 100), 0);
}

TEST(system_kill_errors)
{
    BAD_HANDLES(test_system, sys_system_kill(H, 12345, 1));
    BAD_RIGHTS(test_system, R_KILL, sys_system_kill(H, 12345, 1));
    REFUSED(sys_system_kill(test_system, 0, 1), E_NOENT);
    REFUSED(sys_system_kill(test_system, 99999, 1), E_NOENT);
    /* a number beyond 32 bits is nobody's, not the one it is cut to */
    struct child c;
    child_make(&c);
    script(&c, 0, SCRIPT_SPIN, 0, 0, 0, 0, 0, 0);
    child_run(&c, child_script, 1);
    uint64_t pid = MUST(sys_process_id(c.process));
    EXPECT(sys_system_kill(test_system, 1UL << 32 | pid, 1), E_NOENT);
    child_kill(&c);
}

TEST(system_reset_errors)
{
    BAD_HANDLES(test_system, sys_system_reset(H, 0));
    BAD_RIGHTS(test_system, R_RESET, sys_system_reset(H, 0));
    REFUSED(sys_system_reset(test_system, 99), E_ARG);
    REFUSED(sys_system_reset(test_system, ~0UL), E_ARG);
}

/* Handles to devices: never to what is the kernel's own. */
TEST(system_device_errors)
{
    struct memory_info info = test_memory();
    const uint64_t rtc = 0x101000, ram = 0x80000000, plic = 0xc000000;
    const uint64_t page = PAGE_SIZE, end = 1UL << 56;
    if (!(MUST(sys_handle_type(test_system)) & R_DEVICE))
        SKIP("not started by run=");
    BAD_HANDLES(test_system, sys_system_device(H, 0x101000, PAGE_SIZE));
    BAD_RIGHTS(test_system, R_DEVICE, sys_system_device(H, rtc, page));
    REFUSED(sys_system_device(test_system, rtc + 1, page), E_ALIGN);
    REFUSED(sys_system_device(test_system, rtc, page + 8), E_ALIGN);
    REFUSED(sys_system_device(test_system, rtc, 0), E_RANGE);
    REFUSED(sys_system_device(test_system, end, page), E_RANGE);
    REFUSED(sys_system_device(test_system, end - page, 2 * page), E_RANGE);
    REFUSED(sys_system_device(test_system, rtc, -rtc), E_RANGE);
    /* the firmware, the kernel, the last page; all of it; around it */
    REFUSED(sys_system_device(test_system, ram, page), E_OVERLAP);
    REFUSED(sys_system_device(test_system, ram + 0x200000, page), E_OVERLAP);
    REFUSED(sys_system_device(test_system, ram + info.total - page, page),
            E_OVERLAP);
    REFUSED(sys_system_device(test_system, 0, end), E_OVERLAP);
    REFUSED(sys_system_device(test_system, ram - page, 2 * page), E_OVERLAP);
    REFUSED(sys_system_device(test_system, plic, page), E_OVERLAP);
    REFUSED(sys_system_device(test_system, plic + 0x201000, page), E_OVERLAP);
    REFUSED(sys_system_device(test_system, plic - page, 2 * page), E_OVERLAP);
    handle_t h = MUST(sys_system_device(test_system, rtc, page));
    EXPECT(sys_memory_phys(h, 8), rtc + 8);
    EXPECT(sys_handle_type(h),
           (int64_t)OBJECT_MEMORY << 32 | R_READ | R_WRITE | R_PHYS | R_DUP);
    EXPECT(sys_handle_close(h), OK);
}

TEST(system_irq_errors)
{
    if (!(MUST(sys_handle_type(test_system)) & R_DEVICE))
        SKIP("not started by run=");
    BAD_HANDLES(test_system, sys_system_irq(H, 11));
    BAD_RIGHTS(test_system, R_DEVICE, sys_system_irq(H, 11));
    REFUSED(sys_system_irq(test_system, 0), E_RANGE);
    REFUSED(sys_system_irq(test_system, 512), E_RANGE);
    REFUSED(sys_system_irq(test_system, 1UL << 32 | 11), E_RANGE);
    /* two handles of one source: one object, one owner */
    handles();
    handle_t one = MUST(sys_system_irq(test_system, 11));
    handle_t two = MUST(sys_system_irq(test_system, 11));
    EXPECT(sys_irq_bind(one, doorbell), OK);
    int64_t again = sys_irq_bind(two, doorbell);
    EXPECT(sys_irq_release(two), OK);
    EXPECT(again, E_BUSY);
    EXPECT(sys_handle_close(one), OK);
    EXPECT(sys_handle_close(two), OK);
}

/*
 * A device's registers are mapped like memory, but they are not memory: the
 * kernel must not use them as a place for results.
 */
TEST(device_page_as_buffer)
{
    handle_t mmio = startup_handle("mmio11");
    if (!mmio)
        SKIP("no RTC");
    handles();
    char *page = map_memory(mmio, PAGE_SIZE, PROT_R | PROT_W);
    CHECK(page);
    int64_t status = sys_process_status(process, (uint64_t)page);
    int64_t log = sys_system_log_write(test_system, (uint64_t)page, 8);
    unmap_memory(page, PAGE_SIZE);
    EXPECT(status, E_FAULT);
    EXPECT(log, E_FAULT);
}

TEST_MAIN
