/*
 * Building a child's startup block (abi/startup.h) in memory that the spawner
 * has mapped. Pure: no system call, runs on the host too.
 */
#ifndef USER_LIB_SPAWN_STARTUP_BLOCK_H
#define USER_LIB_SPAWN_STARTUP_BLOCK_H

#include <stddef.h>
#include "abi/startup.h"

/* Bytes the block needs, not rounded; E_LIMIT: over STARTUP_SIZE. */
int64_t startup_block_size(char *const argv[], char *const envp[]);

/* Lay argv and envp into `block`, which has startup_block_size() zero bytes. */
void startup_block_fill(struct startup *block, char *const argv[],
                        char *const envp[]);

/* Note a handle by name; E_LIMIT: no room, E_RANGE: name of 0 or > 12 bytes. */
int64_t startup_block_handle(struct startup *block, const char *name,
                             handle_t handle);

#endif
