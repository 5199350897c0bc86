/*
 * What this process knows about itself: its startup block, the handles its
 * spawner passed by name, and the service names of init. Set up before main.
 */
#ifndef UINTA_PROCESS_H
#define UINTA_PROCESS_H

#include <stddef.h>
#include <stdint.h>
#include "abi/startup.h"

/* The startup block; for init, made from its bootinfo (no handles or fds). */
const struct startup *startup_get(void);

/* init's own: what the kernel passed, NULL in every other process. */
const struct bootinfo *startup_bootinfo(void);

/* A handle the spawner passed under this name, 0 = none. It stays ours. */
handle_t startup_handle(const char *name);

/*
 * Names of 1..16 bytes packed in two registers, as system calls and messages
 * have them. False: too long, or empty.
 */
int name_pack(uint64_t packed[2], const char *name);
void name_unpack(char text[NAME_SIZE + 1], const uint64_t packed[2]);

/* Paths of 1..48 bytes in six words. Else E_RANGE. */
enum { PATH_SIZE = 48 };
int path_pack(uint64_t packed[6], const char *path);
void path_unpack(char text[PATH_SIZE + 1], const uint64_t packed[6]);

/*
 * Ask init (startup handle "name") for a service's endpoint; the handle is
 * kept for the next asker, so do not close it. `wait`: until it is there.
 * Else E_NOENT. In init itself: E_NOENT unless told by service_set().
 */
int64_t service_lookup(const char *name, int wait);

/* Tell init that we serve `name` at `endpoint` (R_CALL and R_DUP needed). */
int64_t service_publish(const char *name, handle_t endpoint);

/* From now on service_lookup(name) answers `endpoint` without asking. */
void service_set(const char *name, handle_t endpoint);

/* A sentence for a negative enum error, and its name. */
const char *error_text(int64_t error);
const char *error_name(int64_t error);

/* The errno for a negative enum error; and set it, giving -1. */
int error_to_errno(int64_t error);
int64_t error_set(int64_t error);

#endif
