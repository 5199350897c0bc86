/* Event words: ring, wait, poll. */
#include "kernel/notification.h"
#include "kernel/sched.h"
#include "kernel/uintr.h"

#define WAITABLE_BITS (~0UL >> 1) /* bit 63 is the sign of an error */

/* The waited-for bits, cleared in the word. */
static uint64_t take(struct notification *n, uint64_t mask)
{
    uint64_t bits = n->word & mask;

    n->word &= ~bits;
    return bits;
}

static void signal(struct notification *n, uint64_t bits)
{
    struct thread *t = n->waiter;

    n->word |= bits;
    if (t && (n->word & t->wait_mask))
        thread_wake(t, (int64_t)take(n, t->wait_mask));
    if (n->uthread && n->word)
        uintr_post(n->uthread, UIRQ_SOFT);
}

void doorbell_ring(struct doorbell *d)
{
    signal(d->notification, d->badge);
}

void doorbell_keep(struct doorbell **place, struct doorbell *d)
{
    if (d)
        object_get(&d->object);
    if (*place)
        object_put(&(*place)->object);
    *place = d;
}

void doorbell_hangup(struct object *object)
{
    struct doorbell *d = (struct doorbell *)object;

    signal(d->notification, d->badge | EVENT_PEER_CLOSED);
}

void doorbell_destroy(struct object *object)
{
    object_put(&((struct doorbell *)object)->notification->object);
}

void notification_destroy(struct object *object)
{
    struct notification *n = (struct notification *)object;

    if (n->waiter)
        thread_wake(n->waiter, E_BADHANDLE); /* a sibling closed it */
    if (n->uthread)
        n->uthread->uintr->notification = NULL;
}

int64_t sys_notification_create(void)
{
    return handle_publish(object_new(OBJECT_NOTIFICATION), R_WAIT | R_DUP);
}

int64_t sys_notification_wait(uint64_t h, uint64_t mask, uint64_t deadline)
{
    struct thread *t = current_thread();

    if (!h)
        return thread_sleep(THREAD_WAITING, deadline);
    HANDLE(struct notification, n, h, OBJECT_NOTIFICATION, R_WAIT);
    mask &= WAITABLE_BITS;
    if (!mask)
        return E_ARG;
    if (n->word & mask)
        return (int64_t)take(n, mask);
    if (n->waiter)
        return E_BUSY;
    TRY(thread_sleep(THREAD_WAITING, deadline));
    n->waiter = t;
    t->notification = n;
    t->wait_mask = mask;
    return OK;
}

int64_t sys_notification_poll(uint64_t h, uint64_t mask)
{
    HANDLE(struct notification, n, h, OBJECT_NOTIFICATION, R_WAIT);

    return (int64_t)take(n, mask & WAITABLE_BITS);
}

int64_t sys_doorbell_create(uint64_t h, uint64_t badge)
{
    HANDLE(struct notification, n, h, OBJECT_NOTIFICATION, R_WAIT);
    struct doorbell *d;

    if (badge == 0 || badge >> BADGE_BITS)
        return E_ARG;
    d = object_new(OBJECT_DOORBELL);
    if (d) {
        d->notification = n;
        d->badge = badge;
        object_get(&n->object);
    }
    return handle_publish(d, R_RING | R_DUP);
}

int64_t sys_doorbell_ring(uint64_t h)
{
    HANDLE(struct doorbell, d, h, OBJECT_DOORBELL, R_RING);

    doorbell_ring(d);
    /* nobody holds the notification: its process has ended */
    return d->notification->object.handles > 0 ? OK : E_DEAD;
}
