/*
 * The table of services and their supervisor. init makes the endpoint of each
 * service once and keeps it, so that clients' handles outlive the process
 * behind it; each life of the service is given the receiving side.
 */
#ifndef INIT_SERVICES_H
#define INIT_SERVICES_H

#include <stdint.h>
#include "abi/object.h"
#include "boot.h"

/* Bits of init's one notification. */
enum { EVENT_NAME = 1, EVENT_CHILD = 2, EVENT_FAILED = 4 };

enum service_state { SERVICE_DOWN, SERVICE_RUNNING, SERVICE_FAILED };

/*
 * Makes the table from the device tree and the archive and starts all of it,
 * the shell (or what run= says) last. names: endpoint for clients;
 * machine: the same with the right to switch off.
 */
void services_start(const struct boot_options *options, handle_t notification,
                    handle_t names, handle_t machine);

/* Takes note of the dead, starts who is due; says when to call again. */
uint64_t services_supervise(void);

/* Callers of services that were given up are told so. */
void services_answer_failed(void);

/* The endpoint of a service of the table, 0 = no such name. */
handle_t services_endpoint(const uint64_t name[2]);

/* For name_status and name_kill: E_NOENT, E_STATE if not running. */
int64_t services_status(uint64_t index, uint64_t name[2], uint64_t *pid,
                        uint64_t *state, uint64_t *restarts);
int64_t services_kill(const uint64_t name[2]);

#endif
