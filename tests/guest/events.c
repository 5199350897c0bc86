/*
 * Notifications and doorbells: bits, masks, deadlines, one waiter, and what
 * the last handle of a doorbell tells when it is closed.
 */
#include <uinta/thread.h>
#include "child.h"

static handle_t n;

static void fresh(void)
{
    n = MUST(sys_notification_create());
}

static handle_t bell(uint64_t bits)
{
    return MUST(sys_doorbell_create(n, bits));
}

static uint64_t soon(void)
{
    return clock_deadline(1000 * MS);
}

TEST(bits_are_collected)
{
    fresh();
    handle_t a = bell(1), b = bell(6);
    MUST(sys_doorbell_ring(a));
    MUST(sys_doorbell_ring(b));
    MUST(sys_doorbell_ring(b));
    EXPECT(sys_notification_wait(n, ~0UL >> 1, soon()), 7);
    EXPECT(sys_notification_poll(n, ~0UL >> 1), 0);
    sys_handle_close(a);
    sys_handle_close(b);
    MUST(sys_handle_close(n));
}

TEST(mask_leaves_the_others)
{
    fresh();
    handle_t a = bell(7);
    MUST(sys_doorbell_ring(a));
    EXPECT(sys_notification_wait(n, 2, soon()), 2);
    EXPECT(sys_notification_poll(n, 8), 0);
    EXPECT(sys_notification_poll(n, 5), 5);
    sys_handle_close(a);
    MUST(sys_handle_close(n));
}

TEST(wait_ignores_other_bits)
{
    fresh();
    handle_t a = bell(1);
    MUST(sys_doorbell_ring(a));
    EXPECT(sys_notification_wait(n, 2, clock_deadline(5 * MS)), E_TIMEDOUT);
    EXPECT(sys_notification_poll(n, 1), 1);
    sys_handle_close(a);
    MUST(sys_handle_close(n));
}

TEST(deadline_is_kept)
{
    fresh();
    for (int i = 1; i <= 10; i++) {
        uint64_t until = clock_deadline(i * MS);
        EXPECT(sys_notification_wait(n, 1, until), E_TIMEDOUT);
        CHECK(clock_ticks() >= until);
    }
    MUST(sys_handle_close(n));
}

TEST(peer_closed)
{
    fresh();
    handle_t a = bell(4), copy = MUST(sys_handle_dup(a, R_RING, 0));
    MUST(sys_handle_close(a));
    EXPECT(sys_notification_poll(n, ~0UL >> 1), 0);
    MUST(sys_handle_close(copy));
    EXPECT(sys_notification_poll(n, ~0UL >> 1), 4 | EVENT_PEER_CLOSED);
    MUST(sys_handle_close(n));
}

TEST(peer_dies)
{
    struct child c;
    fresh();
    handle_t a = bell(8);
    child_make(&c);
    child_give(&c, a);
    MUST(sys_handle_close(a));
    script(&c, 0, SCRIPT_SPIN, 0, 0, 0, 0, 0, 0);
    child_run(&c, child_script, 1);
    EXPECT(sys_notification_poll(n, 8), 0);
    child_kill(&c);
    EXPECT(sys_notification_wait(n, 8 | EVENT_PEER_CLOSED, soon()),
           8 | EVENT_PEER_CLOSED);
    MUST(sys_handle_close(n));
}

/* A handle that travels in a message counts like any other. */
TEST(peer_closed_after_travelling)
{
    fresh();
    handle_t a = bell(2), e = MUST(sys_endpoint_create());
    struct child c;
    child_make(&c);
    handle_t theirs = child_give(&c, e), a_there = child_give(&c, a);
    MUST(sys_handle_close(a));
    script(&c, 0, SYS_ipc_call, theirs, a_there, 0, 0, 0, 0);
    script(&c, 1, SCRIPT_EXIT, 0, 0, 0, 0, 0, 0);
    child_run(&c, child_script, 3);
    struct message m = {0};
    EXPECT(ipc_receive(e, &m), OK);
    handle_t received = m.handle[0];
    CHECK(received);
    MUST(sys_doorbell_ring(received));
    m = (struct message){.token = m.token};
    EXPECT(ipc_reply(&m), OK);
    child_wait_end(&c, 1000);
    EXPECT(sys_notification_poll(n, ~0UL >> 1), 2);
    MUST(sys_handle_close(received));
    EXPECT(sys_notification_poll(n, ~0UL >> 1), 2 | EVENT_PEER_CLOSED);
    child_close(&c);
    MUST(sys_handle_close(e));
    MUST(sys_handle_close(n));
}

enum { WAITER = 5 }; /* priority */

static int64_t wait_here(void *mask)
{
    return sys_notification_wait(n, (uint64_t)mask, DEADLINE_NEVER);
}

TEST(one_waiter_at_a_time)
{
    struct thread t;
    fresh();
    handle_t a = bell(1);
    MUST(thread_start(&t, wait_here, (void *)1, WAITER));
    CHECK(EVENTUALLY(sibling(WAITER).state == THREAD_WAITING, 5000));
    EXPECT(sys_notification_wait(n, 2, soon()), E_BUSY);
    EXPECT(sys_notification_poll(n, 1), 0);
    MUST(sys_doorbell_ring(a));
    EXPECT(thread_join(&t), 1);
    sys_handle_close(a);
    MUST(sys_handle_close(n));
}

TEST(killed_waiter_leaves_room)
{
    struct child c;
    fresh();
    handle_t a = bell(1);
    child_make(&c);
    script(&c, 0, SYS_notification_wait, child_give(&c, n), 1, DEADLINE_NEVER,
           0, 0, 0);
    child_run(&c, child_script, 5);
    CHECK(EVENTUALLY(child_state(&c) == THREAD_WAITING, 1000));
    child_kill(&c);
    MUST(sys_doorbell_ring(a));
    EXPECT(sys_notification_wait(n, 1, soon()), 1);
    sys_handle_close(a);
    MUST(sys_handle_close(n));
}

/* The last handle goes while a sibling sleeps: it wakes, with an error. */
TEST(notification_closed_under_the_waiter)
{
    struct thread t;
    fresh();
    MUST(thread_start(&t, wait_here, (void *)1, WAITER));
    CHECK(EVENTUALLY(sibling(WAITER).state == THREAD_WAITING, 5000));
    MUST(sys_handle_close(n));
    EXPECT(thread_join(&t), E_BADHANDLE);
}

/* Nobody can wait for it any more: the ringer is told. */
TEST(ring_after_notification_closed)
{
    fresh();
    handle_t a = bell(1);
    MUST(sys_handle_close(n));
    EXPECT(sys_doorbell_ring(a), E_DEAD);
    MUST(sys_handle_close(a));
}

/* Between two threads on any harts: nothing lost, nothing twice. */
static volatile uint64_t rung;
static volatile int ringing;

static int64_t ring_many(void *arg)
{
    handle_t a = (handle_t)(uint64_t)arg;
    for (int i = 0; i < 2000; i++) {
        __atomic_add_fetch(&rung, 1, __ATOMIC_SEQ_CST);
        if (sys_doorbell_ring(a) != OK)
            return 1;
    }
    __atomic_store_n(&ringing, 0, __ATOMIC_SEQ_CST);
    return sys_doorbell_ring(a);
}

TEST(no_ring_is_lost)
{
    struct thread t;
    fresh();
    handle_t a = bell(1);
    rung = 0;
    ringing = 1;
    MUST(thread_start(&t, ring_many, (void *)(uint64_t)a, 3));
    uint64_t seen = 0;
    do {
        int64_t event = sys_notification_wait(n, 1, clock_deadline(5000 * MS));
        EXPECT(event, 1);
        CHECK(rung >= seen);
        seen = rung;
    } while (ringing);
    EXPECT(thread_join(&t), OK);
    EXPECT(rung, 2000);
    sys_handle_close(a);
    MUST(sys_handle_close(n));
}

/* Ping and pong between two processes. */
TEST(ping_pong_between_processes)
{
    struct child c;
    handle_t mine = MUST(sys_notification_create());
    fresh();
    handle_t ping = bell(1), pong = MUST(sys_doorbell_create(mine, 2));
    enum { ROUNDS = 60 };
    child_make(&c);
    handle_t n_there = child_give(&c, n), pong_there = child_give(&c, pong);
    for (int i = 0; i < ROUNDS; i++) {
        script(&c, 2 * i, SYS_notification_wait, n_there, 1, DEADLINE_NEVER, 0,
               0, 0);
        script(&c, 2 * i + 1, SYS_doorbell_ring, pong_there, 0, 0, 0, 0, 0);
    }
    script(&c, 2 * ROUNDS, SCRIPT_EXIT, 0, 0, 0, 0, 0, 0);
    child_run(&c, child_script, 3);
    for (int i = 0; i < ROUNDS; i++) {
        MUST(sys_doorbell_ring(ping));
        EXPECT(sys_notification_wait(mine, 2, clock_deadline(3000 * MS)), 2);
    }
    EXPECT(child_wait_end(&c, 2000).reason, EXIT_EXITED);
    child_close(&c);
    sys_handle_close(ping);
    sys_handle_close(pong);
    sys_handle_close(n);
    sys_handle_close(mine);
}

TEST_MAIN
