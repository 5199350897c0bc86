/*
 * One table: a kernel error's name, its sentence, and the errno that POSIX
 * programs see for it.
 */
#include <errno.h>
#include <uinta/process.h>
#include "abi/errors.h"

static const struct {
    const char *name, *text;
} errors[] = {
#define ENTRY(name, value, text) [-(value)] = {#name, text},
    ABI_ERRORS(ENTRY)
#undef ENTRY
};

static const uint8_t errnos[] = {
    [-E_BADHANDLE] = EBADF, [-E_TYPE] = EINVAL,         [-E_RIGHTS] = EACCES,
    [-E_ARG] = EINVAL,      [-E_ALIGN] = EINVAL,        [-E_RANGE] = EINVAL,
    [-E_NOMEM] = ENOMEM,    [-E_LIMIT] = EMFILE,        [-E_BUSY] = EBUSY,
    [-E_AGAIN] = EAGAIN,    [-E_TIMEDOUT] = ETIMEDOUT,  [-E_DEAD] = EPIPE,
    [-E_FAULT] = EFAULT,    [-E_NOSYS] = ENOSYS,        [-E_STATE] = EINVAL,
    [-E_OVERLAP] = EEXIST,  [-E_UNSUPPORTED] = ENOTSUP, [-E_NOENT] = ENOENT,
    [-E_FORMAT] = ENOEXEC,  [-E_PROTOCOL] = EPROTO,
};

enum { ERRORS = sizeof(errors) / sizeof(errors[0]) };

_Static_assert(sizeof(errnos) == ERRORS, "every error has an errno");

static int known(int64_t error)
{
    return error < 0 && error > -ERRORS && errors[-error].name;
}

const char *error_text(int64_t error)
{
    if (error >= 0)
        return "no error";
    return known(error) ? errors[-error].text : "unknown error";
}

const char *error_name(int64_t error)
{
    if (error >= 0)
        return "OK";
    return known(error) ? errors[-error].name : "E_?";
}

int error_to_errno(int64_t error)
{
    if (error >= 0)
        return 0;
    return known(error) ? errnos[-error] : EIO;
}

int64_t error_set(int64_t error)
{
    errno = error_to_errno(error);
    return -1;
}
