/* Starting, stopping and reading the program that computes. */
#include "burner.h"
#include "micro.h"

void burner_open(struct burner *b, int priority)
{
    b->memory = must(sys_memory_create(4096, 0), "memory");
    b->loss = peer_map(b->memory);
    b->rested = must(sys_notification_create(), "notification");
    b->start = must(sys_notification_create(), "notification");
    b->bell_rested = must(sys_doorbell_create(b->rested, 1), "doorbell");
    b->bell_start = must(sys_doorbell_create(b->start, 1), "doorbell");
    const struct spawn_handle handles[] = {{"wait", b->start, 0},
                                           {"ring", b->bell_rested, 0},
                                           {"memory", b->memory, 0}};
    b->pid = peer_start("burn", handles, 3, priority);
    must(sys_notification_wait(b->rested, 1, DEADLINE_NEVER), "wait");
}

void burner_close(struct burner *b)
{
    peer_end(b->pid);
    peer_unmap(b->loss);
    sys_handle_close(b->bell_start);
    sys_handle_close(b->bell_rested);
    sys_handle_close(b->start);
    sys_handle_close(b->rested);
    sys_handle_close(b->memory);
}

void burner_run(struct burner *b)
{
    must(sys_doorbell_ring(b->bell_start), "ring");
}

uint64_t burner_wait(struct burner *b)
{
    must(sys_notification_wait(b->rested, 1, DEADLINE_NEVER), "wait");
    return *b->loss;
}
