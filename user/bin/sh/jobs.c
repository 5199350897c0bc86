/* Jobs: spawning the commands of a pipeline, waiting for them, ^C. */
#include "jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <uinta/child.h>
#include <uinta/console.h>
#include <uinta/fd.h>
#include <uinta/process.h>
#include <uinta/spawn.h>
#include "abi/info.h"
#include "gen/console_client.h"
#include "gen/syscalls.h"

enum { JOBS_MAX = 16, KILL_CODE = 9, PROCESSES_MAX = 256 };
enum { EVENT_ENDED = 1, EVENT_INTERRUPT = 2 };

struct job {
    int number; /* as people call it, 0 = free */
    uint64_t console_id;
    handle_t console;   /* endpoint of the console for this job */
    int count, left;    /* processes; those that have not ended */
    int pids[PIPE_MAX]; /* 0: has ended */
    char names[PIPE_MAX][NAME_SIZE];
    int status;       /* of the last command */
    bool interrupted; /* by ^C: how they end is no news */
};

static struct job jobs[JOBS_MAX];
static handle_t events, ended_bell, interrupt_bell;

/*
 * Programs that get more than the names of services, and with which rights.
 * Everything else has no business with the machine.
 */
static const struct {
    const char *program, *handle;
    uint32_t rights; /* 0 = all */
} privileges[] = {
    {"/bin/ps", "system", R_INSPECT},     {"/bin/irqs", "system", R_INSPECT},
    {"/bin/mem", "system", R_INSPECT},    {"/bin/uptime", "system", R_INSPECT},
    {"/bin/dmesg", "system", R_READ},     {"/bin/kill", "system", R_KILL},
    {"/bin/stress", "system", R_INSPECT}, {"/bin/halt", "machine", 0},
    {"/bin/run", "system", R_ALL},        {"/bin/run", "machine", 0},
    {"/bin/bench", "system", R_ALL},      {"/bin/bench", "machine", 0},
};

static size_t fill_handles(const char *path, struct spawn_handle *h)
{
    size_t n = 0;
    for (size_t i = 0; i < sizeof(privileges) / sizeof(privileges[0]); i++)
        if (!strcmp(path, privileges[i].program) &&
            startup_handle(privileges[i].handle)) {
            uint32_t rights = privileges[i].rights;
            if (rights && rights != R_ALL)
                rights |= R_DUP;
            h[n++] = (struct spawn_handle){privileges[i].handle,
                                           startup_handle(privileges[i].handle),
                                           rights == R_ALL ? 0 : rights};
        }
    return n;
}

/* Programs that measure or test may use any priority; the rest is normal. */
static int max_priority(const char *path)
{
    bool free = !strcmp(path, "/bin/run") || !strcmp(path, "/bin/bench");
    return free ? PRIORITIES - 1 : 0;
}

void jobs_take_console(void)
{
    uint64_t old;
    if (!events) {
        events = sys_notification_create();
        ended_bell = sys_doorbell_create(events, EVENT_ENDED);
        interrupt_bell = sys_doorbell_create(events, EVENT_INTERRUPT);
    }
    handle_t console = fd_endpoint(0);
    console_mode(console, CONSOLE_RAW, &old);
    console_interrupt(console, interrupt_bell);
    console_foreground(console, 0);
}

static struct job *new_job(void)
{
    for (int i = 0; i < JOBS_MAX; i++)
        if (jobs[i].number == 0) {
            jobs[i] = (struct job){.number = i + 1};
            return &jobs[i];
        }
    return NULL;
}

static void end_job(struct job *j)
{
    console_end_job(fd_endpoint(0), j->console_id);
    if (j->console)
        sys_handle_close(j->console);
    j->number = 0;
}

/* Not to be inherited: a child that kept a pipe's end would keep it open. */
static int private_fd(int fd)
{
    if (fd >= 0)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    return fd;
}

static int64_t spawn(const struct command *c, int in, int out, int err)
{
    struct spawn_handle handles[4];
    char path[PATH_SIZE + 1];
    snprintf(path, sizeof(path), strchr(c->argv[0], '/') ? "%s" : "/bin/%s",
             c->argv[0]);
    const struct spawn_action actions[] = {
        {.kind = SPAWN_DUP2, .fd = 0, .from = in},
        {.kind = SPAWN_DUP2, .fd = 1, .from = out},
        {.kind = SPAWN_DUP2, .fd = 2, .from = err},
    };
    const struct spawn_options options = {
        .handles = handles,
        .handle_count = fill_handles(path, handles),
        .actions = actions,
        .action_count = sizeof(actions) / sizeof(actions[0]),
        .max_priority = max_priority(path),
    };
    return spawn_program(path, c->argv, NULL, &options);
}

static const char *why_not(int64_t error)
{
    return error == E_NOENT    ? "no such command"
           : error == E_FORMAT ? spawn_reason()
                               : error_text(error);
}

/*
 * Starts the commands from left to right; `in` is what the next one reads.
 * Stops at one that cannot be started: those before it find their pipe closed.
 */
static void spawn_all(struct job *j, const struct pipeline *p, int terminal,
                      int in)
{
    for (int i = 0; i < p->count && in >= 0; i++) {
        const struct command *c = &p->commands[i];
        int ends[2] = {-1, -1};
        if (i + 1 == p->count)
            ends[1] = private_fd(dup(terminal));
        else if (pipe(ends) < 0)
            fprintf(stderr, "sh: pipe: %s\n", strerror(errno));
        private_fd(ends[0]);
        int64_t pid = spawn(c, in, private_fd(ends[1]), terminal);
        close(in);
        close(ends[1]);
        in = ends[0];
        if (pid < 0) {
            fprintf(stderr, "sh: %s: %s\n", c->argv[0], why_not(pid));
            j->status = STATUS_NO_COMMAND;
            break;
        }
        sys_process_watch(child_handle(pid), ended_bell);
        snprintf(j->names[j->count], NAME_SIZE, "%s", c->argv[0]);
        j->pids[j->count++] = pid;
        j->left++;
    }
    if (in >= 0)
        close(in);
}

/* Takes note of the processes of a job that have ended. */
static void reap(struct job *j)
{
    for (int i = 0; i < j->count; i++) {
        struct process_status end;
        if (j->pids[i] == 0 || child_wait(j->pids[i], 1, &end) != j->pids[i])
            continue;
        int status = end.reason == EXIT_EXITED   ? end.code
                     : end.reason == EXIT_KILLED ? STATUS_KILLED
                                                 : STATUS_FAULT;
        if (end.reason != EXIT_EXITED && !j->interrupted) {
            char how[96];
            child_describe(how, sizeof(how), &end);
            fprintf(stderr, "%s (pid %d): %s\n", j->names[i], j->pids[i], how);
        }
        if (i == j->count - 1 && j->status != STATUS_NO_COMMAND)
            j->status = status;
        j->pids[i] = 0;
        j->left--;
    }
}

static bool in_list(int pid, const int *list, int count)
{
    for (int i = 0; i < count; i++)
        if (list[i] && list[i] == pid)
            return true;
    return false;
}

/*
 * Kills the processes of a job and what they started: a list that grows by
 * the children of those in it until nothing is added.
 */
static void kill_job(const struct job *j)
{
    static int list[PROCESSES_MAX];
    handle_t system = startup_handle("system");
    int count = j->count, before;
    memcpy(list, j->pids, sizeof(j->pids));
    do {
        struct process_info p;
        before = count;
        for (int i = 0; sys_system_info(system, INFO_PROCESS, i, (uint64_t)&p,
                                        sizeof(p)) == 0;
             i++)
            if (count < PROCESSES_MAX && !in_list(p.pid, list, count) &&
                in_list(p.parent, list, count))
                list[count++] = p.pid;
    } while (count > before);
    for (int i = 0; i < count; i++)
        if (list[i])
            sys_system_kill(system, list[i], KILL_CODE);
}

static int wait_for(struct job *j)
{
    handle_t console = fd_endpoint(0);
    sys_notification_poll(events, EVENT_INTERRUPT); /* was for another job */
    console_foreground(console, j->console_id);
    for (reap(j); j->left > 0; reap(j)) {
        int64_t happened = sys_notification_wait(
            events, EVENT_ENDED | EVENT_INTERRUPT, DEADLINE_NEVER);
        if (happened > 0 && (happened & EVENT_INTERRUPT)) {
            j->interrupted = true;
            kill_job(j);
        }
    }
    console_foreground(console, 0);
    int status = j->status;
    end_job(j);
    return status;
}

int jobs_run(const struct pipeline *p)
{
    struct job *j = new_job();
    if (!j) {
        fprintf(stderr, "sh: too many jobs\n");
        return 1;
    }
    int64_t error = console_job(fd_endpoint(0), &j->console_id, &j->console);
    int terminal = error < 0 ? -1 : private_fd(fd_stream(j->console, -1));
    if (terminal < 0) {
        fprintf(stderr, "sh: console: %s\n",
                error_text(error < 0 ? error : terminal));
        j->number = 0;
        return 1;
    }
    const char *input = p->commands[0].input;
    int in = private_fd(input ? open(input, O_RDONLY) : dup(terminal));
    if (in < 0) {
        fprintf(stderr, "sh: %s: %s\n", input ? input : "console",
                strerror(errno));
        close(terminal);
        end_job(j);
        return 1;
    }
    spawn_all(j, p, terminal, in);
    close(terminal);
    if (p->background && j->left > 0) {
        printf("[%d] %d\n", j->number, j->pids[j->count - 1]);
        return 0;
    }
    return wait_for(j);
}

void jobs_report(void)
{
    for (struct job *j = jobs; j < jobs + JOBS_MAX; j++) {
        if (j->number == 0)
            continue;
        reap(j);
        if (j->left == 0) {
            printf("[%d] %s: done, %d\n", j->number, j->names[j->count - 1],
                   j->status);
            end_job(j);
        }
    }
}

int jobs_list(void)
{
    for (struct job *j = jobs; j < jobs + JOBS_MAX; j++)
        for (int i = 0; j->number && i < j->count; i++)
            if (j->pids[i])
                printf("[%d] %d %s\n", j->number, j->pids[i], j->names[i]);
    return 0;
}

int jobs_to_foreground(int number)
{
    for (struct job *j = jobs; j < jobs + JOBS_MAX; j++)
        if (j->number && (j->number == number || number == 0))
            return wait_for(j);
    fprintf(stderr, "fg: no such job\n");
    return 1;
}
