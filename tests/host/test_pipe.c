/* link: user/lib/fd/pipe_ring.c */
/* A pipe's bytes: order, small writes whole, wake-ups, impossible indices. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "abi/errors.h"
#include "user/lib/fd/pipe_ring.h"

static struct pipe_ring ring;

static int setup(void **state)
{
    (void)state;
    memset(&ring, 0, sizeof(ring));
    return 0;
}

/* What byte i must be, from i alone. */
static unsigned char expected(uint64_t i)
{
    return (unsigned char)(i * 2654435761u >> 13);
}

static void bytes_come_out_as_they_went_in(void **state)
{
    (void)state;
    unsigned char buffer[2 * PIPE_CAPACITY];
    uint64_t in = 0, out = 0, seed = 1;
    while (out < 1000000) {
        seed = seed * 6364136223846793005UL + 1442695040888963407UL;
        size_t n = 1 + (seed >> 33) % (seed & 1 ? 100 : sizeof(buffer));
        for (size_t i = 0; i < n; i++)
            buffer[i] = expected(in + i);
        int64_t put = pipe_put(&ring, buffer, n);
        assert_true(put >= 0 && put <= (int64_t)n);
        if (n <= PIPE_ATOMIC)
            assert_true(put == 0 || put == (int64_t)n);
        in += (uint64_t)put;
        n = 1 + (seed >> 20) % sizeof(buffer);
        int64_t got = pipe_take(&ring, buffer, n);
        assert_true(got >= 0 && got <= (int64_t)n);
        for (int64_t i = 0; i < got; i++)
            assert_int_equal(buffer[i], expected(out + (uint64_t)i));
        out += (uint64_t)got;
        assert_true(in - out <= PIPE_CAPACITY);
    }
}

static void full_and_empty_move_nothing(void **state)
{
    (void)state;
    unsigned char buffer[PIPE_CAPACITY + 1] = {0};
    assert_int_equal(pipe_take(&ring, buffer, 1), 0);
    assert_int_equal(pipe_put(&ring, buffer, sizeof(buffer)), PIPE_CAPACITY);
    assert_int_equal(pipe_put(&ring, buffer, 1), 0);
    assert_int_equal(pipe_take(&ring, buffer, 10), 10);
    assert_int_equal(pipe_put(&ring, buffer, 11), 0); /* not in two parts */
    assert_int_equal(pipe_put(&ring, buffer, PIPE_ATOMIC + 1), 10);
}

static void wakes_only_who_sleeps(void **state)
{
    (void)state;
    assert_false(pipe_wake_reader(&ring));
    assert_false(pipe_reader_arm(&ring)); /* empty: may sleep */
    assert_true(pipe_wake_reader(&ring));
    assert_false(pipe_wake_reader(&ring));
    assert_int_equal(pipe_put(&ring, "x", 1), 1);
    assert_true(pipe_reader_arm(&ring)); /* there is something */
    assert_true(pipe_writer_arm(&ring, 1));
    unsigned char buffer[PIPE_CAPACITY] = {0};
    assert_int_equal(pipe_put(&ring, buffer, PIPE_CAPACITY), PIPE_CAPACITY - 1);
    assert_false(pipe_writer_arm(&ring, 1));
    assert_true(pipe_wake_writer(&ring));
}

static void impossible_indices_are_found(void **state)
{
    (void)state;
    unsigned char buffer[16];
    const uint64_t bad[][2] = {
        {PIPE_CAPACITY + 1, 0}, {0, 1}, {5, ~0UL - PIPE_CAPACITY}, {~0UL, 0}};
    for (size_t i = 0; i < 4; i++) {
        ring.written = bad[i][0];
        ring.taken = bad[i][1];
        assert_int_equal(pipe_put(&ring, "x", 1), E_PROTOCOL);
        assert_int_equal(pipe_take(&ring, buffer, 16), E_PROTOCOL);
        assert_true(pipe_writer_arm(&ring, 1)); /* never sleeps on it */
        assert_true(pipe_reader_arm(&ring));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(bytes_come_out_as_they_went_in, setup),
        cmocka_unit_test_setup(full_and_empty_move_nothing, setup),
        cmocka_unit_test_setup(wakes_only_who_sleeps, setup),
        cmocka_unit_test_setup(impossible_indices_are_found, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
