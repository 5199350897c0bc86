/*
 * Processes that end, by themselves and killed in every state, and objects that
 * hold each other: all memory comes back.
 */
#include "lives.h"

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
    script(&c, 2, state == THREAD_UINTR ? SCRIPT_AGAIN : SCRIPT_SPIN, 0, 0, 0,
           0, 0, 0);
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
    ALLOW_SECONDS(
        150); /* four changes of hart a kill, and a host may be slow */
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

TEST_MAIN
