/* The second process of a measurement: this program in another role. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uinta/child.h>
#include <uinta/map.h>
#include <uinta/process.h>
#include "micro.h"

int peer_start(const char *role, const struct spawn_handle *handles,
               size_t handle_count, int priority)
{
    char *argv[] = {"micro", "peer", (char *)role, NULL};
    const struct spawn_options options = {
        .priority = priority,
        .handles = handles,
        .handle_count = handle_count,
    };
    return (int)must(spawn_program("/bench/micro", argv, NULL, &options), role);
}

void peer_end(int pid)
{
    struct process_status status;
    sys_process_kill(child_handle(pid), 0);
    must(child_wait(pid, 0, &status), "wait for peer");
    if (status.reason != EXIT_KILLED) {
        char how[96];
        child_describe(how, sizeof(how), &status);
        printf("micro: peer: %s\n", how);
        exit(1);
    }
}

volatile uint64_t *peer_map(handle_t memory)
{
    volatile uint64_t *page = map_memory(memory, PAGE_SIZE, PROT_R | PROT_W);
    if (!page)
        must(E_NOMEM, "map");
    return page;
}

void peer_unmap(volatile uint64_t *page)
{
    unmap_memory((void *)page, PAGE_SIZE);
}

/* Answers every call with its own words, one of them changed. */
static int reply(void)
{
    handle_t endpoint = startup_handle("service");
    struct message m;

    for (int64_t result = ipc_receive(endpoint, &m);;
         result = ipc_reply_receive(endpoint, &m)) {
        if (result < 0)
            return 1;
        if (m.handle[0])
            message_close(&m, 0);
        m.word[0]++;
    }
}

static int pong(void)
{
    handle_t wait = startup_handle("wait"), bell = startup_handle("ring");

    for (;;) {
        sys_doorbell_ring(bell);
        if (sys_notification_wait(wait, 1, DEADLINE_NEVER) < 0)
            return 1;
    }
}

/* Notes when it was woken. */
static int note(void)
{
    handle_t wait = startup_handle("wait");
    volatile uint64_t *at = peer_map(startup_handle("memory"));

    sys_doorbell_ring(startup_handle("ring"));
    for (;;) {
        if (sys_notification_wait(wait, 1, DEADLINE_NEVER) < 0)
            return 1;
        *at = count();
    }
}

static int yield(void)
{
    sys_doorbell_ring(startup_handle("ring"));
    while (sys_thread_yield() >= 0)
        ;
    return 1;
}

/* Rings whenever it is rung, and says when. */
static int ring(void)
{
    handle_t wait = startup_handle("wait"), bell = startup_handle("ring");
    volatile uint64_t *at = peer_map(startup_handle("memory"));

    for (;;) {
        *at = count();
        sys_doorbell_ring(bell);
        if (sys_notification_wait(wait, 1, DEADLINE_NEVER) < 0)
            return 1;
    }
}

/*
 * A program that computes until it loses the hart, which it sees by the counter
 * jumping by more than its loop takes: the surplus goes to page[0]. Then it
 * rings and rests until it is rung.
 */
static int burn(void)
{
    enum { LOOP = 16 };
    handle_t wait = startup_handle("wait"), bell = startup_handle("ring");
    volatile uint64_t *page = peer_map(startup_handle("memory"));

    for (;;) {
        sys_doorbell_ring(bell);
        if (sys_notification_wait(wait, 1, DEADLINE_NEVER) < 0)
            return 1;
        uint64_t plain = ~0UL, took = 0, last = count();
        while (took < plain || took <= plain + LOOP) {
            uint64_t now = count();
            if (took && took < plain)
                plain = took;
            took = now - last;
            last = now;
        }
        *page = took - plain;
    }
}

int peer_main(const char *role)
{
    static const struct {
        const char *name;
        int (*run)(void);
    } roles[] = {
        {"reply", reply}, {"pong", pong}, {"note", note},
        {"yield", yield}, {"ring", ring}, {"burn", burn},
    };
    for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
        if (!strcmp(roles[i].name, role))
            return roles[i].run();
    printf("micro: no role '%s'\n", role);
    return 1;
}
