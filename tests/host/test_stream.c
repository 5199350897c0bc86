/* link: user/lib/ring/ring.c user/lib/ring/copy.c */
/*
 * Streams over a fake kernel: connecting, what a hostile peer can offer, death
 * on either side, reopening, blocking; and that nothing is left behind.
 */
#include "stream_fixture.h"

/* The peer can act before stream.c looks at a ring. */
static void (*peer_acts)(void);

static struct ring *look_at(const struct ring *r)
{
    if (peer_acts)
        peer_acts();
    return (struct ring *)r;
}

#define ring_available(r, want) ring_available(look_at(r), want)
#define ring_peer_state(r)      ring_peer_state(look_at(r))
#include "user/lib/ring/stream.c"

static void bytes_go_both_ways(void **state)
{
    (void)state;
    char buffer[10];
    open_it();
    assert_int_equal(stream_try_read(&client, buffer, 10), E_AGAIN);
    assert_int_equal(stream_write(&client, "ping", 4, 0), 4);
    as_server();
    assert_int_equal(stream_read(&server, buffer, 10, 0), 4);
    assert_memory_equal(buffer, "ping", 4);
    assert_int_equal(stream_try_write(&server, "pong!", 5), 5);
    as_client();
    assert_int_equal(stream_read(&client, buffer, 10, 0), 5);
    assert_memory_equal(buffer, "pong!", 5);
    assert_int_equal(client.rung + server.rung, 0); /* nobody slept */
}

static void capacity_follows_from_the_size(void **state)
{
    (void)state;
    assert_int_equal(capacity_of(0), 0);
    assert_int_equal(capacity_of(STREAM_SIZE_MIN - 1), 0);
    assert_int_equal(capacity_of(STREAM_SIZE_MIN), 1024);
    assert_int_equal(capacity_of(STREAM_SIZE_DEFAULT), 4096);
    assert_int_equal(capacity_of(STREAM_SIZE_MAX), 1 << 18);
    assert_int_equal(capacity_of(STREAM_SIZE_MAX + 1), 0);
    assert_int_equal(capacity_of(~0UL), 0);
    for (uint64_t size = STREAM_SIZE_MIN; size <= 100000; size++)
        assert_true(STREAM_HEADER + 2 * capacity_of(size) <= size);
}

static void bad_arguments_open_nothing(void **state)
{
    (void)state;
    int before = objects_live;
    assert_int_equal(stream_open(&client, ENDPOINT, 0, 0, 0, 0, 0), E_ARG);
    assert_int_equal(stream_open(&client, ENDPOINT, 0, 0, 0, 2 << 20, 0),
                     E_ARG);
    handle_t n = sys_notification_create();
    assert_int_equal(stream_open(&client, ENDPOINT, n, 1, 0, 4096, 0), E_ARG);
    sys_handle_close(n);
    assert_int_equal(objects_live, before);
}

static void a_refusal_leaves_nothing(void **state)
{
    (void)state;
    refuse = E_LIMIT;
    assert_int_equal(stream_open(&client, ENDPOINT, 0, 0, 0, 4096, 0), E_LIMIT);
    serve = NULL;
    assert_int_equal(stream_open(&client, ENDPOINT, 0, 0, 0, 4096, 0), E_DEAD);
    as_server();
    sys_handle_close(server_notification);
    assert_int_equal(objects_live, 0);
}

static int64_t answer_without_doorbells(struct message *m)
{
    for (int i = 0; i < 3; i++)
        sys_handle_close(m->handle[i]);
    memset(m, 0, sizeof(*m));
    return OK;
}

static void a_server_without_doorbells_is_refused(void **state)
{
    (void)state;
    serve = answer_without_doorbells;
    assert_int_equal(stream_open(&client, ENDPOINT, 0, 0, 0, 4096, 0),
                     E_PROTOCOL);
    assert_int_equal(objects_live, 0);
}

/* All that a hostile client can put into an offer. */
static void bad_offers_are_refused(void **state)
{
    (void)state;
    as_server();
    struct stream_offer reply;
    handle_t n = sys_notification_create();
    int before = objects_live;
    enum { NOTHING, MEMORY, READ_ONLY, ZEROES, HUGE, DOORBELL, NO_RING };
    static const struct {
        int memory, bell, life;
        int64_t error;
    } bad[] = {
        {NOTHING, DOORBELL, DOORBELL, E_BADHANDLE},
        {MEMORY, NOTHING, DOORBELL, E_BADHANDLE},
        {MEMORY, DOORBELL, NOTHING, E_BADHANDLE},
        {DOORBELL, DOORBELL, DOORBELL, E_TYPE},
        {MEMORY, MEMORY, DOORBELL, E_TYPE},
        {MEMORY, DOORBELL, MEMORY, E_TYPE},
        {READ_ONLY, DOORBELL, DOORBELL, E_RIGHTS},
        {MEMORY, NO_RING, DOORBELL, E_RIGHTS},
        {HUGE, DOORBELL, DOORBELL, E_ARG},
        {ZEROES, DOORBELL, DOORBELL, E_PROTOCOL},
    };
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        handle_t h[3] = {0};
        int kind[3] = {bad[i].memory, bad[i].bell, bad[i].life};
        for (int k = 0; k < 3; k++) {
            handle_t whole = 0;
            switch (kind[k]) {
            case NOTHING:
                continue;
            case HUGE:
                h[k] = sys_memory_create(2 << 20, 0);
                continue;
            case DOORBELL:
                h[k] = sys_doorbell_create(n, 1);
                continue;
            case NO_RING:
                whole = sys_doorbell_create(n, 1);
                h[k] = sys_handle_dup(whole, R_DUP, 0);
                break;
            case READ_ONLY:
                whole = sys_memory_create(4096, 0);
                h[k] = sys_handle_dup(whole, R_READ, 0);
                break;
            default:
                h[k] = sys_memory_create(4096, 0);
                continue;
            }
            sys_handle_close(whole);
        }
        struct stream_offer offer = {h[0], h[1], h[2]};
        assert_int_equal(stream_accept(&server, &offer, n, BELL, LIFE, &reply),
                         bad[i].error);
        assert_int_equal(objects_live, before);
        assert_int_equal(reply.bell + reply.life, 0);
        assert_true(stream_bits_free(&server));
    }
}

static void the_end_of_a_server_is_heard_after_its_words(void **state)
{
    (void)state;
    char buffer[10];
    open_it();
    as_server();
    stream_try_write(&server, "last", 4);
    kill_process(1);
    as_client();
    assert_int_equal(stream_read(&client, buffer, 10, DEADLINE_NEVER), 4);
    assert_int_equal(stream_read(&client, buffer, 10, DEADLINE_NEVER), E_DEAD);
    assert_int_equal(stream_state(&client), E_DEAD);
    assert_int_equal(stream_write(&client, "x", 1, DEADLINE_NEVER), E_DEAD);
}

static void the_end_of_a_client_is_heard(void **state)
{
    (void)state;
    char buffer[10];
    open_it();
    stream_write(&client, "bye", 3, 0);
    kill_process(0);
    server_hears();
    assert_true(server.dead);
    assert_int_equal(stream_try_read(&server, buffer, 10), 3);
    assert_int_equal(stream_try_read(&server, buffer, 10), E_DEAD);
    assert_true(stream_arm(&server, 1, 0));
    stream_close(&server);
    sys_handle_close(server_notification);
    assert_int_equal(objects_live, 0);
}

static void hanging_up_in_order_is_an_end_of_file(void **state)
{
    (void)state;
    char buffer[10];
    open_it();
    stream_write(&client, "bye", 3, 0);
    stream_close(&client);
    server_hears();
    assert_int_equal(stream_state(&server), E_DEAD);
    assert_int_equal(stream_try_read(&server, buffer, 10), 3);
    assert_int_equal(stream_try_read(&server, buffer, 10), 0);
    assert_int_equal(stream_try_read(&server, buffer, 10), 0);
    stream_close(&server);
    sys_handle_close(server_notification);
    assert_int_equal(objects_live, 0);
}

/* Hung up, but the life bits are not raised yet: not the end, and no spin. */
static void leaving_is_not_the_end(void **state)
{
    (void)state;
    char buffer[10];
    open_it();
    ring_close(&client.out);
    ring_close(&client.in);
    as_server();
    assert_true(stream_leaving(&server));
    assert_int_equal(stream_try_read(&server, buffer, 10), E_AGAIN);
    assert_false(stream_arm(&server, 1, 0));
    assert_int_equal(stream_read(&server, buffer, 10, now_ms() + 30),
                     E_TIMEDOUT);
    as_client();
    sys_handle_close(client.life);
    as_server();
    assert_int_equal(stream_read(&server, buffer, 10, DEADLINE_NEVER), 0);
    assert_true(stream_bits_free(&server));
}

/* The client writes and hangs up: so many of the four steps at a look. */
static int looks_before, steps_at_once, step;

static void says_bye(void)
{
    if (looks_before-- > 0)
        return;
    int was = self;
    as_client();
    for (int i = 0; i < steps_at_once; i++, step++)
        if (step == 0)
            assert_int_equal(ring_write(&client.out, "bye", 3), 3);
        else if (step == 1)
            ring_close(&client.in);
        else if (step == 2)
            ring_close(&client.out);
        else if (step == 3)
            sys_handle_close(client.life);
    self = was;
}

static void it_is_not_over_before_the_last_byte_is_read(void **state)
{
    (void)state;
    char buffer[10];
    for (int i = 0; i < 4 * 4; i++) {
        looks_before = i / 4;
        steps_at_once = i % 4 + 1;
        step = 0;
        open_it();
        as_server();
        peer_acts = says_bye;
        for (int tries = 0; tries < 10; tries++)
            assert_false(stream_over(&server));
        peer_acts = NULL;
        assert_true(step >= 4);
        server_hears();
        assert_false(stream_over(&server));
        assert_int_equal(stream_try_read(&server, buffer, 10), 3);
        assert_true(stream_over(&server));
        kill_process(0);
        kill_process(1);
        server_notification = 0;
        as_client();
    }
}

/* A server throws a client out: its bits are free when the client lets go. */
static void bits_are_used_again_after_the_peers_end(void **state)
{
    (void)state;
    open_it();
    struct stream thrown_out = server;
    as_server();
    stream_close(&thrown_out);
    assert_false(stream_bits_free(&thrown_out));
    kill_process(0);
    stream_event(&thrown_out, sys_notification_poll(server_notification, LIFE));
    assert_true(stream_bits_free(&thrown_out));
}

static void half_closed_is_an_end_of_file(void **state)
{
    (void)state;
    char buffer[10];
    open_it();
    as_server();
    ring_close(&server.out);
    as_client();
    assert_int_equal(stream_read(&client, buffer, 10, DEADLINE_NEVER), 0);
    assert_int_equal(stream_write(&client, "more", 4, 0), 4);
    as_server();
    assert_int_equal(stream_try_read(&server, buffer, 10), 4);
}

static void reopening_keeps_what_is_in_the_rings(void **state)
{
    (void)state;
    char buffer[10];
    open_it();
    stream_write(&client, "taken", 5, 0);
    stream_write(&client, "kept", 4, 0);
    as_server();
    stream_try_read(&server, buffer, 5);
    stream_try_write(&server, "unread", 6);
    kill_process(1);
    server_notification = 0;
    as_client();
    serve = NULL;
    assert_int_equal(stream_reopen(&client, ENDPOINT), E_DEAD); /* not yet */
    assert_int_equal(stream_state(&client), E_DEAD);
    serve = accept_call;
    refuse = E_NOMEM;
    assert_int_equal(stream_reopen(&client, ENDPOINT), E_NOMEM);
    refuse = 0;
    for (int life = 0; life < 20; life++) {
        assert_int_equal(stream_reopen(&client, ENDPOINT), OK);
        assert_int_equal(stream_state(&client), 0);
        if (life < 19) {
            kill_process(1);
            server_notification = 0;
            as_client();
        }
    }
    assert_int_equal(stream_read(&client, buffer, 10, 0), 6);
    assert_memory_equal(buffer, "unread", 6);
    stream_write(&client, "new", 3, 0);
    as_server();
    assert_int_equal(stream_try_read(&server, buffer, 10), 7);
    assert_memory_equal(buffer, "keptnew", 7);
    as_client();
    stream_close(&client);
    kill_process(1);
    assert_int_equal(objects_live, 0);
}

static void after_a_broken_protocol_everything_is_new(void **state)
{
    (void)state;
    char buffer[10];
    open_it();
    stream_write(&client, "old", 3, 0);
    as_server();
    server.out.shared->index[RING_PRODUCER].value = 1UL << 40;
    as_client();
    assert_int_equal(stream_read(&client, buffer, 10, 0), E_PROTOCOL);
    assert_int_equal(stream_state(&client), E_PROTOCOL);
    as_server();
    stream_close(&server);
    as_client();
    assert_int_equal(stream_reopen(&client, ENDPOINT), OK);
    stream_write(&client, "new", 3, 0);
    as_server();
    assert_int_equal(stream_try_read(&server, buffer, 10), 3);
    assert_memory_equal(buffer, "new", 3);
}

static void shared_notification_bits_are_told_apart(void **state)
{
    (void)state;
    handle_t n = sys_notification_create();
    struct stream first, second;
    struct stream first_server;
    char buffer[4];
    assert_int_equal(stream_open(&first, 1, n, 1, 2, 4096, 0), OK);
    first_server = server;
    assert_int_equal(stream_open(&second, 1, n, 1, 4, 4096, 0), OK);
    as_server();
    stream_close(&first_server);
    as_client();
    /* The death of one does not hide in, nor disturb, the other. */
    assert_int_equal(stream_read(&second, buffer, 4, now_ms() + 20),
                     E_TIMEDOUT);
    assert_int_equal(stream_state(&second), 0);
    assert_int_equal(stream_read(&first, buffer, 4, DEADLINE_NEVER), 0);
    stream_close(&first);
    stream_close(&second);
}

static void a_pair_connects_two_processes(void **state)
{
    (void)state;
    struct stream_end ends[2];
    char buffer[10];
    assert_int_equal(stream_pair(ends, 4096), OK);
    /* Hand one end to the other process, as a spawner does. */
    struct message m = {.handle = {ends[1].memory, ends[1].notification,
                                   ends[1].bell, ends[1].life}};
    move_handles(&m, 0, 1);
    stream_end_close(&ends[1]);
    struct stream_end other = {m.handle[0], m.handle[1], m.handle[2],
                               m.handle[3]};
    assert_int_equal(stream_adopt(&client, &ends[0], STREAM_CLIENT), OK);
    as_server();
    assert_int_equal(stream_adopt(&server, &other, STREAM_SERVER), OK);
    assert_int_equal(stream_write(&server, "hello", 5, 0), 5);
    stream_close(&server);
    as_client();
    assert_int_equal(stream_read(&client, buffer, 10, DEADLINE_NEVER), 5);
    assert_int_equal(stream_read(&client, buffer, 10, DEADLINE_NEVER), 0);
    stream_close(&client);
    assert_int_equal(objects_live, 0);
    assert_int_equal(stream_pair(ends, 0), E_ARG);
}

static void deadlines_end_waits(void **state)
{
    (void)state;
    char buffer[2000] = {0};
    open_it();
    assert_int_equal(stream_read(&client, buffer, 1, now_ms() + 20),
                     E_TIMEDOUT);
    assert_int_equal(stream_write(&client, buffer, 2000, now_ms() + 20), 1024);
    assert_int_equal(stream_write(&client, buffer, 1, now_ms() + 20),
                     E_TIMEDOUT);
    assert_int_equal(client.slept, 3);
    assert_int_equal(stream_write(&client, buffer, 0, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(bytes_go_both_ways),
        TEST(capacity_follows_from_the_size),
        TEST(bad_arguments_open_nothing),
        TEST(a_refusal_leaves_nothing),
        TEST(a_server_without_doorbells_is_refused),
        TEST(bad_offers_are_refused),
        TEST(the_end_of_a_server_is_heard_after_its_words),
        TEST(the_end_of_a_client_is_heard),
        TEST(hanging_up_in_order_is_an_end_of_file),
        TEST(leaving_is_not_the_end),
        TEST(it_is_not_over_before_the_last_byte_is_read),
        TEST(bits_are_used_again_after_the_peers_end),
        TEST(half_closed_is_an_end_of_file),
        TEST(reopening_keeps_what_is_in_the_rings),
        TEST(after_a_broken_protocol_everything_is_new),
        TEST(shared_notification_bits_are_told_apart),
        TEST(a_pair_connects_two_processes),
        TEST(deadlines_end_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
