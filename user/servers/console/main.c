/*
 * The console server: one thread that waits for everything at once. Streams
 * and the control interface come in through one endpoint, which init keeps
 * while this process is replaced.
 */
#include <uinta/clock.h>
#include <uinta/console.h>
#include <uinta/ipc.h>
#include <uinta/log.h>
#include <uinta/process.h>
#include "gen/console_server.h"
#include "gen/stream_server.h"
#include "jobs.h"
#include "ldisc.h"
#include "screen.h"

static_assert((int)CONSOLE_COOKED == (int)LDISC_COOKED &&
                  (int)CONSOLE_RAW == (int)LDISC_RAW,
              "console_mode is ldisc_mode");

enum { DRAINS_MAX = 8 };

static handle_t service;
/* Callers of drain() that wait for their answer. */
static struct {
    uint64_t token, job;
} drains[DRAINS_MAX];
static int drain_count;

static void use_foreground(void)
{
    struct job *job = job_find(job_foreground());
    if (job)
        screen_mode(job->mode);
}

static int64_t connect(void *context, struct message *call, uint64_t flags,
                       handle_t memory, handle_t bell, handle_t life,
                       uint64_t *answer, handle_t *peer_bell,
                       handle_t *peer_life, handle_t *session)
{
    (void)context;
    (void)flags;
    struct stream_offer offer = {memory, bell, life}, reply;
    if (!job_find(call->badge)) {
        message_close(call, 0);
        return E_LIMIT;
    }
    int64_t error = screen_accept(call->badge, &offer, &reply);
    if (error < 0)
        return error;
    *answer = STREAM_ON_DEMAND;
    *peer_bell = reply.bell;
    *peer_life = reply.life;
    *session = 0;
    call->give = 3;
    return OK;
}

static int64_t set_mode(void *context, struct message *call, uint64_t mode,
                        uint64_t *old)
{
    (void)context;
    struct job *job = job_find(call->badge);
    if (mode != CONSOLE_COOKED && mode != CONSOLE_RAW)
        return E_ARG;
    if (!job)
        return E_LIMIT;
    *old = job->mode;
    job->mode = mode;
    use_foreground();
    return OK;
}

static int64_t set_interrupt(void *context, struct message *call,
                             handle_t doorbell)
{
    (void)context;
    struct job *job = job_find(call->badge);
    if (!job)
        return E_LIMIT;
    if (job->interrupt)
        sys_handle_close(job->interrupt);
    job->interrupt = doorbell;
    return OK;
}

static int64_t make_job(void *context, struct message *call, uint64_t *id,
                        handle_t *console)
{
    (void)context;
    struct job *job = job_create(call->badge);
    if (!job)
        return E_LIMIT;
    int64_t handle = sys_handle_dup(service, R_CALL | R_DUP, job->id);
    if (handle < 0) {
        job_end(job);
        return handle;
    }
    *id = job->id;
    *console = handle;
    call->give = 1;
    return OK;
}

static int64_t set_foreground(void *context, struct message *call, uint64_t id)
{
    (void)context;
    if (id == JOB_ROOT)
        id = call->badge;
    if (!job_descends(id, call->badge))
        return E_RIGHTS;
    job_set_foreground(id);
    use_foreground();
    return OK;
}

static int64_t end_job(void *context, struct message *call, uint64_t id)
{
    (void)context;
    if (id == call->badge || !job_descends(id, call->badge))
        return E_RIGHTS;
    struct job *job = job_find(id);
    if (job)
        job_end(job);
    use_foreground();
    return OK;
}

static int64_t drain(void *context, struct message *call)
{
    (void)context;
    if (drain_count == DRAINS_MAX)
        return E_LIMIT;
    drains[drain_count].token = call->token;
    drains[drain_count++].job = call->badge;
    return IPC_LATER;
}

static const struct stream_server stream_functions = {.connect = connect};
static const struct console_server console_functions = {
    .mode = set_mode,
    .interrupt = set_interrupt,
    .job = make_job,
    .foreground = set_foreground,
    .end_job = end_job,
    .drain = drain,
};

static void serve(void)
{
    struct message message;
    while (ipc_poll(service, &message) >= 0) {
        if (!stream_dispatch(&stream_functions, NULL, &message) &&
            !console_dispatch(&console_functions, NULL, &message))
            message_refuse(&message, E_NOSYS);
        if (message.word[0] != (uint64_t)IPC_LATER)
            ipc_reply(&message);
    }
}

static void answer_drained(void)
{
    for (int i = 0; i < drain_count;) {
        if (!screen_drained(drains[i].job)) {
            i++;
            continue;
        }
        struct message reply = {.token = drains[i].token};
        ipc_reply(&reply);
        drains[i] = drains[--drain_count];
    }
}

static void check(int64_t result, const char *what)
{
    if (result < 0)
        log_fail(1, "console: %s: %s", what, error_text(result));
}

int main(void)
{
    service = startup_handle("service");
    int64_t notification = sys_notification_create();
    check(notification, "notification");
    /* New ids must not be those of the console before this one. */
    jobs_init(clock_ticks());
    check(screen_init(startup_handle("uart"), notification), "uart");
    int64_t bell = sys_doorbell_create(notification, EVENT_SERVICE);
    check(bell, "doorbell");
    check(sys_endpoint_bind(service, bell), "service");
    for (bool again = true;;) {
        int64_t events = again ? sys_notification_poll(notification, ~0UL >> 1)
                               : sys_notification_wait(notification, ~0UL >> 1,
                                                       DEADLINE_NEVER);
        check(events, "wait");
        screen_event(events);
        if (events & EVENT_SERVICE)
            serve();
        again = screen_move(drain_count > 0);
        use_foreground(); /* a job may have ended with its streams */
        answer_drained();
    }
}
