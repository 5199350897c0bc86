/* link: user/bench/uart/content.c */
/* The UART benchmark's checker sees every byte that is lost or wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "user/bench/uart/content.h"

enum { SIZE = 4096 };

static _Alignas(8) unsigned char sent[SIZE], got[SIZE + WORD];

static void make(void)
{
    content_fill(sent, SIZE, content_start(0));
    memcpy(got, sent, SIZE);
}

/* In pieces of `step` bytes, from an address that is aligned or not. */
static struct checker take(uint64_t n, uint64_t step)
{
    struct checker c;
    checker_init(&c, 0);
    for (uint64_t i = 0; i < n; i += step)
        checker_take(&c, got + i, n - i < step ? n - i : step);
    return c;
}

static void whole_in_any_pieces(void **state)
{
    (void)state;
    make();
    for (uint64_t step = 1; step < 70; step++) {
        struct checker c = take(SIZE, step);
        assert_int_equal(c.good, SIZE);
        assert_int_equal(c.position, SIZE);
        assert_int_equal(c.lost + c.wrong + c.held + c.skipped, 0);
    }
}

/* One byte wrong at every place of a word: seen, and nothing else is. */
static void one_wrong_byte(void **state)
{
    (void)state;
    for (unsigned at = 512; at < 512 + 2 * WORD; at++) {
        make();
        got[at] ^= 1;
        struct checker c = take(SIZE, 100);
        assert_int_equal(c.lost, 0);
        assert_int_equal(c.wrong, WORD); /* its word is in doubt */
        assert_int_equal(c.good, SIZE - WORD);
    }
}

/* Some bytes are missing anywhere: exactly so many are lost. */
static void lost_bytes(void **state)
{
    (void)state;
    for (unsigned n = 1; n < 40; n++)
        for (unsigned at = 256; at < 256 + WORD; at++) {
            make();
            memmove(got + at, got + at + n, SIZE - at - n);
            struct checker c = take(SIZE - n, 64);
            assert_int_equal(c.lost, n);
            assert_int_equal(c.wrong, 0);
            assert_int_equal(c.position + c.held, SIZE);
        }
}

static void one_byte_twice(void **state)
{
    (void)state;
    make();
    memmove(got + 301, got + 300, SIZE - 301);
    struct checker c = take(SIZE, 64);
    assert_int_equal(c.lost, 0);
    assert_true(c.wrong > 0);
}

/* Bytes of the other direction are not taken for this one's. */
static void other_direction(void **state)
{
    (void)state;
    make();
    content_fill(got, SIZE, content_start(1));
    struct checker c = take(SIZE, 64);
    assert_int_equal(c.good, 0);
    assert_true(c.searching);
}

static void crc_is_zlibs(void **state)
{
    (void)state;
    crc_init();
    const unsigned char text[] = "123456789";
    assert_int_equal(crc_update(0, text, 9), 0xcbf43926);
    uint32_t first = crc_update(0, text, 4);
    assert_int_equal(crc_update(first, text + 4, 5), 0xcbf43926);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_in_any_pieces), cmocka_unit_test(one_wrong_byte),
        cmocka_unit_test(lost_bytes),          cmocka_unit_test(one_byte_twice),
        cmocka_unit_test(other_direction),     cmocka_unit_test(crc_is_zlibs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
