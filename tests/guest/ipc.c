/*
 * Messages and events: words and handles both ways, badges, tokens, deaths,
 * full tables, who is served first, and that neither a message nor an event
 * for a thread on another hart waits for a tick.
 */
#include <uinta/thread.h>
#include "child.h"

static handle_t ep;

static void fresh_endpoint(void)
{
    ep = MUST(sys_endpoint_create());
}

/* ---- a server thread ---------------------------------------------------- */

enum { ADD, BADGE, HANDLES, LATER, TURNS, QUIT };
static volatile uint64_t turns; /* of spin_until */

/* Answers in order until QUIT; every word of the answer depends on the call. */
static int64_t serve(void *arg)
{
    handle_t e = (handle_t)(uint64_t)arg;
    struct message m = {0};
    int64_t error = ipc_receive(e, &m);
    while (error >= 0) {
        uint64_t method = m.word[0];
        if (method == BADGE)
            m.word[1] = m.badge;
        if (method == TURNS)
            m.word[1] = turns;
        for (int i = 0; i < MESSAGE_WORDS; i++)
            if (method == ADD)
                m.word[i] += i + 1;
        if (method == QUIT)
            return ipc_reply(&m);
        m.give = method == HANDLES ? 15 : 0; /* back to the caller */
        error = ipc_reply_receive(e, &m);
    }
    return error;
}

static struct thread server;

static void start_server(int priority)
{
    fresh_endpoint();
    MUST(thread_start(&server, serve, (void *)(uint64_t)ep, priority));
}

static void stop_server(void)
{
    struct message m = {.word = {QUIT}};
    MUST(ipc_call(ep, &m));
    EXPECT(thread_join(&server), OK);
    MUST(sys_handle_close(ep));
}

TEST(eight_words_both_ways)
{
    start_server(4);
    struct message m;
    for (uint64_t round = 0; round < 100; round++) {
        m = (struct message){0};
        for (int i = 1; i < MESSAGE_WORDS; i++)
            m.word[i] = round * 0x0123456789abcdefUL + i;
        EXPECT(ipc_call(ep, &m), OK);
        EXPECT(m.word[0], 1);
        for (int i = 1; i < MESSAGE_WORDS; i++)
            EXPECT(m.word[i], round * 0x0123456789abcdefUL + 2 * i + 1);
    }
    stop_server();
}

TEST(four_handles_both_ways)
{
    start_server(4);
    uint64_t before = test_snap().handles;
    handle_t own[4] = {MUST(sys_endpoint_create()),
                       MUST(sys_notification_create()),
                       MUST(sys_memory_create(PAGE_SIZE, 0)),
                       MUST(sys_handle_dup(ep, R_CALL | R_DUP, 99))};
    static const uint32_t types[] = {OBJECT_ENDPOINT, OBJECT_NOTIFICATION,
                                     OBJECT_MEMORY, OBJECT_ENDPOINT};
    for (int round = 0; round < 50; round++) {
        struct message m = {.word = {HANDLES},
                            .handle = {own[0], own[1], own[2], own[3]}};
        EXPECT(ipc_call(ep, &m), OK);
        for (int i = 0; i < 4; i++) {
            CHECK(m.handle[i] != 0 && m.handle[i] != own[i]);
            int64_t type = MUST(sys_handle_type(m.handle[i]));
            EXPECT(type, MUST(sys_handle_type(own[i])));
            EXPECT(type >> 32, types[i]);
        }
        message_close(&m, 0);
    }
    for (int i = 0; i < 4; i++)
        MUST(sys_handle_close(own[i]));
    EXPECT(test_snap().handles, before);
    stop_server();
}

TEST(holes_between_handles_stay)
{
    start_server(4);
    handle_t n = MUST(sys_notification_create());
    struct message m = {.word = {HANDLES}, .handle = {0, n, 0, n}};
    EXPECT(ipc_call(ep, &m), OK);
    EXPECT(m.handle[0], 0);
    CHECK(m.handle[1]);
    EXPECT(m.handle[2], 0);
    CHECK(m.handle[3] && m.handle[3] != m.handle[1]);
    message_close(&m, 0);
    MUST(sys_handle_close(n));
    stop_server();
}

TEST(badges)
{
    start_server(4);
    static const uint64_t badges[] = {1, 77, 1UL << 40, ~0UL};
    for (int i = 0; i < 4; i++) {
        handle_t h = MUST(sys_handle_dup(ep, R_CALL | R_DUP, badges[i]));
        handle_t copy = MUST(sys_handle_dup(h, R_CALL, 0));
        struct message m = {.word = {BADGE}};
        EXPECT(ipc_call(copy, &m), OK);
        EXPECT(m.word[1], badges[i]);
        sys_handle_close(h);
        sys_handle_close(copy);
    }
    struct message m = {.word = {BADGE}};
    EXPECT(ipc_call(ep, &m), OK);
    EXPECT(m.word[1], 0);
    stop_server();
}

/* ---- callers in processes of their own ---------------------------------- */

/* Child that calls handle data[0] with words data[8..15], result to [16..]. */
static BLOB void caller(volatile uint64_t *data)
{
    register uint64_t a0 __asm__("a0") = data[0];
    register uint64_t a1 __asm__("a1") = data[1];
    register uint64_t a2 __asm__("a2") = data[8];
    register uint64_t a3 __asm__("a3") = data[9];
    register uint64_t a4 __asm__("a4") = data[10];
    register uint64_t a5 __asm__("a5") = data[11];
    register uint64_t a6 __asm__("a6") = data[12];
    register uint64_t a7 __asm__("a7") = SYS_ipc_call;
    register uint64_t t0 __asm__("t0") = data[13];
    register uint64_t t1 __asm__("t1") = data[14];
    register uint64_t t2 __asm__("t2") = data[15];
    __asm__ volatile("ecall"
                     : "+r"(a0), "+r"(a1), "+r"(a2), "+r"(a3), "+r"(a4),
                       "+r"(a5), "+r"(a6), "+r"(a7), "+r"(t0), "+r"(t1),
                       "+r"(t2)
                     :
                     : "t3", "t4", "t5", "t6", "memory");
    data[16] = a2;
    data[3] = a1;
    data[2] = a0;
    data[4] = 1;
    for (;;)
        blob_call(SYS_notification_wait, 0, 0, DEADLINE_NEVER, 0, 0, 0);
}

static void start_caller(struct child *c, uint64_t word, int priority)
{
    child_make(c);
    c->data[0] = MUST(sys_process_give(c->process, ep, R_CALL | R_DUP));
    c->data[8] = word;
    child_run(c, caller, priority);
}

/* Its thread is in this state, soon. */
#define IN_STATE(c, wanted) \
    CHECK(EVENTUALLY(child_state(c) == (int)(wanted), 1000))

static void reply_word(uint64_t token, uint64_t word)
{
    struct message m = {.token = token, .word = {word}};
    EXPECT(ipc_reply(&m), OK);
}

TEST(replies_out_of_order)
{
    struct child c[3];
    uint64_t token[3];
    fresh_endpoint();
    for (int i = 0; i < 3; i++) {
        start_caller(&c[i], 100 + i, 3);
        struct message m = {0};
        EXPECT(ipc_receive(ep, &m), OK);
        EXPECT(m.word[0], 100 + i);
        token[i] = m.token;
        IN_STATE(&c[i], THREAD_REPLY);
    }
    static const int order[] = {2, 0, 1};
    for (int k = 0; k < 3; k++) {
        int i = order[k];
        EXPECT(c[i].data[4], 0);
        reply_word(token[i], 200 + i);
        CHECK(EVENTUALLY(c[i].data[4], 1000));
        EXPECT(c[i].data[2], OK);
        EXPECT(c[i].data[16], 200 + i);
    }
    for (int i = 0; i < 3; i++)
        child_kill(&c[i]);
    MUST(sys_handle_close(ep));
}

TEST(token_used_twice)
{
    struct child c;
    struct message m = {0};
    fresh_endpoint();
    start_caller(&c, 1, 3);
    EXPECT(ipc_receive(ep, &m), OK);
    uint64_t token = m.token;
    reply_word(token, 5);
    m = (struct message){.token = token};
    EXPECT(ipc_reply(&m), E_ARG);
    child_kill(&c);
    MUST(sys_handle_close(ep));
}

TEST(token_of_dead_caller)
{
    struct child c;
    struct message m = {0};
    fresh_endpoint();
    start_caller(&c, 1, 3);
    EXPECT(ipc_receive(ep, &m), OK);
    uint64_t token = m.token;
    IN_STATE(&c, THREAD_REPLY);
    child_kill(&c);
    m = (struct message){.token = token};
    EXPECT(ipc_reply(&m), E_ARG);
    /* a new thread in the same slot is not the one that waited */
    start_caller(&c, 2, 3);
    m = (struct message){0};
    EXPECT(ipc_receive(ep, &m), OK);
    struct message stale = {.token = token};
    EXPECT(ipc_reply(&stale), E_ARG);
    EXPECT(c.data[4], 0);
    reply_word(m.token, 3);
    child_kill(&c);
    MUST(sys_handle_close(ep));
}

/* Another process cannot answer what it did not receive. */
TEST(token_of_another_process)
{
    struct child c, thief;
    struct message m = {0};
    fresh_endpoint();
    start_caller(&c, 1, 3);
    EXPECT(ipc_receive(ep, &m), OK);
    child_make(&thief);
    script(&thief, 0, SYS_ipc_reply, m.token, 0, 0, 0, 0, 0);
    script(&thief, 1, SCRIPT_EXIT, 0, 0, 0, 0, 0, 0);
    child_run(&thief, child_script, 3);
    child_wait_end(&thief, 1000);
    EXPECT(thief.data[7], E_ARG);
    EXPECT(c.data[4], 0);
    reply_word(m.token, 9);
    CHECK(EVENTUALLY(c.data[4], 1000));
    child_close(&thief);
    child_kill(&c);
    MUST(sys_handle_close(ep));
}

TEST(caller_dies_in_the_queue)
{
    struct child c;
    struct message m = {0};
    fresh_endpoint();
    start_caller(&c, 1, 3);
    IN_STATE(&c, THREAD_CALLING);
    child_kill(&c);
    EXPECT(ipc_poll(ep, &m), E_AGAIN);
    MUST(sys_handle_close(ep));
}

TEST(queue_is_in_order_of_arrival)
{
    struct child c[4];
    fresh_endpoint();
    for (int i = 0; i < 4; i++) {
        start_caller(&c[i], i, 3);
        IN_STATE(&c[i], THREAD_CALLING);
    }
    for (int i = 0; i < 4; i++) {
        struct message m = {0};
        EXPECT(ipc_receive(ep, &m), OK);
        EXPECT(m.word[0], i);
        reply_word(m.token, 0);
    }
    for (int i = 0; i < 4; i++)
        child_kill(&c[i]);
    MUST(sys_handle_close(ep));
}

/* ---- deaths ------------------------------------------------------------- */

/* A child that receives from data[1] and never answers. */
static void start_silent(struct child *c, handle_t handle, int receives)
{
    child_make(c);
    handle_t theirs = child_give(c, handle);
    for (int i = 0; i < receives; i++)
        script(c, i, SYS_ipc_receive, theirs, 0, 0, 0, 0, 0);
    script(c, receives, SYS_notification_wait, 0, 0, DEADLINE_NEVER, 0, 0, 0);
    child_run(c, child_script, 4);
}

/* Kills a child after a while. */
static int64_t killer(void *arg)
{
    clock_sleep_ns(20 * MS);
    return sys_process_kill((handle_t)(uint64_t)arg, 9);
}

TEST(server_dies_before_the_reply)
{
    struct child c;
    struct thread t;
    struct message m = {0};
    fresh_endpoint();
    start_silent(&c, ep, 1);
    MUST(thread_start(&t, killer, (void *)(uint64_t)c.process, 5));
    EXPECT(ipc_call(ep, &m), E_DEAD);
    EXPECT(thread_join(&t), OK);
    child_wait_end(&c, 1000);
    child_close(&c);
    MUST(sys_handle_close(ep));
}

/* Only the server has R_RECEIVE; callers that queue when it dies hear of it. */
TEST(server_dies_with_callers_queued)
{
    struct child c;
    struct thread t;
    struct message m = {0};
    fresh_endpoint();
    handle_t call_only = MUST(sys_handle_dup(ep, R_CALL | R_DUP, 0));
    start_silent(&c, ep, 0);
    MUST(sys_handle_close(ep));
    MUST(thread_start(&t, killer, (void *)(uint64_t)c.process, 5));
    EXPECT(ipc_call(call_only, &m), E_DEAD);
    EXPECT(thread_join(&t), OK);
    child_wait_end(&c, 1000);
    child_close(&c);
    m = (struct message){0};
    EXPECT(ipc_call(call_only, &m), E_DEAD);
    MUST(sys_handle_close(call_only));
}

/* While anybody can still receive, those who queue stay. */
TEST(queue_outlives_a_server)
{
    struct child server_child, c;
    fresh_endpoint();
    start_silent(&server_child, ep, 0);
    start_caller(&c, 7, 3);
    IN_STATE(&c, THREAD_CALLING);
    child_kill(&server_child);
    EXPECT(child_state(&c), THREAD_CALLING);
    struct message m = {0};
    EXPECT(ipc_receive(ep, &m), OK);
    EXPECT(m.word[0], 7);
    reply_word(m.token, 8);
    CHECK(EVENTUALLY(c.data[4], 1000));
    EXPECT(c.data[16], 8);
    child_kill(&c);
    MUST(sys_handle_close(ep));
}

/* docs/abi.md, handle_close: who was received can still be answered. */
TEST(last_receive_handle_closed)
{
    struct child waiting, queued;
    struct message m = {0};
    fresh_endpoint();
    start_caller(&waiting, 1, 3);
    EXPECT(ipc_receive(ep, &m), OK);
    IN_STATE(&waiting, THREAD_REPLY);
    start_caller(&queued, 2, 3);
    IN_STATE(&queued, THREAD_CALLING);
    MUST(sys_handle_close(ep));
    CHECK(EVENTUALLY(queued.data[4], 1000));
    EXPECT(queued.data[2], E_DEAD);
    IN_STATE(&waiting, THREAD_REPLY);
    reply_word(m.token, 12);
    CHECK(EVENTUALLY(waiting.data[4], 1000));
    EXPECT(waiting.data[16], 12);
    child_kill(&queued);
    child_kill(&waiting);
}

/* ---- full tables -------------------------------------------------------- */

static int fill(struct child *c)
{
    handle_t n = MUST(sys_notification_create());
    int64_t last;
    int count = 0;
    while ((last = sys_process_give(c->process, n, R_WAIT)) > 0)
        count++;
    EXPECT(last, E_LIMIT);
    MUST(sys_handle_close(n));
    return count;
}

/* A message with a handle to a server whose table is full: the sender is told,
 * and the server goes on. */
TEST(receiver_table_full)
{
    struct child c;
    handle_t n = MUST(sys_notification_create());
    fresh_endpoint();
    start_silent(&c, ep, 2);
    IN_STATE(&c, THREAD_RECEIVING);
    CHECK(fill(&c) > 900);
    for (int i = 0; i < 3; i++) {
        struct message m = {.handle = {n}};
        REFUSED(ipc_call(ep, &m), E_LIMIT);
    }
    EXPECT(child_state(&c), THREAD_RECEIVING);
    child_kill(&c);
    MUST(sys_handle_close(n));
    MUST(sys_handle_close(ep));
}

/* The caller's table is full: the server's reply is refused, and it can
 * answer again without handles. */
TEST(caller_table_full)
{
    struct child c;
    struct message m = {0};
    handle_t n = MUST(sys_notification_create());
    fresh_endpoint();
    start_caller(&c, 1, 3);
    EXPECT(ipc_receive(ep, &m), OK);
    IN_STATE(&c, THREAD_REPLY);
    fill(&c);
    struct message answer = {.handle = {n}};
    REFUSED(ipc_trap(SYS_ipc_reply, m.token, 0, &answer), E_LIMIT);
    EXPECT(child_state(&c), THREAD_REPLY);
    reply_word(m.token, 5);
    CHECK(EVENTUALLY(c.data[4], 1000));
    child_kill(&c);
    MUST(sys_handle_close(n));
    MUST(sys_handle_close(ep));
}

/* A queued caller whose handle is closed by a sibling meanwhile. */
static int64_t call_with_handle(void *arg)
{
    struct message m = {.handle = {(handle_t)(uint64_t)arg}};
    return ipc_call(ep, &m);
}

TEST(handle_closed_while_queued)
{
    struct thread t;
    struct message m = {0};
    fresh_endpoint();
    handle_t n = MUST(sys_notification_create());
    MUST(thread_start(&t, call_with_handle, (void *)(uint64_t)n, 4));
    clock_sleep_ns(10 * MS);
    MUST(sys_handle_close(n));
    EXPECT(ipc_poll(ep, &m), E_AGAIN);
    EXPECT(thread_join(&t), E_BADHANDLE);
    MUST(sys_handle_close(ep));
}

/* ---- doorbell of an endpoint -------------------------------------------- */

TEST(endpoint_bell_rings)
{
    struct child c;
    fresh_endpoint();
    handle_t n = MUST(sys_notification_create());
    handle_t bell = MUST(sys_doorbell_create(n, 4));
    MUST(sys_endpoint_bind(ep, bell));
    EXPECT(sys_notification_poll(n, 4), 0);
    start_caller(&c, 1, 3);
    EXPECT(sys_notification_wait(n, 4, clock_deadline(1000 * MS)), 4);
    struct message m = {0};
    EXPECT(ipc_poll(ep, &m), OK);
    reply_word(m.token, 0);
    child_kill(&c);
    /* bound while somebody is queued already: it rings at once */
    MUST(sys_endpoint_bind(ep, 0));
    start_caller(&c, 1, 3);
    IN_STATE(&c, THREAD_CALLING);
    EXPECT(sys_notification_poll(n, 4), 0);
    MUST(sys_endpoint_bind(ep, bell));
    EXPECT(sys_notification_poll(n, 4), 4);
    child_kill(&c);
    MUST(sys_handle_close(ep));
    MUST(sys_handle_close(bell));
    MUST(sys_handle_close(n));
}

/* ---- other harts -------------------------------------------------------- */

static int64_t spin_until(void *flag)
{
    for (; !*(volatile int *)flag; turns++)
        ;
    return 0;
}

/*
 * How far a loop on hart 1 comes before what hart 0 sends interrupts it: by
 * its own turns, not by a clock, which goes on while the host runs neither.
 * Without an IPI it would not come before the end of a slice at best, 10 ms:
 * a million turns. The median counts: the host may stop hart 0 in between.
 */
enum { ROUNDS = 31, TURNS_MAX = 50000 };
static uint64_t took[ROUNDS];

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void check_median(void)
{
    qsort(took, ROUNDS, sizeof(took[0]), by_size);
    printf("# best %lu turns, median %lu, worst %lu\n", took[0],
           took[ROUNDS / 2], took[ROUNDS - 1]);
    if (took[ROUNDS / 2] > TURNS_MAX)
        FAIL("half the rounds took over %lu turns", took[ROUNDS / 2]);
}

/* The server is more urgent and waits on hart 1: the call interrupts. */
TEST(message_to_another_hart_needs_no_tick)
{
    NEED_HARTS(2);
    volatile int stop = 0;
    struct thread spinner;
    start_server(6);
    MUST(sys_thread_set(server.handle, -1, 2));
    MUST(thread_start(&spinner, spin_until, (void *)&stop, 3));
    MUST(sys_thread_set(spinner.handle, -1, 2));
    MUST(sys_thread_set(0, -1, 1));
    for (int i = 0; i < ROUNDS; i++) {
        struct message m = {.word = {TURNS}};
        uint64_t before = turns;
        CHECK(EVENTUALLY(turns != before, 3000)); /* it runs */
        before = turns;
        EXPECT(ipc_call(ep, &m), OK);
        took[i] = m.word[1] - before;
    }
    stop = 1;
    thread_join(&spinner);
    stop_server();
    MUST(sys_thread_set(0, -1, ~0u));
    check_median();
}

static handle_t ring_n, ring_bell;

static int64_t wait_and_stamp(void *stamp)
{
    int64_t event = sys_notification_wait(ring_n, 1, clock_deadline(5000 * MS));
    *(volatile uint64_t *)stamp = turns;
    return event;
}

TEST(event_for_another_hart_needs_no_tick)
{
    NEED_HARTS(2);
    volatile int stop = 0;
    struct thread spinner, waiter;
    ring_n = MUST(sys_notification_create());
    ring_bell = MUST(sys_doorbell_create(ring_n, 1));
    MUST(thread_start(&spinner, spin_until, (void *)&stop, 3));
    MUST(sys_thread_set(spinner.handle, -1, 2));
    MUST(sys_thread_set(0, -1, 1));
    for (int i = 0; i < ROUNDS; i++) {
        volatile uint64_t stamp = 0;
        MUST(thread_start(&waiter, wait_and_stamp, (void *)&stamp, 6));
        MUST(sys_thread_set(waiter.handle, -1, 2));
        clock_sleep_ns(3 * MS);
        uint64_t before = turns;
        MUST(sys_doorbell_ring(ring_bell));
        EXPECT(thread_join(&waiter), 1);
        took[i] = stamp - before;
    }
    stop = 1;
    thread_join(&spinner);
    MUST(sys_thread_set(0, -1, ~0u));
    MUST(sys_handle_close(ring_bell));
    MUST(sys_handle_close(ring_n));
    check_median();
}

/* ---- priorities --------------------------------------------------------- */

/* The call switches to a more urgent server at once, on one hart. */
TEST(urgent_server_runs_at_once)
{
    MUST(sys_thread_set(0, -1, 1));
    start_server(6);
    MUST(sys_thread_set(server.handle, -1, 1));
    struct message m = {.word = {ADD}};
    for (int i = 0; i < 100; i++)
        EXPECT((m = (struct message){.word = {ADD}}, ipc_call(ep, &m)), OK);
    stop_server();
    MUST(sys_thread_set(0, -1, ~0u));
}

/* A server less urgent than a loop on its only hart must wait for the loop. */
TEST(less_urgent_server_waits)
{
    volatile int stop = 0;
    struct thread spinner;
    unsigned mask = 1u << (test_harts() - 1);
    start_server(1);
    MUST(sys_thread_set(server.handle, -1, mask));
    MUST(sys_thread_set(0, 6, 0));
    MUST(thread_start(&spinner, spin_until, (void *)&stop, 5));
    MUST(sys_thread_set(spinner.handle, -1, mask));
    struct child c;
    start_caller(&c, ADD, 6);
    MUST(sys_thread_set(c.thread, -1, mask));
    clock_sleep_ns(30 * MS);
    uint64_t early = c.data[4];
    stop = 1;
    thread_join(&spinner);
    MUST(sys_thread_set(0, 3, 0));
    CHECK(EVENTUALLY(c.data[4], 1000));
    EXPECT(early, 0);
    child_kill(&c);
    stop_server();
}

TEST_MAIN
