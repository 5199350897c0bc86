/*
 * Children of this process: what spawn started and nobody has waited for yet.
 * waitpid() and kill() are the POSIX face of this. One thread waits at a time.
 */
#ifndef UINTA_CHILD_H
#define UINTA_CHILD_H

#include <stdint.h>
#include "abi/object.h"

enum { CHILDREN_MAX = 64 };

/* The child's process handle (R_MANAGE, R_STATUS, R_DUP), 0 = not ours. */
handle_t child_handle(int pid);

/*
 * The child's end in full: reason, code, and for a fault cause, pc, address.
 * reason EXIT_RUNNING while it runs; does not wait and does not reap.
 * E_NOENT: no such child.
 */
int child_status(int pid, struct process_status *status);

/*
 * waitpid() that also tells everything: pid > 0 or -1 for any, flags 0 or
 * WNOHANG. Returns the pid, 0 (WNOHANG, none has ended), or E_NOENT (no such
 * child), E_AGAIN (interrupted by child_doorbell). The child is reaped.
 */
int64_t child_wait(int pid, int flags, struct process_status *status);

/*
 * A doorbell (R_RING, R_DUP) that makes a wait in progress, or the next one,
 * return: waitpid fails with EINTR. For ^C. Ours; made once.
 */
int64_t child_doorbell(void);

/* "exited 0", "killed 2", "fault: load page fault at pc ..., address ..." */
void child_describe(char *text, int size, const struct process_status *status);

#endif
