/*
 * The UART's clients: each is a stream (uinta/stream.h) that connected through
 * the service endpoint. What they write goes out, taking turns; what comes in
 * goes to the newest client that asked for input (UART_INPUT), and to the one
 * before when that one leaves. While nobody asks, or the one who does is
 * behind, nothing is taken from the device: no byte is lost here.
 *
 * Everything runs where the device's interrupt cannot come in between.
 */
#ifndef UART_CLIENTS_H
#define UART_CLIENTS_H

#include <stdbool.h>
#include <uinta/uart.h>
#include "abi/object.h"

/* Flags of stream_open() to this server. */
enum { UART_INPUT = 1 };

enum { CLIENTS_MAX = 16 };

/* Event bits of the driver's notification, above those of the clients. */
#define EVENT_SERVICE (1UL << 40)
#define EVENT_IRQ     (1UL << 41)

/*
 * Registers `service` with the notification; `uart` has its configuration and
 * becomes the owner of its rings, unless tasks are (tasks.c), which then ask
 * the functions of this owner. `kick`: clients may have bytes or space again.
 */
int64_t clients_init(struct uart *uart, handle_t service, handle_t notification,
                     void (*kick)(struct uart *));
extern const struct uart_owner clients_owner;

/* What a driver without tasks does about it. */
void clients_kick(struct uart *uart);

/*
 * Whose bytes are to be sent next, beyond the `ahead` ones that have been sent of
 * `out` and are still there. lasts: the turn of the one who was last does. NULL:
 * nobody's, and all have been asked to ring when they have some.
 */
struct ring *clients_next_sender(const struct ring *out, uint32_t ahead,
                                 bool lasts);

/*
 * Has any written since its ring was looked at? For a driver that polls: one
 * load a client, where to look at the rings themselves is work.
 */
bool clients_wrote(void);

/* Has any work to do? One that sleeps has said so in one of its rings. */
bool clients_awake(void);

/* Something was rung: `events` says what. */
void clients_event(uint64_t events);

#endif
