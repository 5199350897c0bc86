/*
 * The async modes: reading, writing and serving clients are tasks
 * (uinta/async.h), independent of each other; the device's handler only moves
 * bytes and wakes them. docs/design/uart.md "Modes".
 */
#ifndef UART_TASKS_H
#define UART_TASKS_H

#include <stdbool.h>
#include <uinta/uart.h>
#include "abi/object.h"

/*
 * Takes the rings of `uart` over from clients.c. *watch, in ticks: when the
 * thread's timer is to come at the latest; tasks may make it come earlier.
 */
void tasks_init(struct uart *uart, handle_t notification,
                const uint64_t *watch);

/* Handler of the timer. */
void tasks_late(void);

/* Handler of the clients' doorbells. */
void tasks_bell(void *unused);

/* For clients.c: someone may have bytes or space. */
void tasks_kick(struct uart *uart);

/* UIE clear on entry. native: how to sleep: uintr_pause or _sleep_unless. */
_Noreturn void tasks_run(bool native);

#endif
