/*
 * Moving bytes: between the UART's stream, the line discipline, and the
 * streams of the console's clients. Never sleeps; main.c does that.
 */
#ifndef CONSOLE_SCREEN_H
#define CONSOLE_SCREEN_H

#include <stdbool.h>
#include <stdint.h>
#include <uinta/stream.h>
#include "abi/object.h"

enum { CLIENTS_MAX = 48 };

/* Event bits of the console's notification, above those of the clients. */
#define EVENT_UART_BELL (1UL << 52)
#define EVENT_UART_LIFE (1UL << 53)
#define EVENT_SERVICE   (1UL << 54)

/* Connects to the UART server. */
int64_t screen_init(handle_t uart, handle_t notification);

/* A stream for a client of `job`; then as stream_accept(). E_LIMIT: full. */
int64_t screen_accept(uint64_t job, const struct stream_offer *offer,
                      struct stream_offer *reply);

/* The foreground job or its mode has changed. */
void screen_mode(uint32_t mode);

/* Takes note of what was rung; reconnects to the UART if it died. */
void screen_event(uint64_t events);

/*
 * Moves all that can be moved and asks to be woken for the rest. True: more
 * has come meanwhile, call again before sleeping. `draining`: somebody waits
 * for screen_drained().
 */
bool screen_move(bool draining);

/* All that the clients of `job` wrote has left for the device. */
bool screen_drained(uint64_t job);

#endif
