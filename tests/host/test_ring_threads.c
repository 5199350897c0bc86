/* link-tsan: user/lib/ring/ring.c user/lib/ring/copy.c */
/*
 * Producer and consumer as two threads, asleep and awake as in stream.c, under
 * TSan. The doorbell is a condition variable; a sleeper that times out
 * although it could move what it waits for has lost its wake-up.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <pthread.h>
#include <cmocka.h>
#include "content.h"
#include "uinta/ring.h"

struct side {
    struct ring ring;
    pthread_mutex_t lock;
    pthread_cond_t bell;
    bool rung; /* the notification's bit */
    uint64_t random, seed;
    uint64_t slept, lost, rang, for_nothing;
};

static struct ring_shared shared;
static struct side side[2]; /* by role */
static uint64_t total, capacity;
static bool greedy; /* sleep for many bytes instead of for one */

static uint64_t next_random(struct side *s)
{
    s->random ^= s->random << 13;
    s->random ^= s->random >> 7;
    s->random ^= s->random << 17;
    return s->random >> 8;
}

static void ring_bell(struct side *me, struct side *other)
{
    me->rang++;
    pthread_mutex_lock(&other->lock);
    other->rung = true;
    pthread_cond_signal(&other->bell);
    pthread_mutex_unlock(&other->lock);
}

/* As wait_for() of stream.c. */
static void wait_for(struct side *me, uint64_t want)
{
    if (ring_arm_wake(&me->ring, want))
        return;
    me->slept++;
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += 2;
    pthread_mutex_lock(&me->lock);
    int timeout = 0;
    while (!me->rung && !timeout)
        timeout = pthread_cond_timedwait(&me->bell, &me->lock, &end);
    me->rung = false;
    pthread_mutex_unlock(&me->lock);
    ring_disarm(&me->ring);
    int64_t now = ring_available(&me->ring, want);
    if (timeout && now >= (int64_t)want)
        me->lost++;
    if (!timeout && now == 0)
        me->for_nothing++;
}

static void *produce(void *argument)
{
    struct side *me = &side[RING_PRODUCER], *other = &side[RING_CONSUMER];
    unsigned char buffer[300];
    (void)argument;
    for (uint64_t at = 0; at < total;) {
        uint64_t n = 1 + next_random(me) % sizeof(buffer);
        if (n > total - at)
            n = total - at;
        for (uint64_t i = 0; i < n; i++)
            buffer[i] = expected(at + i);
        for (uint64_t done = 0; done < n;) {
            int64_t moved = ring_write(&me->ring, buffer + done, n - done);
            if (moved < 0)
                return "producer: ring error";
            if (moved == 0) {
                uint64_t half = (capacity + 1) / 2;
                wait_for(me, greedy && n - done >= half ? half : 1);
                continue;
            }
            done += moved;
            if (ring_should_ring(&me->ring))
                ring_bell(me, other);
        }
        at += n;
        if (next_random(me) % 1024 == 0)
            sched_yield();
    }
    if (ring_close(&me->ring))
        ring_bell(me, other);
    return NULL;
}

static void *consume(void *argument)
{
    struct side *me = &side[RING_CONSUMER], *other = &side[RING_PRODUCER];
    unsigned char buffer[300];
    (void)argument;
    uint64_t at = 0;
    for (;;) {
        uint64_t n = 1 + next_random(me) % sizeof(buffer);
        int64_t moved = ring_read(&me->ring, buffer, n);
        if (moved == E_DEAD)
            return at == total ? NULL : "consumer: end too early";
        if (moved < 0)
            return "consumer: ring error";
        if (moved == 0) {
            wait_for(me, 1);
            continue;
        }
        for (int64_t i = 0; i < moved; i++)
            if (buffer[i] != expected(at + i))
                return "consumer: wrong byte";
        at += moved;
        if (ring_should_ring(&me->ring))
            ring_bell(me, other);
    }
}

static void run(uint64_t ring_capacity, uint64_t bytes, bool want_many)
{
    unsigned char *data = malloc(ring_capacity);
    capacity = ring_capacity;
    total = bytes;
    greedy = want_many;
    for (int i = 0; i < 2; i++) {
        memset(&side[i], 0, sizeof(side[i]));
        pthread_mutex_init(&side[i].lock, NULL);
        pthread_cond_init(&side[i].bell, NULL);
        side[i].random = 88172645463325252 + i;
    }
    ring_init(&side[0].ring, RING_PRODUCER, &shared, data, capacity);
    ring_attach(&side[1].ring, RING_CONSUMER, &shared, data, capacity);

    pthread_t producer, consumer;
    void *wrong[2];
    pthread_create(&producer, NULL, produce, NULL);
    pthread_create(&consumer, NULL, consume, NULL);
    pthread_join(producer, &wrong[0]);
    pthread_join(consumer, &wrong[1]);
    free(data);
    for (int i = 0; i < 2; i++) {
        if (wrong[i])
            fail_msg("%s", (char *)wrong[i]);
        assert_int_equal(side[i].lost, 0);
        /* A bell finds a sleeper, or one that had just decided to sleep. */
        assert_true(side[i].rang <= side[!i].slept + side[!i].slept / 2 + 20);
        assert_true(side[i].for_nothing <= side[i].slept / 4 + 20);
    }
    fprintf(stderr,
            "capacity %lu: slept %lu/%lu, rang %lu/%lu, for nothing %lu/%lu\n",
            capacity, side[0].slept, side[1].slept, side[0].rang, side[1].rang,
            side[0].for_nothing, side[1].for_nothing);
}

static void no_wakeup_lost_in_a_ring_of_1(void **state)
{
    (void)state;
    run(1, 100000, false);
}

static void no_wakeup_lost_in_a_ring_of_64(void **state)
{
    (void)state;
    run(64, 3000000, false);
}

static void no_wakeup_lost_when_sleeping_for_half(void **state)
{
    (void)state;
    run(128, 3000000, true);
}

static void no_wakeup_lost_in_a_big_ring(void **state)
{
    (void)state;
    run(4096, 10000000, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_wakeup_lost_in_a_ring_of_1),
        cmocka_unit_test(no_wakeup_lost_in_a_ring_of_64),
        cmocka_unit_test(no_wakeup_lost_when_sleeping_for_half),
        cmocka_unit_test(no_wakeup_lost_in_a_big_ring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
