/*
 * Three tasks. `serve` looks after clients when they ring. `reading` and
 * `writing` depend on the mode:
 *   unbuffered  they give the device a ring of a client's to work on, and ring
 *               the client; the handler moves bytes between it and the FIFO
 *   buffered    the handler knows two rings of the driver's own; the tasks
 *               copy between these and the clients'
 * What handler and tasks share is touched with UIE clear.
 */
#include "tasks.h"

#include <uinta/async.h>
#include <uinta/clock.h>
#include <uinta/trace.h>
#include <uinta/uintr.h>
#include "clients.h"
#include "share.h"

enum { BUFFER = 4096, PIECE = 1024 }; /* bytes; copied at one go */

static struct uart *device;
static handle_t events_notification;
static bool buffered;
static struct async executor;

static struct way {
    struct task task;
    struct event event;
    uint32_t look;         /* something has changed: look at the clients */
    struct ring *ring_for; /* whoever waits for this ring is to be rung */
    struct ring_shared shared;
    unsigned char bytes[BUFFER];
    struct ring producer, consumer; /* buffered only */
} reading, writing;

/*
 * While the client sleeps for many bytes the buffer keeps those that come, or the
 * reading task would be woken for each 8 of them. But the client can wake up for
 * another reason, and want fewer: when this long has gone by the task looks.
 */
enum { LATE_NS = 10 * 1000 * 1000 };
static uint64_t late_at;         /* ticks; 0: the timer is not set for it */
static const uint64_t *watch_at; /* what else the timer is for */

static struct task serving;
static struct event bell_event;
static uint32_t bell;

static void look(struct way *w)
{
    w->look = true;
    async_wake(&w->event);
    uintr_woke();
}

static bool looks(struct way *w)
{
    return __atomic_exchange_n(&w->look, 0, __ATOMIC_ACQ_REL);
}

/* In the handler: what the device asks for is the tasks' affair. */

static struct ring *need_space(struct uart *u)
{
    (void)u;
    if (buffered && ring_available(&reading.producer, 1) > 0)
        return &reading.producer;
    look(&reading);
    return NULL;
}

static struct ring *need_bytes(struct uart *u)
{
    if (buffered) {
        u->turn = UINT32_MAX;
        if (ring_available(&writing.consumer, u->ahead + 1) > u->ahead)
            return &writing.consumer;
    }
    look(&writing);
    return NULL;
}

static void wake(struct uart *u, struct ring *ring)
{
    struct way *w = ring == u->in ? &reading : &writing;
    if (buffered)
        ring_should_ring(ring); /* clears the word: here it is a task's */
    else if (w->ring_for && w->ring_for != ring)
        clients_owner.wake(u, ring); /* the task has another one to ring */
    else
        w->ring_for = ring;
    look(w);
}

static const struct uart_owner owner = {need_space, need_bytes, wake};

/*
 * Ring whoever waits for what the handler moved. UIE clear: both would look at
 * the peer's index, and the older look would seem a step back.
 */
static void ring_client(struct way *w)
{
    uint64_t saved = uintr_save();
    if (w->ring_for)
        clients_owner.wake(device, w->ring_for);
    w->ring_for = NULL;
    uintr_restore(saved);
}

static void give_ring(struct way *w)
{
    uint64_t saved = uintr_save();
    if (w == &reading) {
        if (!device->in || ring_available(device->in, 1) <= 0)
            device->in = clients_owner.need_space(device);
        if (device->in)
            uart_kick_receive(device);
    } else if (!device->out || !device->turn ||
               ring_available(device->out, device->ahead + 1) <=
                   (int64_t)device->ahead) {
        struct ring *r = clients_owner.need_bytes(device);
        if (r ? r != device->out && !uart_let_go(device) : device->ahead)
            ; /* `out` keeps what is not confirmed */
        else if ((device->out = r))
            uart_kick_send(device);
    } else {
        uart_kick_send(device);
    }
    uintr_restore(saved);
}

static enum task_state work_unbuffered(struct task *t)
{
    struct way *w = task_of(t, struct way, task);
    task_begin(t);
    for (;;) {
        task_await(t, &w->event, looks(w));
        ring_client(w);
        give_ring(w);
    }
    task_end(t);
}

/*
 * What became of a piece. Why it did not move is decided once, where it is
 * tried, and that side is asked to ring: looking again afterwards could find
 * the other reason, and the task would sleep with nobody asked.
 */
enum outcome { MOVED, EMPTY, FULL };

static enum outcome copy(struct ring *from, struct ring *to, int64_t most)
{
    unsigned char *span;
    int64_t n = ring_span(from, &span);
    if (n <= 0)
        return EMPTY;
    n = ring_write(to, span, n < most ? n : most);
    if (n <= 0)
        return FULL;
    TRACE(TRACE_COPIED, to->own - n, n);
    ring_publish(from, n);
    return MOVED;
}

/* For how many bytes in the buffer the reading task is to be woken. */
static uint64_t piece_to_read(struct ring *r)
{
    uint64_t want = r ? ring_peer_wants(r) : 0;
    if (want <= 1)
        return 1;
    if (!late_at) {
        uint64_t late = clock_deadline(LATE_NS), watch = *watch_at;
        late_at = late;
        sys_uintr_timer(late < watch ? late : watch);
    }
    return want < BUFFER / 2 ? want : BUFFER / 2;
}

/*
 * What is in the buffer, to the client. True: once more; false: not before
 * somebody wakes us. need_space() has asked the client to ring if it said NULL.
 */
static bool read_piece(void)
{
    struct ring *r = clients_owner.need_space(device);
    enum outcome outcome = r ? copy(&reading.consumer, r, BUFFER) : FULL;
    if (outcome == FULL)
        return false;
    if (outcome == MOVED) {
        clients_owner.wake(device, r);
        uint64_t saved = uintr_save();
        uart_kick_receive(device);
        uintr_restore(saved);
    }
    return ring_arm_wake(&reading.consumer, piece_to_read(r));
}

static enum task_state read_buffered(struct task *t)
{
    task_begin(t);
    for (;;) {
        if (read_piece())
            task_yield(t); /* or a stream of bytes would keep it for ever */
        else
            task_await(t, &reading.event, looks(&reading));
    }
    task_end(t);
}

/*
 * need_bytes() has asked the clients to ring if it said NULL. No space for a whole
 * piece is none: who fills each 8 bytes that the device frees never sleeps.
 */
static enum outcome write_piece(void)
{
    if (ring_available(&writing.producer, PIECE) < PIECE)
        return FULL;
    struct ring *r =
        clients_next_sender(NULL, 0, false); /* a piece is a turn */
    enum outcome outcome = r ? copy(r, &writing.producer, PIECE) : EMPTY;
    if (outcome != MOVED)
        return outcome;
    clients_owner.wake(device, r);
    uint64_t saved = uintr_save();
    uart_kick_send(device);
    uintr_restore(saved);
    return MOVED;
}

static enum task_state write_buffered(struct task *t)
{
    task_begin(t);
    for (;;) {
        enum outcome outcome = write_piece();
        if (outcome == MOVED ||
            (outcome == FULL && ring_arm_wake(&writing.producer, BUFFER / 2)))
            task_yield(t);
        else
            task_await(t, &writing.event, looks(&writing));
    }
    task_end(t);
}

static enum task_state serve(struct task *t)
{
    task_begin(t);
    for (;;) {
        task_await(t, &bell_event,
                   __atomic_exchange_n(&bell, 0, __ATOMIC_ACQ_REL));
        int64_t events = sys_notification_poll(events_notification, ~0UL >> 1);
        if (events > 0) {
            uint64_t saved = uintr_save();
            clients_event(events);
            uintr_restore(saved);
        }
    }
    task_end(t);
}

void tasks_bell(void *unused)
{
    (void)unused;
    bell = true;
    async_wake(&bell_event);
    uintr_woke();
}

void tasks_late(void)
{
    if (late_at) {
        late_at = 0;
        look(&reading);
    }
}

void tasks_kick(struct uart *uart)
{
    (void)uart;
    look(&reading);
    look(&writing);
}

static void make_buffer(struct way *w)
{
    ring_init(&w->producer, RING_PRODUCER, &w->shared, w->bytes, BUFFER);
    ring_attach(&w->consumer, RING_CONSUMER, &w->shared, w->bytes, BUFFER);
}

void tasks_init(struct uart *uart, handle_t notification, const uint64_t *watch)
{
    watch_at = watch;
    device = uart;
    events_notification = notification;
    buffered = uart->config.mode == UART_ASYNC;
    uart->owner = &owner;
    make_buffer(&reading);
    make_buffer(&writing);
    async_start(&executor, &serving, serve);
    async_start(&executor, &reading.task,
                buffered ? read_buffered : work_unbuffered);
    async_start(&executor, &writing.task,
                buffered ? write_buffered : work_unbuffered);
}

void tasks_run(bool native)
{
    tasks_bell(NULL); /* clients that called before we were bound */
    for (;;) {
        uintr_enable();
        async_run(&executor);
        while (!native) {
            uintr_sleep_unless(&executor.ready);
            async_run(&executor);
            share_hart(false);
        }
        uintr_disable();
        while (!executor.ready) {
            uintr_pause();
            share_hart(true);
        }
    }
}
