/*
 * What the modules of user/lib need of one another and nobody else should use.
 */
#ifndef USER_LIB_SYS_INTERNAL_H
#define USER_LIB_SYS_INTERNAL_H

#include <stddef.h>
#include <stdint.h>
#include "abi/startup.h"

/*
 * Weak: NULL in a program that never touches a descriptor, so that it does
 * not carry the descriptor table. Waits until servers have what was written.
 */
void fd_at_exit(void) __attribute__((weak));

struct spawn_action;

/*
 * Fill a child's s->fds from our descriptors as they are after `actions`, and
 * give the handles they need to `process`. If this fails the caller ends the
 * process, and with it what it was given.
 */
int64_t fd_export(struct startup *s, handle_t process,
                  const struct spawn_action *actions, size_t action_count);

/* Sets spawn_reason() and returns `error`. */
int64_t spawn_because(int64_t error, const char *text);

/* process_give through a memo: one handle is given once, however often asked. */
int64_t spawn_give(handle_t process, handle_t handle);

/*
 * Note a new child for waitpid, which closes the handle when it reaps; E_LIMIT.
 * child_forget: it never started, the handle is the caller's again.
 */
int64_t child_add(int pid, handle_t process);
void child_forget(int pid);

#endif
