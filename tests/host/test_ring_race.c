/* link: user/lib/ring/ring.c user/lib/ring/copy.c */
/*
 * The race that loses wake-ups, a round at a time, nothing slow in between:
 * one side publishes and asks whether to ring while the other arms and looks
 * again. If neither sees the other, the wake-up is lost. Without the two
 * fences of ring.c this fails within some ten thousand rounds, on x86 too
 * (but not under TSan, whose own accesses are slow enough to hide it).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <pthread.h>
#include <sched.h>
#include <cmocka.h>
#include "uinta/ring.h"

static struct ring_shared shared;

static struct {
    uint32_t round __attribute__((aligned(64)));
    uint32_t done __attribute__((aligned(64)));
    bool rang, over;
} race;

static void spin_until(uint32_t *word, uint32_t value)
{
    for (int spins = 0; __atomic_load_n(word, __ATOMIC_ACQUIRE) != value;)
        if (++spins % 4096 == 0)
            sched_yield();
}

static void *publish_each_round(void *argument)
{
    struct ring *r = argument;
    unsigned char byte = 0;
    for (uint32_t round = 1;; round++) {
        spin_until(&race.round, round);
        if (race.over)
            return NULL;
        if (r->role == RING_PRODUCER)
            ring_write(r, &byte, 1);
        else
            ring_read(r, &byte, 1);
        race.rang = ring_should_ring(r);
        __atomic_store_n(&race.done, round, __ATOMIC_RELEASE);
    }
}

static void race_for_two_seconds(enum ring_role publisher)
{
    unsigned char data[1], byte = 0;
    struct ring ring[2];
    memset(&race, 0, sizeof(race));
    ring_init(&ring[0], RING_PRODUCER, &shared, data, 1);
    ring_attach(&ring[1], RING_CONSUMER, &shared, data, 1);
    if (publisher == RING_CONSUMER)
        ring_write(&ring[RING_PRODUCER], &byte, 1);
    struct ring *sleeper = &ring[!publisher];

    pthread_t thread;
    pthread_create(&thread, NULL, publish_each_round, &ring[publisher]);
    uint64_t lost = 0, rang = 0, seen = 0;
    time_t end = time(NULL) + 2;
    uint32_t round = 0;
    while (time(NULL) < end && !lost) {
        __atomic_store_n(&race.round, ++round, __ATOMIC_RELEASE);
        for (volatile int delay = round % 64; delay; delay--)
            ;
        bool awake = ring_arm_wake(sleeper, 1);
        spin_until(&race.done, round);
        lost += !awake && !race.rang;
        rang += race.rang;
        seen += awake;
        ring_disarm(sleeper);
        /* Back to where the sleeper has nothing to do. */
        if (publisher == RING_PRODUCER)
            ring_read(sleeper, &byte, 1);
        else
            ring_write(sleeper, &byte, 1);
    }
    race.over = true;
    __atomic_store_n(&race.round, ++round, __ATOMIC_RELEASE);
    pthread_join(thread, NULL);
    fprintf(stderr, "%u rounds: rang in %lu, seen in %lu, lost %lu\n", round,
            rang, seen, lost);
    assert_int_equal(lost, 0);
}

static void producer_and_sleeping_consumer_never_miss(void **state)
{
    (void)state;
    race_for_two_seconds(RING_PRODUCER);
}

static void consumer_and_sleeping_producer_never_miss(void **state)
{
    (void)state;
    race_for_two_seconds(RING_CONSUMER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(producer_and_sleeping_consumer_never_miss),
        cmocka_unit_test(consumer_and_sleeping_producer_never_miss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
