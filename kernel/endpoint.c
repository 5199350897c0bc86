/*
 * Call, receive, reply. Message words and handles are in the frames of the two
 * threads: a1 = packed handles, a2..a6 t0..t2 = words, t3 = token, t4 = badge.
 */
#include "kernel/endpoint.h"
#include "kernel/notification.h"
#include "kernel/sched.h"

enum { HANDLE_BITS = 16, HANDLE_MASK = 0xffff };

static uint64_t sequence; /* of calls: no token is ever used again */

static uint64_t packed(uint64_t handles, int i)
{
    return handles >> (i * HANDLE_BITS) & HANDLE_MASK;
}

/* May p send these? Each must exist and be duplicable. */
static int64_t check_handles(struct process *p, uint64_t handles)
{
    for (int i = 0; i < MESSAGE_HANDLES; i++) {
        struct handle *e = handle_find(&p->table, packed(handles, i));

        if (packed(handles, i) && !e)
            return E_BADHANDLE;
        if (e && !(e->rights & R_DUP))
            return E_RIGHTS;
    }
    return OK;
}

/* Duplicate handles from one process to another; all of them or none. */
static int64_t pass_handles(struct process *from, struct process *to,
                            uint64_t handles, uint64_t *result)
{
    *result = 0;
    if (!handles)
        return OK;
    TRY(check_handles(from, handles));
    TRY(handle_reserve(&to->table, MESSAGE_HANDLES));
    for (int i = 0; i < MESSAGE_HANDLES; i++) {
        struct handle *e = handle_find(&from->table, packed(handles, i));

        if (e)
            *result |=
                (uint64_t)handle_add(&to->table, e->object, e->rights, e->badge)
                << (i * HANDLE_BITS);
    }
    return OK;
}

static inline void copy_words(struct thread *from, struct thread *to)
{
    for (int i = 0; i < 5; i++)
        to->x[X_A2 + i] = from->x[X_A2 + i];
    for (int i = 0; i < 3; i++)
        to->x[X_T0 + i] = from->x[X_T0 + i];
}

/*
 * Hand caller's message to receiver; both frames are ready, neither thread is
 * queued. The caller waits for its reply after this.
 */
static inline int64_t deliver(struct thread *caller, struct thread *receiver,
                              uint64_t handles, uint64_t badge)
{
    uint64_t passed = 0;

    if (handles) /* spares the common case the call */
        TRY(pass_handles(caller->process, receiver->process, handles, &passed));
    copy_words(caller, receiver);
    caller->token = ++sequence << 16 | caller->token % THREAD_SLOTS;
    caller->server = receiver->process;
    receiver->x[X_A0] = OK;
    receiver->x[X_A1] = passed;
    receiver->x[X_T3] = caller->token;
    receiver->x[X_T4] = badge;
    return OK;
}

/*
 * The two calls that clients and servers make all day have a path that calls
 * nothing, needs no stack, and hands the hart over; all else is their slow
 * half.
 */
/* The current thread is blocked: r goes on here, or wherever it can. */
static void run(struct thread *r)
{
    if (sched_may_switch(r))
        sched_switch(r);
    else
        sched_ready(r);
}

static COLD int64_t call_slow(uint64_t h, uint64_t handles)
{
    HANDLE(struct endpoint, ep, h, OBJECT_ENDPOINT, R_CALL);
    struct thread *t = current_thread();
    uint64_t badge = handle_find(&t->process->table, h)->badge;

    struct thread *r = list_first(&ep->receivers_waiting, struct thread, queue);

    if (ep->receivers == 0)
        return E_DEAD;
    TRY(check_handles(t->process, handles));
    if (!list_empty(&ep->receivers_waiting)) {
        TRY(deliver(t, r, handles, badge));
        list_remove(&r->queue);
        thread_block(THREAD_REPLY);
        run(r);
        return OK;
    }
    t->badge = badge;
    t->send_handles = handles;
    list_push(&ep->callers, &t->queue);
    thread_block(THREAD_CALLING);
    if (ep->bell)
        doorbell_ring(ep->bell);
    return OK;
}

HOT int64_t sys_ipc_call(uint64_t h, uint64_t handles)
{
    struct thread *t = current_thread(), *r;
    struct handle *e = handle_find(&t->process->table, h);
    struct endpoint *ep;

    if (handles || !e || e->object->type != OBJECT_ENDPOINT ||
        !(e->rights & R_CALL))
        return call_slow(h, handles);
    ep = (struct endpoint *)e->object;
    r = list_first(&ep->receivers_waiting, struct thread, queue);
    if (list_empty(&ep->receivers_waiting) || !sched_may_switch(r))
        return call_slow(h, handles);
    deliver(t, r, 0, e->badge);
    list_remove(&r->queue);
    thread_block(THREAD_REPLY);
    sched_switch(r);
    return OK;
}

/* The oldest caller's message into t's frame; E_AGAIN if there is none. */
static int64_t take_caller(struct endpoint *ep, struct thread *t)
{
    while (!list_empty(&ep->callers)) {
        struct thread *caller = list_first(&ep->callers, struct thread, queue);
        int64_t error = deliver(caller, t, caller->send_handles, caller->badge);

        if (error) { /* its fault or our full table: it learns which */
            thread_wake(caller, error);
            continue;
        }
        list_remove(&caller->queue);
        caller->state = THREAD_REPLY;
        t->reload = 1;
        return OK;
    }
    return E_AGAIN;
}

static inline void wait_at(struct endpoint *ep)
{
    struct thread *t = current_thread();

    list_push(&ep->receivers_waiting, &t->queue);
    thread_block(THREAD_RECEIVING);
}

int64_t sys_ipc_receive(uint64_t h)
{
    HANDLE(struct endpoint, ep, h, OBJECT_ENDPOINT, R_RECEIVE);

    if (take_caller(ep, current_thread()) != OK)
        wait_at(ep);
    return OK;
}

int64_t sys_ipc_poll(uint64_t h)
{
    HANDLE(struct endpoint, ep, h, OBJECT_ENDPOINT, R_RECEIVE);

    return take_caller(ep, current_thread());
}

/* The waiting caller gets the reply in t's frame; not yet queued to run. */
static int64_t reply(struct thread *t, uint64_t token, uint64_t handles,
                     struct thread **caller)
{
    struct thread *c = thread_by_token(token, t->process);

    if (!c)
        return E_ARG;
    TRY(pass_handles(t->process, c->process, handles, &c->x[X_A1]));
    copy_words(t, c);
    c->x[X_A0] = OK;
    c->server = NULL;
    *caller = c;
    return OK;
}

int64_t sys_ipc_reply(uint64_t token, uint64_t handles)
{
    struct thread *caller;

    TRY(reply(current_thread(), token, handles, &caller));
    sched_ready(caller);
    return OK;
}

static COLD int64_t reply_receive_slow(uint64_t token, uint64_t handles)
{
    struct thread *t = current_thread(), *caller;
    HANDLE(struct endpoint, ep, t->x[X_T3], OBJECT_ENDPOINT, R_RECEIVE);

    TRY(reply(t, token, handles, &caller));
    if (take_caller(ep, t) == OK) {
        sched_ready(caller);
        return OK;
    }
    wait_at(ep);
    run(caller);
    return OK;
}

/* a2 holds a word: the endpoint comes in t3, not in the third argument */
HOT int64_t sys_ipc_reply_receive(uint64_t token, uint64_t handles,
                                  uint64_t word)
{
    struct thread *t = current_thread();
    struct thread *caller = thread_by_token(token, t->process);
    struct handle *e = handle_find(&t->process->table, t->x[X_T3]);
    struct endpoint *ep;

    (void)word;
    if (handles || !caller || !e || e->object->type != OBJECT_ENDPOINT ||
        !(e->rights & R_RECEIVE))
        return reply_receive_slow(token, handles);
    ep = (struct endpoint *)e->object;
    if (!list_empty(&ep->callers) || !sched_may_switch(caller))
        return reply_receive_slow(token, handles);
    copy_words(t, caller);
    caller->x[X_A0] = OK;
    caller->x[X_A1] = 0;
    wait_at(ep);
    sched_switch(caller);
    return OK;
}

int64_t sys_endpoint_create(void)
{
    struct endpoint *ep = object_new(OBJECT_ENDPOINT);

    if (ep) {
        list_init(&ep->callers);
        list_init(&ep->receivers_waiting);
    }
    return handle_publish(ep, R_CALL | R_RECEIVE | R_DUP);
}

int64_t sys_endpoint_bind(uint64_t h, uint64_t hd)
{
    HANDLE(struct endpoint, ep, h, OBJECT_ENDPOINT, R_RECEIVE);

    if (!hd) {
        doorbell_keep(&ep->bell, NULL);
        return OK;
    }
    HANDLE(struct doorbell, bell, hd, OBJECT_DOORBELL, R_RING);
    doorbell_keep(&ep->bell, bell);
    if (!list_empty(&ep->callers))
        doorbell_ring(bell);
    return OK;
}

/* With no receiver left nobody will ever answer those who queue. */
void endpoint_closed(struct object *object, uint32_t rights)
{
    struct endpoint *ep = (struct endpoint *)object;

    if (!(rights & R_RECEIVE) || --ep->receivers > 0)
        return;
    list_each_entry(struct thread, t, &ep->callers, queue)
        thread_wake(t, E_DEAD);
    list_each_entry(struct thread, t, &ep->receivers_waiting, queue)
        thread_wake(t, E_BADHANDLE);
}

void endpoint_destroy(struct object *object)
{
    doorbell_keep(&((struct endpoint *)object)->bell, NULL);
}

void endpoint_server_died(struct process *p)
{
    list_each_entry(struct thread, t, &all_threads, of_all) {
        if (t->state == THREAD_REPLY && t->server == p)
            thread_wake(t, E_DEAD);
    }
}
