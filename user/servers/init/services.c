/*
 * The supervisor. A service that dies is started again after 50 ms, doubling
 * up to 2 s while it keeps dying, from the beginning once it has lived 10 s.
 * After 8 deaths in a row it is given up, and whoever calls it gets E_DEAD.
 * A shell that exits in order is replaced at once.
 */
#include "services.h"

#include <stdio.h>
#include <string.h>
#include <uinta/child.h>
#include <uinta/clock.h>
#include <uinta/fd.h>
#include <uinta/ipc.h>
#include <uinta/process.h>
#include <uinta/spawn.h>
#include "abi/layout.h"
#include "devices.h"

#define MS (1000UL * 1000)

enum { SERVICES_MAX = 12, FAILURES_MAX = 8, KILL_CODE = 9 };
static const uint64_t delay_first = 50 * MS, delay_most = 2000 * MS;
static const uint64_t long_life = 10000 * MS; /* ns */

/* What can be started, in this order. */
static const struct kind {
    const char *name, *program;
    const char *compatible; /* of its device; NULL: it has none */
    int priority;
    bool optional; /* nothing is missing if the archive has no such program */
    bool console;  /* only for the serial port that people sit at; else one
                      for each such device */
} kinds[] = {
    {"fs", "/server/fs", NULL, PRIORITY_SERVER, false, false},
    {"uart", "/server/uart", "ns16550a", PRIORITY_DRIVER, false, true},
    {"rtc", "/server/rtc", "google,goldfish-rtc", PRIORITY_DRIVER, true, false},
    {"console", "/server/console", NULL, PRIORITY_SERVER, false, false},
};

static const struct kind shell_kind = {"sh",           "/bin/sh", NULL,
                                       PRIORITY_SHELL, false,     false};
static const struct kind run_kind = {"run",          "/bin/run", NULL,
                                     PRIORITY_SHELL, false,      false};

static struct service {
    const struct kind *kind;
    const struct device_node *device; /* NULL: needs none */
    char name[NAME_SIZE + 1];
    handle_t endpoint; /* 0: the shell, which serves nobody */
    int pid;
    enum service_state state;
    unsigned restarts, failures; /* all deaths; those in a row */
    uint64_t started, due;       /* ticks */
} services[SERVICES_MAX];
static int service_count;

static const struct boot_options *options;
static handle_t events, child_bell, failed_bell, names_handle, machine_handle;

static handle_t must(int64_t handle, const char *what)
{
    if (handle < 0)
        boot_fail("%s: %s", what, error_text(handle));
    return handle;
}

static handle_t endpoint_of(const char *name)
{
    uint64_t packed[2];
    return name_pack(packed, name) == OK ? services_endpoint(packed) : 0;
}

static bool in_use(const struct device_node *device)
{
    for (int i = 0; i < service_count; i++)
        if (services[i].device == device)
            return true;
    return false;
}

/*
 * Tests and measurements are their own drivers: a program started by run=
 * gets what no service drives, as "mmioN" and "irqN" for source N. virtio
 * slots only if there is room: there are many, and most are empty.
 */
static size_t fill_devices(struct spawn_handle *h, size_t n, bool virtio)
{
    static char names[STARTUP_HANDLES_MAX][sizeof("mmio511")];
    const struct device_node *d;
    for (int i = 0; (d = device_nth(i)); i++) {
        if (!d->irq || in_use(d) || device_is(d, "virtio,mmio") != virtio ||
            n + 2 > STARTUP_HANDLES_MAX - 1)
            continue;
        snprintf(names[n], sizeof(names[n]), "mmio%u", d->source % 1000);
        snprintf(names[n + 1], sizeof(names[n]), "irq%u", d->source % 1000);
        h[n] = (struct spawn_handle){names[n], d->mmio, 0};
        h[n + 1] = (struct spawn_handle){names[n + 1], d->irq, 0};
        n += 2;
    }
    return n;
}

/* The handles that a service gets: its own, and no others. */
static size_t fill_handles(const struct service *s, struct spawn_handle *h)
{
    const struct bootinfo *info = startup_bootinfo();
    size_t n = 0;
    h[n++] = (struct spawn_handle){"name", names_handle, 0};
    if (s->endpoint) {
        h[n++] = (struct spawn_handle){"service", s->endpoint, 0};
        h[n++] = (struct spawn_handle){"log", info->system, R_WRITE};
    } else {
        h[n++] = (struct spawn_handle){"machine", machine_handle, 0};
        uint64_t rights = s->kind == &run_kind ? R_ALL : R_ALL & ~R_DEVICE;
        h[n++] = (struct spawn_handle){"system", info->system, rights};
    }
    if (s->kind == &run_kind) {
        n = fill_devices(h, n, false);
        n = fill_devices(h, n, true);
    }
    if (s->device) {
        h[n++] = (struct spawn_handle){"mmio", s->device->mmio, 0};
        if (s->device->irq)
            h[n++] = (struct spawn_handle){"irq", s->device->irq, 0};
    }
    if (!strcmp(s->name, "fs"))
        h[n++] = (struct spawn_handle){"archive", info->archive, 0};
    if (!strcmp(s->name, "console"))
        h[n++] =
            (struct spawn_handle){"uart", endpoint_of("uart"), R_CALL | R_DUP};
    return n;
}

/* Arguments: what a driver has to know of its device (servers/device.h). */
static void fill_arguments(const struct service *s, char *argv[],
                           char text[][32])
{
    int n = 0;
    argv[n++] = (char *)s->kind->program;
    if (s->kind == &run_kind) {
        argv[n++] = "--halt";
        for (int i = 0; i < RUN_ARGS_MAX && options->run[i]; i++)
            argv[n++] = options->run[i];
    }
    if (s->device) {
        const struct device_node *d = s->device;
        const uint64_t values[] = {d->base % PAGE_SIZE, d->reg_shift, d->source,
                                   d->clock};
        static const char *const keys[] = {"offset", "reg_shift", "source",
                                           "clock"};
        for (int i = 0; i < 4; i++) {
            snprintf(text[n], sizeof(text[n]), "%s=%lu", keys[i], values[i]);
            argv[n] = text[n], n++;
        }
        argv[n++] = options->notify ? "delivery=notify" : "delivery=uintr";
    }
    argv[n] = NULL;
}

static int64_t spawn(struct service *s)
{
    static char *const no_environment[] = {NULL};
    struct spawn_handle handles[STARTUP_HANDLES_MAX];
    char *argv[RUN_ARGS_MAX + 8], text[RUN_ARGS_MAX + 8][32];
    uint64_t offset, size;
    if (!boot_find(s->kind->program, &offset, &size))
        return E_NOENT;
    fill_arguments(s, argv, text);
    char *const *environment = s->endpoint ? no_environment : boot_notice;
    const struct spawn_options o = {
        .priority = s->kind->priority,
        /* Tests and measurements set the priorities of their own threads. */
        .max_priority = s->endpoint ? 0 : PRIORITIES - 1,
        .handles = handles,
        .handle_count = fill_handles(s, handles),
        .no_fds = s->endpoint != 0, /* only the shell talks to people */
        .no_names = 1,
    };
    return spawn_from_memory(s->name, startup_bootinfo()->archive, offset, size,
                             argv, environment, &o);
}

/* It died, or could not be started: when is it tried again? */
static void schedule(struct service *s, bool in_order)
{
    uint64_t now = clock_ticks();
    if (in_order || now - s->started > clock_ticks_from_ns(long_life))
        s->failures = 0;
    s->pid = 0;
    s->state = SERVICE_DOWN;
    s->due = now;
    if (in_order)
        return;
    if (++s->failures > FAILURES_MAX) {
        s->state = SERVICE_FAILED;
        boot_log("%s: died %u times in a row, given up", s->name, s->failures);
        if (s->kind == &shell_kind || s->kind == &run_kind)
            boot_fail("without a shell there is nothing left to do");
        sys_endpoint_bind(s->endpoint, failed_bell);
        services_answer_failed();
        return;
    }
    uint64_t delay = delay_first << (s->failures - 1);
    s->due += clock_ticks_from_ns(delay < delay_most ? delay : delay_most);
}

static void start(struct service *s)
{
    s->started = clock_ticks();
    int64_t pid = spawn(s);
    if (pid < 0) {
        boot_log("%s: cannot start %s: %s (%s)", s->name, s->kind->program,
                 error_text(pid), spawn_reason());
        schedule(s, false);
        return;
    }
    s->pid = pid;
    s->state = SERVICE_RUNNING;
    sys_process_watch(child_handle(pid), child_bell);
}

static void add(const struct kind *kind, const struct device_node *device,
                int instance)
{
    if (service_count == SERVICES_MAX) {
        boot_log("more than %d services: no room for %s", SERVICES_MAX,
                 kind->name);
        return;
    }
    uint64_t offset, size;
    if (!boot_find(kind->program, &offset, &size)) {
        if (!kind->optional)
            boot_fail("%s is not in the boot archive", kind->program);
        return;
    }
    struct service *s = &services[service_count++];
    *s = (struct service){.kind = kind, .device = device};
    /* The first is "uart", then "uart1", "uart2". */
    snprintf(s->name, sizeof(s->name), instance ? "%s%d" : "%s", kind->name,
             instance);
    if (kind != &shell_kind && kind != &run_kind)
        s->endpoint = must(sys_endpoint_create(), "endpoint");
}

static void make_table(void)
{
    for (const struct kind *k = kinds;
         k < kinds + sizeof(kinds) / sizeof(kinds[0]); k++) {
        if (k->optional && options->run[0])
            continue; /* its device is the program's, see fill_devices */
        if (!k->compatible)
            add(k, NULL, 0);
        if (k->console)
            add(k, options->console, 0);
        const struct device_node *d;
        for (int i = 0; k->compatible && !k->console &&
                        (d = device_find(k->compatible, i));
             i++)
            add(k, d, i);
    }
    add(options->run[0] ? &run_kind : &shell_kind, NULL, 0);
}

void services_start(const struct boot_options *given, handle_t notification,
                    handle_t names, handle_t machine)
{
    options = given;
    events = notification;
    names_handle = names;
    machine_handle = machine;
    child_bell = must(sys_doorbell_create(events, EVENT_CHILD), "doorbell");
    failed_bell = must(sys_doorbell_create(events, EVENT_FAILED), "doorbell");
    make_table();
    /* The shell inherits these; they connect when somebody uses them. */
    for (int fd = 0; fd < 3; fd++)
        must(fd_stream(endpoint_of("console"), fd), "console");
    for (int i = 0; i < service_count; i++)
        start(&services[i]);
}

static void bury(struct service *s)
{
    struct process_status status;
    if (child_wait(s->pid, 1, &status) != s->pid)
        return;
    char how[80];
    child_describe(how, sizeof(how), &status);
    bool shell = s->kind == &shell_kind;
    bool in_order = shell && status.reason == EXIT_EXITED;
    if (!in_order)
        boot_log("%s (pid %d): %s", s->name, s->pid, how);
    s->restarts++;
    schedule(s, in_order);
}

uint64_t services_supervise(void)
{
    uint64_t next = DEADLINE_NEVER;
    for (struct service *s = services; s < services + service_count; s++) {
        if (s->state == SERVICE_RUNNING)
            bury(s);
        if (s->state == SERVICE_DOWN && s->due <= clock_ticks())
            start(s);
        if (s->state == SERVICE_DOWN && s->due < next)
            next = s->due;
    }
    return next;
}

void services_answer_failed(void)
{
    struct message message;
    for (struct service *s = services; s < services + service_count; s++)
        while (s->state == SERVICE_FAILED && s->endpoint &&
               ipc_poll(s->endpoint, &message) >= 0) {
            message_refuse(&message, E_DEAD);
            ipc_reply(&message);
        }
}

static struct service *find(const uint64_t name[2])
{
    char text[NAME_SIZE + 1];
    name_unpack(text, name);
    for (struct service *s = services; s < services + service_count; s++)
        if (!strcmp(s->name, text))
            return s;
    return NULL;
}

handle_t services_endpoint(const uint64_t name[2])
{
    struct service *s = find(name);
    return s ? s->endpoint : 0;
}

int64_t services_status(uint64_t index, uint64_t name[2], uint64_t *pid,
                        uint64_t *state, uint64_t *restarts)
{
    if (index >= (uint64_t)service_count)
        return E_NOENT;
    struct service *s = &services[index];
    name_pack(name, s->name);
    *pid = s->pid;
    *state = s->state;
    *restarts = s->restarts;
    return OK;
}

int64_t services_kill(const uint64_t name[2])
{
    struct service *s = find(name);
    if (!s)
        return E_NOENT;
    if (s->state != SERVICE_RUNNING)
        return E_STATE;
    return sys_process_kill(child_handle(s->pid), KILL_CODE);
}
