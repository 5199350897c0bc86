/* link: user/lib/ring/copy.c */
/* The copy in and out of rings: every length and alignment, exact bounds. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "user/lib/ring/copy.h"

/* Byte at position i of the stream: a hash, no state. */
static unsigned char expected(uint64_t i)
{
    i = (i ^ i >> 31) * 0x9e3779b97f4a7c15;
    return (unsigned char)(i >> 56);
}

static void fill(unsigned char *to, uint64_t from, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        to[i] = expected(from + i);
}

static void check(const unsigned char *got, uint64_t from, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        assert_int_equal(got[i], expected(from + i));
}

static void copy_is_exact_at_every_alignment(void **state)
{
    (void)state;
    /* Exact heap blocks: a byte read or written outside is ASan's. */
    for (uint64_t n = 0; n <= 150; n++)
        for (unsigned a = 0; a < 8; a++)
            for (unsigned b = 0; b < 8; b++) {
                unsigned char *from = malloc(a + n), *to = malloc(b + n);
                fill(from, n, a + n);
                memset(to, 0xee, b + n);
                ring_copy(to + b, from + a, n);
                for (unsigned i = 0; i < b; i++)
                    assert_int_equal(to[i], 0xee);
                check(to + b, n + a, n);
                free(from);
                free(to);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copy_is_exact_at_every_alignment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
