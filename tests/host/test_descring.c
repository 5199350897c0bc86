/* link: user/lib/ring/ring.c user/lib/ring/copy.c user/lib/ring/descring.c */
/*
 * Descriptor rings: order, what a hostile peer can put into a descriptor, and
 * who holds which bytes of the region.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "uinta/descring.h"

static struct ring_shared shared;
static unsigned char *data;
static struct ring producer, consumer;

enum { SLOTS = 8, REGION = 10 * 512 - 100, SHIFT = 9 };

static struct desc_pool pool;
static uint64_t held[DESC_POOL_WORDS(REGION, SHIFT)];

static int setup(void **state)
{
    (void)state;
    free(data);
    data = malloc(DESCRING_BYTES(SLOTS));
    assert_int_equal(
        descring_init(&producer, RING_PRODUCER, &shared, data, SLOTS), OK);
    assert_int_equal(
        descring_attach(&consumer, RING_CONSUMER, &shared, data, SLOTS), OK);
    assert_int_equal(desc_pool_init(&pool, REGION, SHIFT, held), OK);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(data);
    data = NULL;
    return 0;
}

static int pass(uint64_t offset, uint32_t length, struct desc *out)
{
    struct desc d = {offset, length, 99};
    assert_int_equal(descring_put(&producer, &d), 1);
    return descring_get(&consumer, &pool, out);
}

static void descriptors_in_order(void **state)
{
    (void)state;
    struct desc d, out;
    assert_int_equal(descring_get(&consumer, NULL, &out), 0);
    for (uint32_t round = 0; round < 50; round++) {
        for (uint32_t i = 0; i < SLOTS; i++) {
            d = (struct desc){i * 512, 1 + i, round * 100 + i};
            assert_int_equal(descring_put(&producer, &d), 1);
        }
        assert_int_equal(descring_put(&producer, &d), 0);
        for (uint32_t i = 0; i < SLOTS; i++) {
            assert_int_equal(descring_get(&consumer, &pool, &out), 1);
            assert_int_equal(out.offset, i * 512);
            assert_int_equal(out.length, 1 + i);
            assert_int_equal(out.cookie, round * 100 + i);
            assert_int_equal(desc_pool_release(&pool, &out), OK);
        }
        assert_int_equal(descring_get(&consumer, &pool, &out), 0);
    }
}

static void descriptors_outside_the_region(void **state)
{
    (void)state;
    static const struct desc bad[] = {
        {0, 0, 0},           {REGION, 1, 0},
        {REGION - 1, 2, 0},  {0, REGION + 1, 0},
        {0, UINT32_MAX, 0},  {UINT64_MAX, 1, 0},
        {UINT64_MAX, 2, 0},  {UINT64_MAX - 5, UINT32_MAX, 0},
        {1UL << 63, 512, 0}, {-(uint64_t)512, 1024, 0},
    };
    struct desc out = {1, 2, 3};
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(pass(bad[i].offset, bad[i].length, &out), E_PROTOCOL);
    assert_int_equal(out.cookie, 3); /* untouched */
    for (unsigned i = 0; i < sizeof(held) / sizeof(held[0]); i++)
        assert_int_equal(held[i], 0);
    /* The ring goes on, and the very last byte is allowed. */
    assert_int_equal(pass(REGION - 1, 1, &out), 1);
    assert_int_equal(desc_pool_release(&pool, &out), OK);
    assert_int_equal(pass(0, REGION, &out), 1);
}

static void no_buffer_twice(void **state)
{
    (void)state;
    struct desc out, whole = {0, REGION, 0};
    assert_int_equal(pass(1024, 1000, &out), 1); /* units 2 and 3 */
    assert_int_equal(pass(1024, 1000, &whole), E_PROTOCOL);
    assert_int_equal(pass(2047, 1, &whole), E_PROTOCOL);
    assert_int_equal(pass(0, 1025, &whole), E_PROTOCOL);
    assert_int_equal(pass(0, 1024, &whole), 1);
    assert_int_equal(pass(2048, 1, &whole), 1);
    assert_int_equal(desc_pool_release(&pool, &out), OK);
    assert_int_equal(desc_pool_release(&pool, &out), E_ARG);
    assert_int_equal(pass(2040, 1, &out), 1);
}

/* Ownership against a plain array of booleans. */
static void random_pool_against_model(void **state)
{
    (void)state;
    enum { UNITS = (REGION + 511) / 512 };
    bool model[UNITS] = {false};
    srandom(5);
    for (int i = 0; i < 200000; i++) {
        struct desc d = {random() % (REGION + 600), random() % 2000, 0};
        if (random() % 50 == 0)
            d.offset = -(uint64_t)(random() % 4000);
        bool in =
            d.length && d.offset < REGION && d.offset + d.length <= REGION;
        bool all = in, none = in;
        for (uint64_t b = d.offset; in && b < d.offset + d.length; b++) {
            all &= model[b / 512];
            none &= !model[b / 512];
        }
        bool hold = random() % 2;
        int result =
            hold ? desc_pool_hold(&pool, &d) : desc_pool_release(&pool, &d);
        bool good = hold ? none : all;
        assert_int_equal(result, good ? OK : hold ? E_PROTOCOL : E_ARG);
        for (uint64_t b = d.offset; good && b < d.offset + d.length; b++)
            model[b / 512] = hold;
    }
}

static void bad_pools_are_refused(void **state)
{
    (void)state;
    struct desc_pool p;
    assert_int_equal(desc_pool_init(&p, 0, 9, held), E_ARG);
    assert_int_equal(desc_pool_init(&p, 512, 31, held), E_ARG);
    assert_int_equal(desc_pool_init(&p, ~0UL, 9, held), E_ARG);
    assert_int_equal(desc_pool_init(&p, 512, 9, NULL), E_ARG);
    assert_int_equal(descring_init(&producer, 0, &shared, data + 1, SLOTS),
                     E_ARG);
}

/* The peer changes a descriptor after it was read: the copy is what counts. */
static void checked_is_what_is_used(void **state)
{
    (void)state;
    struct desc out, evil = {UINT64_MAX, UINT32_MAX, 0};
    assert_int_equal(pass(512, 512, &out), 1);
    memcpy(data, &evil, sizeof(evil));
    assert_int_equal(out.offset, 512);
    assert_int_equal(out.length, 512);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(descriptors_in_order),  TEST(descriptors_outside_the_region),
        TEST(no_buffer_twice),       TEST(random_pool_against_model),
        TEST(bad_pools_are_refused), TEST(checked_is_what_is_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
