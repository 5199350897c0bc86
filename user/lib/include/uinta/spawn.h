/*
 * Starting programs. There is no fork: a child begins with a new address
 * space and exactly the handles and file descriptors that it is given
 * (docs/design/user.md says why). posix_spawn() of <spawn.h> is the same with
 * POSIX's clothes on.
 */
#ifndef UINTA_SPAWN_H
#define UINTA_SPAWN_H

#include <stddef.h>
#include <stdint.h>
#include "abi/object.h"

/* A handle passed to the child: startup_handle(name) there finds it. */
struct spawn_handle {
    const char *name; /* up to 12 bytes */
    handle_t handle;  /* ours, with R_DUP; stays ours */
    uint32_t rights;  /* in the child; 0 = all that we have */
};

/* What happens to file descriptors, in order, as posix_spawn_file_actions. */
enum spawn_action_kind { SPAWN_DUP2, SPAWN_CLOSE, SPAWN_OPEN };

struct spawn_action {
    enum spawn_action_kind kind;
    int fd;           /* the child's */
    int from;         /* SPAWN_DUP2: the child's, so far */
    int flags;        /* SPAWN_OPEN: of open() */
    const char *path; /* SPAWN_OPEN */
};

/*
 * Zero is a sensible value for everything: normal priority, the child gets
 * our descriptors, and our "name" handle, and nothing else.
 */
struct spawn_options {
    int priority;       /* of its first thread, 1..; 0 = PRIORITY_NORMAL */
    int max_priority;   /* of its threads; 0 = priority */
    uint32_t hart_mask; /* harts its first thread may use; 0 = all */
    size_t stack_size;  /* bytes; 0 = SPAWN_STACK_SIZE */
    const struct spawn_handle *handles;
    size_t handle_count;
    const struct spawn_action *actions;
    size_t action_count;
    int no_fds;       /* 1: the child starts without our descriptors */
    int no_names;     /* 1: ... and without our "name" handle */
    handle_t *thread; /* not NULL: gets a handle to its first thread */
};

enum { SPAWN_STACK_SIZE = 32768 };

/*
 * Start the program at `path` (of the file server). argv and envp end with
 * NULL; envp NULL = our environment; argv NULL = {path}. Returns the
 * child's pid (waitpid) or a negative enum error: E_NOENT no such file,
 * E_FORMAT not a program (spawn_reason() has the details), E_LIMIT arguments
 * and environment exceed STARTUP_SIZE or too many handles. After an error
 * nothing of the child is left.
 */
int64_t spawn_program(const char *path, char *const argv[], char *const envp[],
                      const struct spawn_options *options);

/* The same from an ELF file that is `size` bytes at `offset` of `memory`. */
int64_t spawn_from_memory(const char *name, handle_t memory, size_t offset,
                          size_t size, char *const argv[], char *const envp[],
                          const struct spawn_options *options);

/* Why the last spawn in this process failed, as a sentence. */
const char *spawn_reason(void);

#endif
