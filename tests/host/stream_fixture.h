/*
 * What the stream tests share: a client and a server as processes 0 and 1 of
 * the fake kernel. A test then includes stream.c itself (not this header: make
 * looks for such lines in tests only), which sees that kernel.
 */
#ifndef TESTS_STREAM_FIXTURE_H
#define TESTS_STREAM_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "fake_kernel.h"
#include "uinta/stream.h"

enum { BELL = 4, LIFE = 8, ENDPOINT = 77 };

static struct stream client, server;
static handle_t server_notification;
static int64_t refuse; /* an error for the server to answer with */

/* The server's side of a connect; leaves its stream in `server`. */
static int64_t accept_call(struct message *m)
{
    struct stream_offer reply,
        offer = {m->handle[0], m->handle[1], m->handle[2]};
    int64_t result = refuse;
    memset(m->handle, 0, sizeof(m->handle));
    if (!server_notification)
        server_notification = sys_notification_create();
    if (refuse) {
        sys_handle_close(offer.memory);
        sys_handle_close(offer.bell);
        sys_handle_close(offer.life);
    } else {
        result = stream_accept(&server, &offer, server_notification, BELL, LIFE,
                               &reply);
        m->handle[0] = reply.bell;
        m->handle[1] = reply.life;
        m->give = 3;
    }
    m->word[0] = result;
    m->word[1] = 42;
    return OK;
}

static int setup(void **state)
{
    (void)state;
    serve = accept_call;
    refuse = 0;
    server_notification = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    self = 0;
    kill_process(0);
    kill_process(1);
    return objects_live; /* 0, or a leak */
}

static void as_server(void)
{
    self = 1;
}

static __attribute__((unused)) void as_client(void)
{
    self = 0;
}

static __attribute__((unused)) void open_it(void)
{
    assert_int_equal(
        stream_open(&client, ENDPOINT, 0, 0, 0, STREAM_SIZE_MIN, 7), OK);
    assert_int_equal(client.answer, 42);
}

/* Let the server hear what its notification says. */
static __attribute__((unused)) void server_hears(void)
{
    as_server();
    stream_event(&server, sys_notification_poll(server_notification, ~0UL));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
