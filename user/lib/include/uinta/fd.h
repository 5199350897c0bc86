/*
 * File descriptors: what open, read, write, dup2 and pipe work on. A table of
 * numbers, each naming an open description (shared after dup) of one kind.
 * Everything is lazy: inherited descriptors are looked at when the first one
 * is used, a stream connects at its first byte.
 */
#ifndef UINTA_FD_H
#define UINTA_FD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "abi/object.h"

enum { FDS_MAX = 32 }; /* a spawn passes on up to STARTUP_FDS_MAX */

/* Kinds, as in struct startup_fd.kind. */
enum fd_kind {
    FD_NONE,
    FD_STREAM,     /* handles: endpoint that speaks interface stream */
    FD_PIPE_READ,  /* handles: memory, notification, writer's doorbell */
    FD_PIPE_WRITE, /* handles: memory, notification, reader's doorbell */
    FD_FILE,       /* handles: memory; data: offset in it, size, bytes */
    FD_DIR,        /* not passed on */
    FD_NULL        /* /dev/null */
};

/*
 * A descriptor for a stream server's endpoint, connected at first use; the
 * endpoint handle is duplicated (R_DUP). Lowest free number, or negative
 * error. fd >= 0 asks for that number, closing what was there.
 */
int64_t fd_stream(handle_t endpoint, int fd);

/*
 * The endpoint behind a stream descriptor, for calls of other interfaces
 * (console); ours as long as the descriptor is open. E_BADHANDLE, E_TYPE.
 */
int64_t fd_endpoint(int fd);

#endif
