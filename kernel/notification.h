/*
 * Notifications (a 64-bit event word that one thread waits for) and doorbells
 * (what sets bits in it). Kernel lock held.
 */
#pragma once

#include "kernel/object.h"

struct thread;

struct notification {
    struct object object;
    uint64_t word;
    struct thread *waiter;  /* in THREAD_WAITING for it */
    struct thread *uthread; /* gets USIP when the word changes */
};

struct doorbell {
    struct object object;
    struct notification *notification;
    uint64_t badge;
};

void doorbell_ring(struct doorbell *d);
/* *place holds d from now on, in place of what it held; NULL: nothing. */
void doorbell_keep(struct doorbell **place, struct doorbell *d);
void doorbell_hangup(struct object *object);
void doorbell_destroy(struct object *object);
void notification_destroy(struct object *object);
