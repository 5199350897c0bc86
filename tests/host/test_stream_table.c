/* link: user/lib/ring/ring.c user/lib/ring/copy.c */
/*
 * A server's table of streams over the fake kernel: who gets which place, who
 * makes room, who is refused, and that a refusal leaves nothing behind.
 */
#include "stream_fixture.h"
#include "user/lib/ring/stream.c"
#include "user/lib/ring/stream_table.c"

enum { PLACES = 3 };

static struct stream clients[PLACES + 1], places[PLACES];
static unsigned asked_to_leave; /* a bit a client */

/* As servers do: closed once all is read. */
static void leaves(unsigned client)
{
    asked_to_leave |= 1U << client;
    if (ring_available(&places[client].in, 1) <= 0)
        stream_close(&places[client]);
}

static struct stream_table streams = {
    .stream = places, .places = PLACES, .left = leaves};

static int64_t accept_in_table(struct message *m)
{
    struct stream_offer reply = {0},
                        offer = {m->handle[0], m->handle[1], m->handle[2]};
    memset(m->handle, 0, sizeof(m->handle));
    m->word[0] = stream_table_accept(&streams, &offer, &reply);
    m->handle[0] = reply.bell;
    m->handle[1] = reply.life;
    m->give = 3;
    return OK;
}

static int setup_table(void **state)
{
    setup(state);
    serve = accept_in_table;
    memset(places, 0, sizeof(places));
    asked_to_leave = streams.top = 0;
    as_server();
    streams.notification = sys_notification_create();
    as_client();
    return 0;
}

static int64_t open_client(unsigned i)
{
    as_client();
    return stream_open(&clients[i], ENDPOINT, 0, 0, 0, STREAM_SIZE_MIN, 0);
}

static void open_all(void)
{
    for (unsigned i = 0; i < PLACES; i++)
        assert_int_equal(open_client(i), OK);
}

static bool hears(void)
{
    as_server();
    return stream_table_event(
        &streams, sys_notification_poll(streams.notification, ~0UL));
}

static void places_are_taken_from_the_first(void **state)
{
    (void)state;
    char byte;
    for (unsigned i = 0; i < PLACES; i++) {
        assert_int_equal(open_client(i), OK);
        assert_int_equal(streams.top, i + 1);
        assert_true(stream_in_use(&places[i]));
        /* ... and it is this one that the client talks to. */
        assert_int_equal(stream_write(&clients[i], "0123" + i, 1, 0), 1);
        as_server();
        assert_int_equal(stream_try_read(&places[i], &byte, 1), 1);
        assert_int_equal(byte, '0' + i);
    }
}

static void a_full_table_refuses_and_keeps_nothing(void **state)
{
    (void)state;
    open_all();
    int before = objects_live;
    for (int again = 0; again < 2 * HANDLES; again++)
        assert_int_equal(open_client(PLACES), E_LIMIT);
    assert_int_equal(objects_live, before);
    assert_int_equal(asked_to_leave, 0);
}

/* The server has not looked at the event word since. */
static void who_has_left_makes_room(void **state)
{
    (void)state;
    open_all();
    stream_close(&clients[1]);
    assert_int_equal(open_client(1), OK);
    assert_int_equal(asked_to_leave, 1 << 1);
    assert_true(stream_in_use(&places[1]));
    assert_int_equal(streams.top, PLACES);
    /* Its end was that of the old client, and is not heard again. */
    assert_false(hears());
    assert_int_equal(stream_state(&places[1]), 0);
}

/* The word was looked at, the streams were not. */
static void who_was_heard_to_leave_makes_room(void **state)
{
    (void)state;
    open_all();
    stream_close(&clients[0]);
    assert_true(hears());
    assert_int_equal(asked_to_leave, 0);
    assert_int_equal(open_client(0), OK);
    assert_int_equal(asked_to_leave, 1 << 0);
}

static void who_left_something_unread_does_not(void **state)
{
    (void)state;
    char buffer[10];
    open_all();
    stream_write(&clients[2], "last", 4, 0);
    stream_close(&clients[2]);
    assert_int_equal(open_client(2), E_LIMIT);
    assert_int_equal(asked_to_leave, 1 << 2);
    as_server();
    assert_int_equal(stream_try_read(&places[2], buffer, 10), 4);
    assert_int_equal(open_client(2), OK);
}

/* The client of a stream that the server closed still holds its end. */
static void a_closed_place_is_free_when_its_client_has_left(void **state)
{
    (void)state;
    open_all();
    as_server();
    stream_close(&places[0]);
    assert_int_equal(open_client(PLACES), E_LIMIT);
    stream_close(&clients[0]);
    assert_int_equal(open_client(0), OK);
    assert_true(stream_in_use(&places[0]));
    assert_int_equal(asked_to_leave, 0);
}

static void ends_are_told_apart_and_bells_are_not_ends(void **state)
{
    (void)state;
    open_all();
    as_server();
    assert_false(stream_arm(&places[0], 1, 0));
    as_client();
    stream_write(&clients[0], "x", 1, 0); /* rings */
    assert_false(hears());
    as_client();
    stream_close(&clients[1]);
    assert_true(hears());
    for (unsigned i = 0; i < PLACES; i++)
        assert_int_equal(places[i].dead, i == 1);
}

static void a_bad_offer_takes_no_place(void **state)
{
    (void)state;
    struct stream_offer offer, reply;
    as_server();
    int before = objects_live;
    for (int again = 0; again < 2 * PLACES; again++) {
        offer = (struct stream_offer){
            sys_memory_create(4096, 0), /* no ring in it */
            sys_doorbell_create(streams.notification, 1),
            sys_doorbell_create(streams.notification, 1)};
        assert_int_equal(stream_table_accept(&streams, &offer, &reply),
                         E_PROTOCOL);
    }
    assert_int_equal(objects_live, before);
    open_all();
}

#define TABLE_TEST(f) cmocka_unit_test_setup_teardown(f, setup_table, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TABLE_TEST(places_are_taken_from_the_first),
        TABLE_TEST(a_full_table_refuses_and_keeps_nothing),
        TABLE_TEST(who_has_left_makes_room),
        TABLE_TEST(who_was_heard_to_leave_makes_room),
        TABLE_TEST(who_left_something_unread_does_not),
        TABLE_TEST(a_closed_place_is_free_when_its_client_has_left),
        TABLE_TEST(ends_are_told_apart_and_bells_are_not_ends),
        TABLE_TEST(a_bad_offer_takes_no_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
