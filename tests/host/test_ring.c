/* link: user/lib/ring/ring.c user/lib/ring/copy.c */
/*
 * Byte rings: against a model that shares no code with them,
 * at every edge, and with a peer that lies. What a byte at position i must be
 * is computed from i alone, so that a dropped or doubled byte shows.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <pthread.h>
#include <cmocka.h>
#include "content.h"
#include "uinta/ring.h"

enum { CAPACITY = 64 };

static struct ring_shared shared;
static unsigned char *data; /* on the heap: ASan guards both its ends */
static struct ring producer, consumer;

static void make(uint64_t capacity)
{
    free(data);
    data = malloc(capacity);
    memset(&shared, 0x5a, sizeof(shared)); /* stale memory */
    assert_int_equal(
        ring_init(&producer, RING_PRODUCER, &shared, data, capacity), OK);
    assert_int_equal(
        ring_attach(&consumer, RING_CONSUMER, &shared, data, capacity), OK);
}

/* A ring that has been used and holds this many bytes, from index 10. */
static void make_holding(unsigned held)
{
    unsigned char buffer[CAPACITY] = {0};
    make(CAPACITY);
    ring_write(&producer, buffer, 10);
    ring_read(&consumer, buffer, 10);
    ring_write(&producer, buffer, held);
}

static int setup(void **state)
{
    (void)state;
    make(CAPACITY);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(data);
    data = NULL;
    return 0;
}

static void bad_geometry_is_refused(void **state)
{
    (void)state;
    static const uint64_t bad[] = {0, 3, 63, 65, 1UL << 31, 1UL << 63, ~0UL};
    struct ring r;
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(ring_init(&r, 0, &shared, data, bad[i]), E_ARG);
        assert_int_equal(ring_attach(&r, 0, &shared, data, bad[i]), E_ARG);
    }
    struct ring_shared *crooked = (void *)((char *)&shared + 8);
    assert_int_equal(ring_init(&r, 0, crooked, data, 64), E_ARG);
    shared.magic = 0;
    assert_int_equal(ring_attach(&r, 1, &shared, data, 64), E_PROTOCOL);
    assert_int_equal(ring_read(&r, data, 1), E_PROTOCOL);
}

static void empty_and_full(void **state)
{
    (void)state;
    unsigned char in[CAPACITY + 1], out[CAPACITY + 1];
    fill(in, 0, sizeof(in));
    assert_int_equal(ring_read(&consumer, out, 1), 0);
    assert_int_equal(ring_available(&producer, 1), CAPACITY);
    assert_int_equal(ring_write(&producer, in, sizeof(in)), CAPACITY);
    assert_int_equal(ring_write(&producer, in, 1), 0);
    assert_int_equal(ring_available(&consumer, 1), CAPACITY);
    assert_int_equal(ring_read(&consumer, out, sizeof(out)), CAPACITY);
    check(out, 0, CAPACITY);
    assert_int_equal(ring_read(&consumer, out, 1), 0);
    assert_int_equal(ring_available(&producer, CAPACITY), CAPACITY);
    assert_int_equal(ring_write(&producer, in, 0), 0);
    assert_int_equal(ring_read(&consumer, out, 0), 0);
}

/* A buffer that is exactly full, at every place of the ring. */
static void full_at_every_offset(void **state)
{
    (void)state;
    unsigned char in[CAPACITY], out[CAPACITY];
    for (uint64_t at = 0, i = 0; i < 3 * CAPACITY; i++) {
        fill(in, at, CAPACITY);
        assert_int_equal(ring_write(&producer, in, CAPACITY), CAPACITY);
        assert_int_equal(ring_read(&consumer, out, CAPACITY), CAPACITY);
        check(out, at, CAPACITY);
        at += CAPACITY;
        fill(in, at, 1);
        assert_int_equal(ring_write(&producer, in, 1), 1);
        assert_int_equal(ring_read(&consumer, out, CAPACITY), 1);
        check(out, at++, 1);
    }
}

static void one_byte_of_capacity(void **state)
{
    (void)state;
    make(1);
    for (int i = 0; i < 300; i++) {
        unsigned char b = i, got;
        assert_int_equal(ring_write(&producer, "xy", 2), 1);
        assert_int_equal(ring_write(&producer, &b, 1), 0);
        assert_int_equal(ring_read(&consumer, &got, 1), 1);
        assert_int_equal(got, 'x');
        assert_int_equal(ring_read(&consumer, &got, 1), 0);
    }
}

/* The 64-bit indices wrap round without anybody noticing. */
static void indices_wrap(void **state)
{
    (void)state;
    uint64_t start = -(uint64_t)100;
    shared.index[0].value = shared.index[1].value = start;
    ring_attach(&producer, RING_PRODUCER, &shared, data, CAPACITY);
    ring_attach(&consumer, RING_CONSUMER, &shared, data, CAPACITY);
    assert_int_equal(ring_resume(&producer), OK);
    unsigned char in[7], out[7];
    for (uint64_t at = 0; at < 300; at += 7) {
        fill(in, at, 7);
        assert_int_equal(ring_write(&producer, in, 7), 7);
        assert_int_equal(ring_read(&consumer, out, 7), 7);
        check(out, at, 7);
    }
    assert_true(shared.index[0].value < start);
}

/* Model: two counters. Everything the ring says must follow from them. */
static void random_against_model(void **state)
{
    (void)state;
    srandom(3);
    for (uint64_t capacity = 1; capacity <= 4096; capacity *= 4) {
        make(capacity);
        uint64_t in = 0, out = 0;
        unsigned char buffer[9000];
        for (int i = 0; i < 20000; i++) {
            uint64_t n = random() % (2 * capacity + 1);
            uint64_t space = capacity - (in - out), moved;
            unsigned char *span;
            switch (random() % 4) {
            case 0:
                fill(buffer, in, n);
                moved = n < space ? n : space;
                assert_int_equal(ring_write(&producer, buffer, n), moved);
                in += moved;
                break;
            case 1:
                moved = n < in - out ? n : in - out;
                assert_int_equal(ring_read(&consumer, buffer, n), moved);
                check(buffer, out, moved);
                out += moved;
                break;
            case 2:
                moved = ring_span(&producer, &span);
                assert_true(moved <= space && (moved > 0) == (space > 0));
                moved = moved ? random() % (moved + 1) : 0;
                if (moved)
                    fill(span, in, moved);
                ring_publish(&producer, moved);
                in += moved;
                break;
            case 3:
                moved = ring_span(&consumer, &span);
                assert_true(moved <= in - out && (moved > 0) == (in > out));
                moved = moved ? random() % (moved + 1) : 0;
                if (moved)
                    check(span, out, moved);
                ring_publish(&consumer, moved);
                out += moved;
                break;
            }
            assert_int_equal(ring_available(&consumer, ~0UL), in - out);
            assert_int_equal(ring_available(&producer, ~0UL),
                             capacity - (in - out));
        }
        assert_true(in > 10 * capacity);
    }
}

/* Every index a producer can claim, from every state: allowed or E_PROTOCOL. */
static void lying_producer(void **state)
{
    (void)state;
    unsigned char buffer[CAPACITY];
    for (unsigned held = 0; held <= CAPACITY; held++)
        for (int64_t lie = -3 * CAPACITY; lie <= 3 * CAPACITY; lie++) {
            make_holding(held);
            assert_int_equal(ring_available(&consumer, ~0UL), held);
            shared.index[RING_PRODUCER].value = 10 + lie;
            bool possible = lie >= (int64_t)held && lie <= CAPACITY;
            int64_t got = ring_available(&consumer, ~0UL);
            assert_int_equal(got, possible ? lie : E_PROTOCOL);
            if (possible)
                continue;
            /* For good, even if the truth is told again. */
            shared.index[RING_PRODUCER].value = 10 + held;
            assert_int_equal(ring_read(&consumer, buffer, 1), E_PROTOCOL);
            assert_true(ring_arm_wake(&consumer, 1));
        }
}

static void lying_consumer(void **state)
{
    (void)state;
    for (unsigned held = 0; held <= CAPACITY; held++)
        for (int64_t lie = -3 * CAPACITY; lie <= 3 * CAPACITY; lie++) {
            make_holding(held);
            assert_int_equal(ring_available(&producer, ~0UL), CAPACITY - held);
            shared.index[RING_CONSUMER].value = 10 + lie;
            bool possible = lie >= 0 && lie <= (int64_t)held;
            int64_t got = ring_available(&producer, ~0UL);
            assert_int_equal(got, possible ? CAPACITY - held + lie
                                           : (int64_t)E_PROTOCOL);
        }
}

static void own_shared_words_are_never_read_back(void **state)
{
    (void)state;
    unsigned char buffer[8];
    fill(buffer, 0, 8);
    shared.index[RING_PRODUCER].value = 0xdeadbeef; /* peer scribbles on mine */
    shared.capacity = 1UL << 40;
    shared.magic = 0;
    assert_int_equal(ring_write(&producer, buffer, 8), 8);
    assert_int_equal(shared.index[RING_PRODUCER].value, 8);
    assert_int_equal(ring_read(&consumer, buffer, 8), 8);
    check(buffer, 0, 8);
}

static void impossible_indices_are_not_attached_to(void **state)
{
    (void)state;
    shared.index[RING_PRODUCER].value = CAPACITY + 1;
    assert_int_equal(
        ring_attach(&consumer, RING_CONSUMER, &shared, data, CAPACITY),
        E_PROTOCOL);
    shared.index[RING_CONSUMER].value = CAPACITY + 2;
    assert_int_equal(
        ring_attach(&consumer, RING_CONSUMER, &shared, data, CAPACITY),
        E_PROTOCOL);
}

/* A thread scribbles over all that is shared; ASan sees any stray access. */
static volatile bool scribbling;

static void *scribble(void *argument)
{
    (void)argument;
    unsigned char *bytes = (void *)&shared;
    uint64_t x = 88172645463325252;
    while (__atomic_load_n(&scribbling, __ATOMIC_RELAXED)) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        switch (x % 4) {
        case 0:
            bytes[x >> 8 & (sizeof(shared) - 1)] = x >> 32;
            break;
        case 1: /* plausible: a little ahead or behind */
            shared.index[x >> 8 & 1].value += (int64_t)(x >> 16 & 15) - 4;
            break;
        case 2:
            shared.wake[x >> 8 & 1] = x >> 32;
            break;
        case 3:
            data[(x >> 8) % CAPACITY] = x >> 32;
            break;
        }
    }
    return NULL;
}

static void scribbling_peer(void **state)
{
    (void)state;
    pthread_t thread;
    struct ring r[2];
    uint64_t fine = 0, caught = 0;
    unsigned char *buffer = malloc(2 * CAPACITY);
    scribbling = true;
    pthread_create(&thread, NULL, scribble, NULL);
    memset(r, 0, sizeof(r));
    for (int i = 0; i < 400000; i++) {
        enum ring_role role = i & 1;
        if (i % 32 < 2 &&
            ring_init(&r[role], role, &shared, data, CAPACITY) != OK)
            fail();
        uint64_t n = i % (2 * CAPACITY);
        int64_t got = role == RING_PRODUCER ? ring_write(&r[0], buffer, n)
                                            : ring_read(&r[1], buffer, n);
        assert_true(got == E_PROTOCOL || got == E_DEAD ||
                    (got >= 0 && got <= CAPACITY && got <= (int64_t)n));
        fine += got > 0;
        caught += got == E_PROTOCOL;
        ring_should_ring(&r[role]);
        if (i % 16 == 0)
            ring_arm_wake(&r[role], n);
    }
    scribbling = false;
    pthread_join(thread, NULL);
    free(buffer);
    assert_true(fine > 0 && caught > 0);
}

static void closed_after_everything_is_read(void **state)
{
    (void)state;
    unsigned char buffer[8];
    ring_write(&producer, "abc", 3);
    ring_close(&producer);
    assert_int_equal(ring_peer_state(&consumer), 1);
    assert_true(ring_arm_wake(&consumer, 10));
    assert_int_equal(ring_read(&consumer, buffer, 2), 2);
    assert_int_equal(ring_read(&consumer, buffer, 2), 1);
    assert_int_equal(ring_read(&consumer, buffer, 2), E_DEAD);
    assert_true(ring_arm_wake(&consumer, 1));
}

static void a_closed_consumer_stops_the_producer(void **state)
{
    (void)state;
    unsigned char buffer[CAPACITY] = {0};
    ring_close(&consumer);
    while (ring_write(&producer, buffer, 10) > 0)
        ;
    assert_int_equal(ring_write(&producer, buffer, 10), E_DEAD);
    assert_true(ring_arm_wake(&producer, 1));
}

static void a_second_life_is_noticed(void **state)
{
    (void)state;
    unsigned char buffer[8];
    struct ring again;
    ring_write(&producer, "abcd", 4);
    assert_int_equal(ring_read(&consumer, buffer, 2), 2);
    assert_int_equal(ring_available(&producer, CAPACITY), CAPACITY - 2);
    /* The consumer dies here; its next life goes on where it was. */
    assert_int_equal(
        ring_attach(&again, RING_CONSUMER, &shared, data, CAPACITY), OK);
    assert_int_equal(ring_peer_state(&producer), E_DEAD);
    assert_int_equal(ring_available(&producer, CAPACITY), E_DEAD);
    assert_int_equal(ring_write(&producer, "x", 1), E_DEAD);
    assert_int_equal(ring_resume(&producer), OK);
    assert_int_equal(ring_write(&producer, "ef", 2), 2);
    assert_int_equal(ring_read(&again, buffer, 8), 4);
    assert_memory_equal(buffer, "cdef", 4);
}

static void nothing_of_a_new_life_is_read_as_the_old(void **state)
{
    (void)state;
    unsigned char buffer[8];
    struct ring again;
    ring_write(&producer, "old", 3);
    assert_int_equal(ring_available(&consumer, 1), 3);
    ring_attach(&again, RING_PRODUCER, &shared, data, CAPACITY);
    ring_write(&again, "new", 3);
    assert_int_equal(ring_read(&consumer, buffer, 3), 3);
    assert_int_equal(ring_read(&consumer, buffer, 3), E_DEAD);
    assert_int_equal(ring_resume(&consumer), OK);
    assert_int_equal(ring_read(&consumer, buffer, 8), 3);
    assert_memory_equal(buffer, "new", 3);
}

static void resume_uses_what_this_side_knows(void **state)
{
    (void)state;
    unsigned char buffer[8];
    ring_write(&producer, "abcd", 4);
    ring_read(&consumer, buffer, 4);
    shared.index[RING_PRODUCER].value = 77; /* left there by the dead peer */
    assert_int_equal(ring_resume(&producer), OK);
    assert_int_equal(shared.index[RING_PRODUCER].value, 4);
    shared.index[RING_CONSUMER].value = 5;
    assert_int_equal(ring_resume(&producer), E_PROTOCOL);
}

static void doorbells_only_for_sleepers(void **state)
{
    (void)state;
    unsigned char buffer[CAPACITY];
    memset(buffer, 0, sizeof(buffer));
    ring_write(&producer, buffer, 1);
    assert_false(ring_should_ring(&producer));
    assert_true(ring_arm_wake(&consumer, 1)); /* something is there */
    assert_int_equal(shared.wake[RING_CONSUMER], 0);
    ring_read(&consumer, buffer, 1);

    assert_false(ring_arm_wake(&consumer, 1));
    ring_write(&producer, buffer, 1);
    assert_true(ring_should_ring(&producer));
    ring_write(&producer, buffer, 1);
    assert_false(ring_should_ring(&producer)); /* once a sleep */
    ring_read(&consumer, buffer, 2);

    assert_false(ring_arm_wake(&consumer, 10));
    ring_write(&producer, buffer, 9);
    assert_false(ring_should_ring(&producer)); /* asked for 10 */
    ring_write(&producer, buffer, 1);
    assert_true(ring_should_ring(&producer));
    ring_read(&consumer, buffer, 10);

    assert_int_equal(ring_write(&producer, buffer, CAPACITY), CAPACITY);
    assert_false(ring_arm_wake(&producer, CAPACITY / 2));
    ring_read(&consumer, buffer, CAPACITY / 2 - 1);
    assert_false(ring_should_ring(&consumer));
    ring_read(&consumer, buffer, 1);
    assert_true(ring_should_ring(&consumer));

    assert_int_equal(ring_read(&consumer, buffer, CAPACITY), CAPACITY / 2);
    assert_false(ring_arm_wake(&consumer, 1));
    ring_disarm(&consumer);
    ring_write(&producer, buffer, 1);
    assert_false(ring_should_ring(&producer));
}

static void how_much_a_sleeper_waits_for(void **state)
{
    (void)state;
    unsigned char buffer[CAPACITY];
    memset(buffer, 0, sizeof(buffer));
    assert_int_equal(ring_peer_wants(&producer), 0);
    ring_write(&producer, buffer, 10);
    ring_read(&consumer, buffer, 6); /* which the producer has not seen yet */
    assert_false(ring_arm_wake(&consumer, 20));
    assert_int_equal(ring_peer_wants(&producer), 20 - 4);
    ring_write(&producer, buffer, 15);
    assert_int_equal(ring_peer_wants(&producer), 1);
    ring_write(&producer, buffer, 5); /* and has not rung for them */
    assert_int_equal(ring_peer_wants(&producer), 1);
    ring_disarm(&consumer);
    assert_int_equal(ring_peer_wants(&producer), 0);

    ring_write(&producer, buffer, CAPACITY);
    assert_false(ring_arm_wake(&producer, CAPACITY / 2));
    ring_read(&consumer, buffer, 2);
    assert_int_equal(ring_peer_wants(&consumer), CAPACITY / 2 - 2);
    shared.index[RING_PRODUCER].value--; /* a lie ends it all */
    assert_int_equal(ring_peer_wants(&consumer), 0);
}

static void closing_wakes_a_sleeper(void **state)
{
    (void)state;
    assert_false(ring_close(&producer));
    make(CAPACITY);
    assert_false(ring_arm_wake(&consumer, 20));
    assert_true(ring_close(&producer));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(bad_geometry_is_refused),
        TEST(empty_and_full),
        TEST(full_at_every_offset),
        TEST(one_byte_of_capacity),
        TEST(indices_wrap),
        TEST(random_against_model),
        TEST(lying_producer),
        TEST(lying_consumer),
        TEST(own_shared_words_are_never_read_back),
        TEST(impossible_indices_are_not_attached_to),
        TEST(scribbling_peer),
        TEST(closed_after_everything_is_read),
        TEST(a_closed_consumer_stops_the_producer),
        TEST(a_second_life_is_noticed),
        TEST(nothing_of_a_new_life_is_read_as_the_old),
        TEST(resume_uses_what_this_side_knows),
        TEST(doorbells_only_for_sleepers),
        TEST(how_much_a_sleeper_waits_for),
        TEST(closing_wakes_a_sleeper),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
