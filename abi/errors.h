/*
 * Every error a system call, a server or a ring can return: one negative
 * enum, each with a name and a sentence a person can read. X-macro so that
 * the enum, the names and the sentences cannot drift apart.
 */
#ifndef ABI_ERRORS_H
#define ABI_ERRORS_H

/* clang-format off */
#define ABI_ERRORS(X)                                                         \
    X(E_BADHANDLE,   -1, "no such handle")                                    \
    X(E_TYPE,        -2, "handle names an object of another type")            \
    X(E_RIGHTS,      -3, "handle lacks the right for this")                   \
    X(E_ARG,         -4, "invalid argument")                                  \
    X(E_ALIGN,       -5, "address, offset or size is not page-aligned")       \
    X(E_RANGE,       -6, "address, offset or size is out of range")           \
    X(E_NOMEM,       -7, "out of memory")                                     \
    X(E_LIMIT,       -8, "a table is full")                                   \
    X(E_BUSY,        -9, "already owned or in use")                           \
    X(E_AGAIN,      -10, "nothing there now, try again")                      \
    X(E_TIMEDOUT,   -11, "deadline passed")                                   \
    X(E_DEAD,       -12, "the other side is gone")                            \
    X(E_FAULT,      -13, "bad pointer")                                       \
    X(E_NOSYS,      -14, "no such system call or method")                     \
    X(E_STATE,      -15, "object is not in a state that allows this")         \
    X(E_OVERLAP,    -16, "range overlaps an existing mapping")                \
    X(E_UNSUPPORTED,-17, "not supported on this machine")                     \
    X(E_NOENT,      -18, "no such file or name")                              \
    X(E_FORMAT,     -19, "malformed file or image")                           \
    X(E_PROTOCOL,   -20, "peer broke the protocol")
/* clang-format on */

enum error {
    OK = 0,
#define X(name, value, text) name = value,
    ABI_ERRORS(X)
#undef X
};

#endif
