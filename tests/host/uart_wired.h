/*
 * Two simulated PC16550D wired to each other, for host tests of the UART
 * library. Nothing moves by itself: whoever simulates calls wire_step(), which
 * moves one transmitter by one step, and wire_timeout(). A byte is in the FIFO,
 * then in the shift register, which clearing the FIFO does not touch; it arrives,
 * and only then, or later, the transmitter is empty. Before each access, and after
 * it has had its effect, instant() is called: anything else may happen there.
 * Included by one file a program.
 */
#ifndef UART_WIRED_H
#define UART_WIRED_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "user/lib/uart/access.h"
#include "user/lib/uart/regs.h"

enum { ENDS = 2, FIFO = 16 };

enum shift { SHIFT_IDLE, SHIFT_BUSY, SHIFT_STOP };

static uint8_t file[ENDS][8];

static struct chip {
    uint8_t ier, lcr, mcr, fcr, msr, overrun;
    uint8_t rx[FIFO], tx[FIFO];
    unsigned rx_count, tx_count;
    bool timeout, tx_empty;
    enum shift shift;
    uint8_t shifted;
    bool told; /* the last access set the lines: the other end may act on it */
} chips[ENDS];

static unsigned overruns;

/* An access of the driver of `end` comes next, or has just been. */
static void instant(unsigned end);

static struct chip *peer_of(const struct chip *c)
{
    return c == chips ? &chips[1] : &chips[0];
}

static uint8_t chip_iir(const struct chip *c)
{
    static const unsigned triggers[] = {1, 4, 8, 14};
    if (c->ier & IER_LINE && c->overrun)
        return IIR_LINE;
    if (c->ier & IER_RECEIVE && c->timeout)
        return IIR_TIMEOUT;
    if (c->ier & IER_RECEIVE && c->rx_count >= triggers[c->fcr >> 6])
        return IIR_RECEIVE;
    if (c->ier & IER_SEND && c->tx_empty)
        return IIR_SEND;
    if (c->ier & IER_MODEM && c->msr & 0xf)
        return IIR_MODEM;
    return IIR_NONE;
}

static uint8_t take(uint8_t *fifo, unsigned *count)
{
    uint8_t byte = fifo[0];
    memmove(fifo, fifo + 1, --*count);
    return byte;
}

static void arrive(struct chip *c, uint8_t byte)
{
    if (c->rx_count == FIFO) {
        c->overrun = LSR_OVERRUN;
        overruns++;
    } else {
        c->rx[c->rx_count++] = byte;
    }
}

static void shift_next(struct chip *c)
{
    c->shift = SHIFT_IDLE;
    if (!c->tx_count)
        return;
    c->shifted = take(c->tx, &c->tx_count);
    c->shift = SHIFT_BUSY;
    c->tx_empty |= !c->tx_count;
}

/* The transmitter of `c`: its byte arrives, or its last stop bit is over. */
static void wire_step(struct chip *c)
{
    if (c->shift == SHIFT_BUSY) {
        arrive(peer_of(c), c->shifted);
        c->shift = SHIFT_STOP;
    } else {
        shift_next(c);
    }
}

static void wire_timeout(struct chip *c)
{
    c->timeout = c->rx_count > 0;
}

static void chip_lines(struct chip *c, uint8_t mcr)
{
    struct chip *to = peer_of(c);
    uint8_t lines =
        (mcr & MCR_DTR ? MSR_DSR : 0) | (mcr & MCR_RTS ? MSR_CTS : 0);
    to->msr = lines | (to->msr & 0xf) |
              ((lines ^ to->msr) & (MSR_DSR | MSR_CTS)) >> 4;
    c->mcr = mcr;
}

static uint8_t chip_get(struct chip *c, long reg)
{
    uint8_t value = 0;
    switch (reg) {
    case RBR:
        assert_true(c->rx_count > 0); /* it would be the last one again */
        c->timeout = false;
        return take(c->rx, &c->rx_count);
    case IIR:
        value = chip_iir(c);
        if (value == IIR_SEND)
            c->tx_empty = false;
        return value;
    case LSR:
        value = (c->rx_count ? LSR_READY : 0) | c->overrun;
        if (!c->tx_count)
            value |= LSR_SEND_EMPTY | (c->shift ? 0 : LSR_ALL_SENT);
        c->overrun = 0;
        return value;
    case MSR:
        value = c->msr;
        c->msr &= 0xf0;
        return value;
    default:
        fail();
        return 0;
    }
}

static void chip_fcr(struct chip *c, uint8_t value)
{
    if (value & FCR_CLEAR_RECEIVE)
        c->rx_count = c->timeout = 0;
    if (value & FCR_CLEAR_SEND) {
        c->tx_empty |= c->tx_count > 0;
        c->tx_count = 0;
    }
    c->fcr = value;
}

static void chip_put(struct chip *c, long reg, uint8_t value)
{
    switch (reg) {
    case THR:
        if (c->lcr & LCR_DLAB)
            return;
        assert_true(c->tx_count < FIFO);
        c->tx[c->tx_count++] = value;
        c->tx_empty = false;
        if (c->shift == SHIFT_IDLE)
            shift_next(c);
        return;
    case IER:
        if (c->lcr & LCR_DLAB)
            return;
        c->tx_empty |= value & ~c->ier & IER_SEND && !c->tx_count;
        c->ier = value;
        return;
    case FCR:
        chip_fcr(c, value);
        return;
    case LCR:
        c->lcr = value;
        return;
    case MCR:
        chip_lines(c, value);
        return;
    default:
        fail();
    }
}

uint8_t register_get(volatile uint8_t *address)
{
    unsigned end = address >= file[1];
    instant(end);
    chips[end].told = false;
    uint8_t value = chip_get(&chips[end], address - file[end]);
    instant(end);
    return value;
}

void register_put(volatile uint8_t *address, uint8_t value)
{
    unsigned end = address >= file[1];
    instant(end);
    chips[end].told = address == &file[end][MCR];
    chip_put(&chips[end], address - file[end], value);
    instant(end);
}

#endif
