/* link: user/lib/ring/copy.c */
/* The copy in and out of rings: every length and alignment, exact bounds. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "content.h"
#include "user/lib/ring/copy.h"

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
