/*
 * init: the first process. Name server and supervisor in one thread that
 * waits at one notification for both, so that it never waits for a service:
 * a driver that hangs or dies cannot take init with it.
 */
#include <string.h>
#include <uinta/ipc.h>
#include <uinta/process.h>
#include "boot.h"
#include "gen/name_server.h"
#include "services.h"

/* Badges of the endpoint "name". */
enum { BADGE_CLIENT = 1, BADGE_MACHINE = 2 };

enum { PUBLISHED_MAX = 16, WAITERS_MAX = 16 };

/* Names that are not services of the table: programs publish them. */
static struct {
    uint64_t name[2];
    handle_t service;
} published[PUBLISHED_MAX];
static int published_count;

/* Callers of lookup(wait) whose name nobody has published yet. */
static struct {
    uint64_t name[2], token;
} waiters[WAITERS_MAX];
static int waiter_count;

static bool same(const uint64_t a[2], const uint64_t b[2])
{
    return a[0] == b[0] && a[1] == b[1];
}

static int64_t lookup(void *context, struct message *call,
                      const uint64_t name[2], uint64_t wait, handle_t *service)
{
    (void)context;
    handle_t endpoint = services_endpoint(name);
    for (int i = 0; !endpoint && i < published_count; i++)
        if (same(published[i].name, name))
            endpoint = published[i].service;
    if (!endpoint && wait && waiter_count < WAITERS_MAX) {
        memcpy(waiters[waiter_count].name, name, sizeof(uint64_t[2]));
        waiters[waiter_count++].token = call->token;
        return IPC_LATER;
    }
    if (!endpoint)
        return wait ? E_LIMIT : E_NOENT;
    int64_t copy = sys_handle_dup(endpoint, R_CALL | R_DUP, 0);
    if (copy < 0)
        return copy;
    *service = copy;
    call->give = 1;
    return OK;
}

/* Those who waited for this name get it now. */
static void tell_waiters(const uint64_t name[2], handle_t service)
{
    for (int i = 0; i < waiter_count;) {
        if (!same(waiters[i].name, name)) {
            i++;
            continue;
        }
        struct message reply = {.token = waiters[i].token};
        reply.handle[0] = service;
        ipc_reply(&reply);
        waiters[i] = waiters[--waiter_count];
    }
}

static int64_t publish(void *context, struct message *call,
                       const uint64_t name[2], handle_t service)
{
    (void)context;
    (void)call;
    int i = 0;
    while (i < published_count && !same(published[i].name, name))
        i++;
    int64_t type = sys_handle_type(service);
    int64_t error = OK;
    if (services_endpoint(name))
        error = E_BUSY; /* the table's names are not to be had */
    else if (type < 0 || type >> 32 != OBJECT_ENDPOINT)
        error = E_TYPE;
    else if ((type & (R_CALL | R_DUP)) != (R_CALL | R_DUP))
        error = E_RIGHTS;
    else if (i == PUBLISHED_MAX)
        error = E_LIMIT;
    if (error) {
        if (service)
            sys_handle_close(service);
        return error;
    }
    if (i == published_count)
        published_count++;
    else
        sys_handle_close(published[i].service);
    memcpy(published[i].name, name, sizeof(uint64_t[2]));
    published[i].service = service;
    tell_waiters(name, service);
    return OK;
}

static int64_t status(void *context, struct message *call, uint64_t index,
                      uint64_t name[2], uint64_t *pid, uint64_t *state,
                      uint64_t *restarts)
{
    (void)context;
    (void)call;
    return services_status(index, name, pid, state, restarts);
}

static int64_t kill_service(void *context, struct message *call,
                            const uint64_t name[2])
{
    (void)context;
    return call->badge == BADGE_MACHINE ? services_kill(name) : E_RIGHTS;
}

static int64_t power(void *context, struct message *call, uint64_t kind,
                     uint64_t code)
{
    (void)context;
    return call->badge == BADGE_MACHINE ? boot_power(kind, code) : E_RIGHTS;
}

static void serve_names(handle_t endpoint)
{
    static const struct name_server functions = {
        .lookup = lookup,
        .publish = publish,
        .status = status,
        .kill = kill_service,
        .power = power,
    };
    struct message message;
    while (ipc_poll(endpoint, &message) >= 0) {
        if (!name_dispatch(&functions, NULL, &message))
            message_refuse(&message, E_NOSYS);
        if (message.word[0] != (uint64_t)IPC_LATER)
            ipc_reply(&message);
    }
}

static handle_t must(int64_t handle)
{
    if (handle < 0)
        boot_fail("cannot set up: %s", error_text(handle));
    return handle;
}

int main(void)
{
    struct boot_options options;
    boot_init(&options);
    handle_t notification = must(sys_notification_create());
    handle_t endpoint = must(sys_endpoint_create());
    handle_t bell = must(sys_doorbell_create(notification, EVENT_NAME));
    must(sys_endpoint_bind(endpoint, bell));
    uint64_t rights = R_CALL | R_DUP;
    handle_t names = must(sys_handle_dup(endpoint, rights, BADGE_CLIENT));
    handle_t machine = must(sys_handle_dup(endpoint, rights, BADGE_MACHINE));
    services_start(&options, notification, names, machine);
    for (;;) {
        uint64_t due = services_supervise();
        int64_t happened = sys_notification_wait(
            notification, EVENT_NAME | EVENT_CHILD | EVENT_FAILED, due);
        if (happened > 0 && (happened & EVENT_NAME))
            serve_names(endpoint);
        if (happened > 0 && (happened & EVENT_FAILED))
            services_answer_failed();
    }
}
