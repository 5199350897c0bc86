/* link: user/lib/ring/ring.c user/lib/ring/copy.c */
/*
 * Streams over a fake kernel with client and server in threads of their own:
 * blocking, and how often they wake each other.
 */
#include "stream_fixture.h"
#include "user/lib/ring/stream.c"
#include "content.h"

/* A million bytes each way; a lost wake-up makes the fake kernel abort. */
enum { TOTAL = 1000000 };

static void *echo(void *argument)
{
    (void)argument;
    self = 1;
    unsigned char buffer[700];
    int64_t n;
    while ((n = stream_read(&server, buffer, sizeof(buffer), DEADLINE_NEVER)) >
           0)
        if (stream_write(&server, buffer, n, DEADLINE_NEVER) != n)
            return "echo: short write";
    return n == 0 ? NULL : "echo: error";
}

static void *write_all(void *argument)
{
    (void)argument;
    self = 0;
    unsigned char buffer[333];
    for (uint64_t at = 0; at < TOTAL;) {
        uint64_t n = TOTAL - at < 333 ? TOTAL - at : 333;
        for (uint64_t i = 0; i < n; i++)
            buffer[i] = expected(at + i);
        if (stream_write(&client, buffer, n, DEADLINE_NEVER) != (int64_t)n)
            return "writer: short write";
        at += n;
    }
    return NULL;
}

static void a_million_bytes_echoed(void **state)
{
    (void)state;
    pthread_t thread;
    void *wrong;
    open_it();
    pthread_create(&thread, NULL, echo, NULL);
    unsigned char out[500], in[500];
    for (uint64_t at = 0; at < TOTAL; at += sizeof(out)) {
        for (unsigned i = 0; i < sizeof(out); i++)
            out[i] = expected(at + i);
        assert_int_equal(
            stream_write(&client, out, sizeof(out), DEADLINE_NEVER),
            sizeof(out));
        for (unsigned got = 0; got < sizeof(in);) {
            int64_t n = stream_read(&client, in + got, sizeof(in) - got,
                                    DEADLINE_NEVER);
            assert_true(n > 0);
            got += n;
        }
        assert_memory_equal(in, out, sizeof(in));
    }
    stream_close(&client);
    pthread_join(thread, &wrong);
    assert_null(wrong);
    as_server();
    /* Only by a byte that comes while it arms, docs/design/rings.md: a few. */
    assert_in_range(server.woken_for_nothing, 0, 2 + server.slept / 100);
    stream_close(&server);
}

static void *drain(void *argument)
{
    (void)argument;
    self = 1;
    unsigned char buffer[100];
    uint64_t at = 0;
    int64_t n;
    while ((n = stream_read(&server, buffer, sizeof(buffer), DEADLINE_NEVER)) >
           0)
        for (int64_t i = 0; i < n; i++)
            if (buffer[i] != expected(at++))
                return "reader: wrong byte";
    return n == 0 && at == TOTAL ? NULL : "reader: wrong end";
}

static void a_slow_reader_is_not_woken_for_each_byte(void **state)
{
    (void)state;
    pthread_t thread;
    void *wrong;
    open_it();
    uint64_t before = doorbells_rung;
    pthread_create(&thread, NULL, drain, NULL);
    assert_null(write_all(NULL));
    stream_close(&client);
    pthread_join(thread, &wrong);
    assert_null(wrong);
    /* At worst one bell each way for half a ring. */
    assert_in_range(doorbells_rung - before, 0, 2 * TOTAL / 333 + 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_million_bytes_echoed),
        TEST(a_slow_reader_is_not_woken_for_each_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
