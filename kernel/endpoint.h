/*
 * Endpoints: synchronous call and reply (docs/abi.md, Messages). A call that
 * finds a receiver waiting runs it at once on this hart. Kernel lock held.
 */
#pragma once

#include "kernel/object.h"

struct endpoint {
    struct object object;
    struct list callers;           /* threads in THREAD_CALLING, oldest first */
    struct list receivers_waiting; /* threads in THREAD_RECEIVING */
    uint32_t receivers;            /* handles with R_RECEIVE */
    struct doorbell *bell;         /* rung when a caller has to queue */
};

void endpoint_closed(struct object *object, uint32_t rights);
void endpoint_destroy(struct object *object);

/* Whoever waits for a reply from p gets E_DEAD. */
void endpoint_server_died(struct process *p);
