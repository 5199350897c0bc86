/*
 * Open descriptions: what several descriptors may share. A kind is a table of
 * functions; a function that is NULL is an error to the program (EINVAL).
 */
#ifndef USER_LIB_FD_INTERNAL_H
#define USER_LIB_FD_INTERNAL_H

#include <stdbool.h>
#include <sys/stat.h>
#include <uinta/fd.h>
#include <uinta/thread.h>
#include "abi/errors.h"
#include "abi/startup.h"
#include "gen/syscalls.h"

struct file;

/* Results: bytes or 0, or a negative enum error. */
struct file_kind {
    enum fd_kind kind;
    int64_t (*read)(struct file *f, void *to, size_t n);
    int64_t (*write)(struct file *f, const void *from, size_t n);
    int64_t (*seek)(struct file *f, off_t offset, int whence);
    int64_t (*stat)(struct file *f, struct stat *st);
    void (*drain)(struct file *f); /* until others have what was written */
    void (*close)(struct file *f); /* not the handles: those are closed after */
};

/* Kinds embed this as their first member. */
struct file {
    const struct file_kind *kind;
    unsigned refs;
    int flags; /* O_ACCMODE and O_NONBLOCK of open() */
    handle_t handles[4];
    uint64_t data[2];
};

extern const struct file_kind file_kind_stream, file_kind_pipe_read,
    file_kind_pipe_write, file_kind_regular, file_kind_directory,
    file_kind_null;

/*
 * A description of this kind with these handles (own from now on, also on
 * failure) and one reference. NULL: no memory.
 */
struct file *file_new(const struct file_kind *kind, int flags,
                      const handle_t handles[4], const uint64_t data[2]);
/* Bytes of a description of that kind. */
size_t file_size(enum fd_kind kind);

void file_get(struct file *f);
void file_put(struct file *f); /* the last one closes */

/* Open `path`; NULL and *error. */
struct file *file_open_path(const char *path, int flags, int64_t *error);

#endif
