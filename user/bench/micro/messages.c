/*
 * Between two processes, each in an address space of its own: messages,
 * notifications, and the bare switch. The other process is this program in
 * another role (peer.c).
 */
#include "micro.h"

/* Eight words travel; four carry something, as the row in the issue says. */
static void call_reply(void)
{
    handle_t endpoint = must(sys_endpoint_create(), "endpoint");
    const struct spawn_handle handles[] = {{"service", endpoint, 0}};
    int peer = peer_start("reply", handles, 1, PRIORITY_ABOVE);
    struct message m = {.word = {1, 2, 3, 4}};

    must(ipc_call(endpoint, &m), "call");
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t start = count();
        ipc_call(endpoint, &m);
        samples[i] = count() - start - COUNT_COST;
    }
    row("call-reply", "-", "instructions", 1);

    /* A handle travels there, and is closed there. */
    handle_t passed = must(sys_notification_create(), "notification");
    for (int i = 0; i < ROUNDS; i++) {
        m.handle[0] = passed;
        uint64_t start = count();
        ipc_call(endpoint, &m);
        samples[i] = count() - start - COUNT_COST;
    }
    row("call-reply-handle", "-", "instructions", 1);
    sys_handle_close(passed);
    peer_end(peer);
    sys_handle_close(endpoint);
}

/* One's own notification, and the doorbell of the peer's. */
static handle_t mine, bell_mine, theirs, bell_theirs;

static int start_bells(const char *role, int priority)
{
    mine = must(sys_notification_create(), "notification");
    theirs = must(sys_notification_create(), "notification");
    bell_mine = must(sys_doorbell_create(mine, 1), "doorbell");
    bell_theirs = must(sys_doorbell_create(theirs, 1), "doorbell");
    const struct spawn_handle handles[] = {{"wait", theirs, 0},
                                           {"ring", bell_mine, 0}};
    int peer = peer_start(role, handles, 2, priority);
    /* The peer says that it is there. */
    must(sys_notification_wait(mine, 1, DEADLINE_NEVER), "wait");
    return peer;
}

static void end_bells(int peer)
{
    peer_end(peer);
    sys_handle_close(bell_mine);
    sys_handle_close(bell_theirs);
    sys_handle_close(mine);
    sys_handle_close(theirs);
}

/* Ring the peer, wait until it has rung back: four calls, two switches. */
static void pingpong(const char *name, int priority)
{
    int peer = start_bells("pong", priority);

    for (int i = 0; i < ROUNDS; i++) {
        uint64_t start = count();
        sys_doorbell_ring(bell_theirs);
        sys_notification_wait(mine, 1, DEADLINE_NEVER);
        samples[i] = count() - start - COUNT_COST;
    }
    row(name, "-", "instructions", 1);
    end_bells(peer);
}

/* From the ring to the first instruction of the waiter behind its wait. */
static void wake(void)
{
    handle_t shared = must(sys_memory_create(4096, 0), "memory");
    volatile uint64_t *at = peer_map(shared);

    mine = must(sys_notification_create(), "notification");
    theirs = must(sys_notification_create(), "notification");
    bell_mine = must(sys_doorbell_create(mine, 1), "doorbell");
    bell_theirs = must(sys_doorbell_create(theirs, 1), "doorbell");
    const struct spawn_handle handles[] = {
        {"wait", theirs, 0}, {"ring", bell_mine, 0}, {"memory", shared, 0}};
    int peer = peer_start("note", handles, 3, PRIORITY_ABOVE);
    must(sys_notification_wait(mine, 1, DEADLINE_NEVER), "wait");
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t start = count();
        sys_doorbell_ring(bell_theirs);
        samples[i] = *at - start - COUNT_COST;
    }
    row("doorbell-to-waiter", "-", "instructions", 1);
    end_bells(peer);
    peer_unmap(at);
    sys_handle_close(shared);
}

/* Yield to an equal in another process, which yields back: two switches. */
static void yield(void)
{
    int peer = start_bells("yield", PRIORITY_MAIN);

    for (int i = 0; i < ROUNDS; i++) {
        uint64_t start = count();
        sys_thread_yield();
        samples[i] = count() - start - COUNT_COST;
    }
    row("yield-yield", "-", "instructions", 1);
    end_bells(peer);
}

void measure_messages(void)
{
    call_reply();
    pingpong("notification-pingpong", PRIORITY_MAIN);
    pingpong("notification-pingpong-urgent", PRIORITY_ABOVE);
    wake();
    yield();
}
