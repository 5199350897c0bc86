/*
 * POSIX's calls on descriptors: find the description, let its kind do it,
 * turn the error into errno.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>
#include <uinta/file.h>
#include <uinta/process.h>
#include "user/lib/fd/internal.h"
#include "user/lib/fd/table.h"

/* A kind without such a function: errno EINVAL, as POSIX has it. */
enum { CANNOT = E_ARG };

static int64_t fail(int64_t result)
{
    if (result == E_RANGE)
        errno = ENAMETOOLONG;
    else
        error_set(result);
    return -1;
}

static int64_t done(struct file *f, int64_t result)
{
    file_put(f);
    return result < 0 ? error_set(result) : result;
}

ssize_t _read(int fd, void *to, size_t n)
{
    struct file *f = fd_get(fd);
    if (!f)
        return error_set(E_BADHANDLE);
    if (n == 0)
        return done(f, 0);
    return done(f, f->kind->read ? f->kind->read(f, to, n) : CANNOT);
}

ssize_t _write(int fd, const void *from, size_t n)
{
    struct file *f = fd_get(fd);
    if (!f)
        return error_set(E_BADHANDLE);
    if (n == 0)
        return done(f, 0);
    return done(f, f->kind->write ? f->kind->write(f, from, n) : CANNOT);
}

off_t _lseek(int fd, off_t offset, int whence)
{
    struct file *f = fd_get(fd);
    if (!f)
        return error_set(E_BADHANDLE);
    if (!f->kind->seek) {
        file_put(f);
        errno = ESPIPE;
        return -1;
    }
    return done(f, f->kind->seek(f, offset, whence));
}

int _close(int fd)
{
    int64_t error = fd_remove(fd);
    return error < 0 ? (int)error_set(error) : 0;
}

int _fstat(int fd, struct stat *st)
{
    struct file *f = fd_get(fd);
    if (!f)
        return (int)error_set(E_BADHANDLE);
    memset(st, 0, sizeof(*st));
    st->st_nlink = 1;
    st->st_blksize = 1024; /* stdio's buffer: bytes */
    return (int)done(f, f->kind->stat(f, st));
}

int _isatty(int fd)
{
    struct file *f = fd_get(fd);
    if (!f)
        return (int)error_set(E_BADHANDLE) + 1;
    int tty = f->kind->kind == FD_STREAM;
    file_put(f);
    if (!tty)
        errno = ENOTTY;
    return tty;
}

int _open(const char *path, int flags, int mode)
{
    int64_t error = OK;
    (void)mode;
    struct file *f = file_open_path(path, flags, &error);
    if (!f)
        return (int)fail(error);
    int fd = fd_install(f, 0, flags & O_CLOEXEC);
    return fd < 0 ? (int)error_set(fd) : fd;
}

int dup(int fd)
{
    struct file *f = fd_get(fd);
    int copy = f ? fd_install(f, 0, false) : E_BADHANDLE;
    return copy < 0 ? (int)error_set(copy) : copy;
}

int dup2(int fd, int to)
{
    struct file *f = fd_get(fd);
    if (f && fd == to) {
        file_put(f);
        return to;
    }
    int copy = f ? fd_replace(to, f) : E_BADHANDLE;
    return copy < 0 ? (int)error_set(copy) : copy;
}

/* newlib's own fcntl() only says ENOSYS. */
int fcntl(int fd, int command, ...)
{
    va_list arguments;
    va_start(arguments, command);
    int argument = va_arg(arguments, int);
    va_end(arguments);
    struct file *f = fd_get(fd);
    int64_t result;
    if (!f)
        return (int)error_set(E_BADHANDLE);
    switch (command) {
    case F_DUPFD:
        result = argument < 0 ? E_ARG : fd_install(f, argument, false);
        return result < 0 ? (int)error_set(result) : (int)result;
    case F_GETFD:
        result = fd_close_on_spawn(fd, -1) ? FD_CLOEXEC : 0;
        break;
    case F_SETFD:
        result = fd_close_on_spawn(fd, argument & FD_CLOEXEC ? 1 : 0);
        result = result < 0 ? result : 0;
        break;
    case F_GETFL:
        result = f->flags;
        break;
    case F_SETFL:
        f->flags = (f->flags & O_ACCMODE) | (argument & O_NONBLOCK);
        result = 0;
        break;
    default:
        result = E_ARG;
    }
    return (int)done(f, result);
}

int64_t fd_stream(handle_t endpoint, int fd)
{
    handle_t handles[4] = {0};
    int64_t type = sys_handle_type(endpoint);
    if (type < 0)
        return type;
    if (type >> 32 != OBJECT_ENDPOINT)
        return E_TYPE;
    int64_t own = sys_handle_dup(endpoint, type & R_ALL & ~R_RECEIVE, 0);
    if (own < 0)
        return own;
    handles[0] = (handle_t)own;
    struct file *f = file_new(&file_kind_stream, O_RDWR, handles, NULL);
    if (!f)
        return E_NOMEM;
    return fd < 0 ? fd_install(f, 0, false) : fd_replace(fd, f);
}

int64_t fd_endpoint(int fd)
{
    struct file *f = fd_get(fd);
    if (!f)
        return E_BADHANDLE;
    int64_t endpoint = E_TYPE;
    if (f->kind->kind == FD_STREAM)
        endpoint = f->handles[0];
    file_put(f);
    return endpoint;
}
