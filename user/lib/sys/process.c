/*
 * The process calls of POSIX that make sense without fork, and those that do
 * not, which say so.
 */
#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>
#include <uinta/child.h>
#include <uinta/process.h>
#include "abi/errors.h"
#include "gen/syscalls.h"

pid_t _getpid(void)
{
    return (pid_t)startup_get()->pid;
}

/*
 * A signal is only ever an end: its number becomes the code of the kill.
 * Ourselves, our children, and with the handle "system" anyone.
 */
int _kill(int pid, int signal)
{
    if (signal < 0 || signal >= NSIG) {
        errno = EINVAL;
        return -1;
    }
    handle_t system = startup_handle("system");
    handle_t child = pid > 0 ? child_handle(pid) : 0;
    int self = pid == _getpid();
    if (pid <= 0 || (!self && !child && !system)) {
        errno = pid <= 0 ? ENOTSUP : ESRCH;
        return -1;
    }
    if (signal == 0)
        return 0;
    if (self)
        _exit(128 + signal); /* nobody has a handle to itself */
    int64_t error =
        child ? sys_process_kill(child, (uint64_t)signal)
              : sys_system_kill(system, (uint64_t)pid, (uint64_t)signal);
    if (error == E_NOENT || error == E_STATE || error == E_DEAD) {
        errno = ESRCH;
        return -1;
    }
    return error < 0 ? (int)error_set(error) : 0;
}

static int no_such_call(void)
{
    errno = ENOSYS;
    return -1;
}

/* There is no fork, and so no exec: docs/design/user.md says why. */
pid_t _fork(void)
{
    return no_such_call();
}

int _execve(const char *path, char *const argv[], char *const envp[])
{
    (void)path, (void)argv, (void)envp;
    return no_such_call();
}
