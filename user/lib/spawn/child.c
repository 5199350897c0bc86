/*
 * The children nobody has waited for yet. One notification hears of all their
 * ends: a doorbell is left with the kernel for each child, but only when
 * somebody sleeps for it, since most children are asked about after their end.
 */
#include <errno.h>
#include <stdio.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <uinta/child.h>
#include <uinta/process.h>
#include <uinta/thread.h>
#include "abi/errors.h"
#include "gen/syscalls.h"
#include "user/lib/sys/internal.h"

enum { EVENT_ENDED = 1, EVENT_INTERRUPT = 2 };

static struct child {
    int pid; /* 0 = free */
    handle_t process;
    bool watched;
} children[CHILDREN_MAX];
static handle_t notification, ended, interrupt;
static struct mutex lock;

static struct child *find(int pid)
{
    for (int i = 0; i < CHILDREN_MAX; i++)
        if (children[i].pid == pid)
            return &children[i];
    return NULL;
}

int64_t child_add(int pid, handle_t process)
{
    mutex_lock(&lock);
    struct child *c = find(0);
    if (c)
        *c = (struct child){pid, process, false};
    mutex_unlock(&lock);
    return c ? OK : E_LIMIT;
}

void child_forget(int pid)
{
    mutex_lock(&lock);
    struct child *c = find(pid);
    if (c)
        c->pid = 0;
    mutex_unlock(&lock);
}

handle_t child_handle(int pid)
{
    struct child *c = pid > 0 ? find(pid) : NULL;
    return c ? c->process : 0;
}

int child_status(int pid, struct process_status *status)
{
    handle_t process = child_handle(pid);
    return process ? (int)sys_process_status(process, (uint64_t)status)
                   : E_NOENT;
}

/* The notification and the doorbell for ends, made by the first who sleeps. */
static int64_t prepare(void)
{
    if (!notification) {
        int64_t n = sys_notification_create();
        if (n < 0)
            return n;
        notification = (handle_t)n;
    }
    if (!ended) {
        int64_t d = sys_doorbell_create(notification, EVENT_ENDED);
        if (d < 0)
            return d;
        ended = (handle_t)d;
    }
    return OK;
}

int64_t child_doorbell(void)
{
    int64_t error = prepare();
    if (error < 0)
        return error;
    if (!interrupt) {
        int64_t d = sys_doorbell_create(notification, EVENT_INTERRUPT);
        if (d < 0)
            return d;
        interrupt = (handle_t)d;
    }
    return interrupt;
}

/*
 * Look at every child that is asked for. Returns the pid of one that has
 * ended (reaped), 0 if all run, E_NOENT if there is none. watch: leave the
 * doorbell with those that run.
 */
static int64_t look(int pid, bool watch, struct process_status *status)
{
    int64_t result = E_NOENT;
    for (int i = 0; i < CHILDREN_MAX; i++) {
        struct child *c = &children[i];
        if (c->pid == 0 || (pid > 0 && c->pid != pid))
            continue;
        int64_t error = sys_process_status(c->process, (uint64_t)status);
        if (error < 0)
            return error;
        if (status->reason != EXIT_RUNNING) {
            int ended_pid = c->pid;
            sys_handle_close(c->process);
            c->pid = 0;
            return ended_pid;
        }
        result = 0;
        if (watch && !c->watched) {
            error = sys_process_watch(c->process, ended);
            if (error < 0)
                return error;
            c->watched = true;
        }
    }
    return result;
}

/* The same, and sleeping: watch first, then look again, then sleep. */
static int64_t look_and_sleep(int pid, struct process_status *status)
{
    int64_t error = prepare();
    while (error >= 0) {
        int64_t found = look(pid, true, status);
        if (found)
            return found;
        int64_t events = sys_notification_wait(
            notification, EVENT_ENDED | EVENT_INTERRUPT, DEADLINE_NEVER);
        if (events >= 0 && (events & EVENT_INTERRUPT)) {
            found = look(pid, false, status);
            return found ? found : E_AGAIN;
        }
        error = events;
    }
    return error;
}

int64_t child_wait(int pid, int flags, struct process_status *status)
{
    if (pid == 0 || pid < -1)
        return E_UNSUPPORTED; /* there are no process groups */
    int64_t found = look(pid, false, status);
    if (found || (flags & WNOHANG))
        return found;
    return look_and_sleep(pid, status);
}

/* In newlib's encoding (<sys/wait.h>). A fault counts as SIGSEGV. */
static int wait_status(const struct process_status *status)
{
    enum { FAULT_SIGNAL = 11 };
    if (status->reason == EXIT_EXITED)
        return (status->code & 0xff) << 8;
    if (status->reason == EXIT_FAULT)
        return FAULT_SIGNAL;
    int signal = status->code & 0x7f;
    return signal == 0 || signal == 0x7f ? 9 : signal;
}

pid_t waitpid(pid_t pid, int *status, int flags)
{
    struct process_status end;
    int64_t found = child_wait(pid, flags, &end);
    if (found < 0) {
        errno = found == E_NOENT   ? ECHILD
                : found == E_AGAIN ? EINTR
                                   : error_to_errno(found);
        return -1;
    }
    if (found > 0 && status)
        *status = wait_status(&end);
    return (pid_t)found;
}

pid_t wait(int *status)
{
    return waitpid(-1, status, 0);
}

pid_t _wait(int *status)
{
    return waitpid(-1, status, 0);
}

void child_describe(char *text, int size, const struct process_status *status)
{
    /* scause of exceptions that a program can cause [priv 4.1.8]. */
    static const char *const cause[16] = {
        [0] = "misaligned instruction",  [1] = "instruction access fault",
        [2] = "illegal instruction",     [3] = "breakpoint",
        [4] = "misaligned load",         [5] = "load access fault",
        [6] = "misaligned store",        [7] = "store access fault",
        [12] = "instruction page fault", [13] = "load page fault",
        [15] = "store page fault",
    };
    size_t n = (size_t)size;
    switch (status->reason) {
    case EXIT_RUNNING:
        snprintf(text, n, "running");
        return;
    case EXIT_EXITED:
        snprintf(text, n, "exited %d", (int)status->code);
        return;
    case EXIT_KILLED:
        snprintf(text, n, "killed %d", (int)status->code);
        return;
    }
    const char *what = status->cause < 16 ? cause[status->cause] : NULL;
    snprintf(text, n, "fault: %s at pc 0x%lx, address 0x%lx",
             what ? what : "exception", status->pc, status->address);
}
