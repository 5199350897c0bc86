/*
 * One UART driven by the kernel of the benchmark: what device.c, which knows the
 * chip, and uart.c, which has the system calls, share. Kernel lock held.
 */
#pragma once

#include "kernel/irq.h"
#include "kernel/lib.h"
#include "kernel/notification.h"

/* What sys_uart_count() tells; the first COUNTED are in port.count[]. */
enum { OVERRUNS, PARITY, FRAMING, BELLS, FULL, COUNTED, IN = COUNTED, OUT };
enum { SERVED = OUT + 1 };

enum { FIFO = 16, BATCH = 8, RING = 16384, PORTS = 2 };

enum flow { FLOW_NONE, FLOW_V1, FLOW_V2, FLOW_V3, FLOWS };

/* What this end's DTR and RTS say: 00, 01, 11, and then DTR stays. */
enum session { SESSION_DOWN, SESSION_READY, SESSION_OPEN, SESSION_UP };

/* Indices count up for ever; `out` is filled by writers, `in` by the device. */
struct ring {
    uint64_t head, tail;
    unsigned char *bytes; /* RING of them */
};

struct port {
    struct irq *irq;
    struct doorbell *bell; /* while irq->bell is this, the port is open */
    volatile uint8_t *reg;
    struct ring in, out;
    uint64_t want_in, want_out; /* ring when so many can be moved */
    enum flow flow;
    enum session session;
    uint8_t ier, mcr, cts;
    uint8_t news;    /* of MSR: a change that the session is about */
    uint32_t on_way; /* sent, and not told that they were taken; FIFO: wait */
    uint32_t taken;  /* v2, v3: since RTS was toggled */
    uint64_t count[COUNTED];
    unsigned char bytes[2][RING]; /* last: the others are near for it */
};

/* All that the device wants: a straight version for each flow control. */
extern void (*const port_serve[FLOWS])(struct port *p);

/* With p->irq, bell, reg and flow set, the rest zero. */
void port_start(struct port *p, uint16_t divisor);

/* There is something new to send; there is room again. */
void port_send(struct port *p);
void port_receive(struct port *p);

static inline uint64_t content(const struct ring *r)
{
    return r->head - r->tail;
}

static inline unsigned char *at(struct ring *r, uint64_t index)
{
    return &r->bytes[index & (RING - 1)];
}
