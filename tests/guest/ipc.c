/*
 * Messages: words and handles both ways, badges, tokens, deaths, full tables,
 * who is served first. handoff.c has those to other harts.
 */
#include "server.h"

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
    /* The server closes its own after it has replied, then takes the next. */
    EXPECT(ipc_call(ep, &(struct message){.word = {ADD}}), OK);
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

/* Kills a child when this program's first thread waits in that state. */
struct killing {
    handle_t process;
    enum thread_state when;
};

static int64_t killer(void *arg)
{
    const struct killing *k = arg;
    EVENTUALLY(sibling(PRIORITY_NORMAL).state == k->when, 5000);
    return sys_process_kill(k->process, 9);
}

TEST(server_dies_before_the_reply)
{
    struct child c;
    struct thread t;
    struct message m = {0};
    fresh_endpoint();
    start_silent(&c, ep, 1);
    struct killing k = {c.process, THREAD_REPLY};
    MUST(thread_start(&t, killer, &k, 5));
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
    struct killing k = {c.process, THREAD_CALLING};
    MUST(thread_start(&t, killer, &k, 5));
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
    CHECK(EVENTUALLY(sibling(4).state == THREAD_CALLING, 5000));
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

TEST_MAIN
