/*
 * National PC16550D UART: registers, interrupts, modem lines
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Section numbers are those of the data sheet (National, June 1995).
 *
 * Where it leaves room:
 *  - INTR is not gated by OUT2, which is a pin of the PC, not of the UART;
 *  - errors of a character that is read before LSR stay in LSR until LSR is
 *    read; LSR7 stays with them;
 *  - a byte written to a full transmit FIFO is dropped; to a full THR in 16450
 *    mode, takes the place of the one there;
 *  - only the THRE interrupt is delayed by a character time [8.11 B], LSR5 is
 *    not; enabling the interrupt ends the delay;
 *  - the divisor is 0 after reset, and with it nothing is sent or received;
 *  - no DMA: RXRDY and TXRDY are not modelled, FCR3 does nothing.
 */

#include "qemu/osdep.h"
#include "hw/char/uart16550.h"
#include "hw/irq.h"
#include "qemu/log.h"
#include "trace.h"

/* [Table II] Registers by address. */
enum { RBR_THR, IER, IIR_FCR, LCR, MCR, LSR, MSR, SCR, REGISTERS };

/* [8.6 Table IV] */
enum {
    IIR_MODEM = 0x0,
    IIR_NONE = 0x1,
    IIR_THRE = 0x2,
    IIR_RECEIVED = 0x4,
    IIR_LINE = 0x6,
    IIR_TIMEOUT = 0xc,
    IIR_FIFOS = 0xc0,
};

/* The highest pending interrupt [8.6]. */
static uint8_t uart16550_iir(const UART16550State *s)
{
    if ((s->ier & UART16550_IER_ELSI) && s->lsr) {
        return IIR_LINE;
    }
    if (s->ier & UART16550_IER_ERBFI) {
        if (s->rx_timeout) {
            return IIR_TIMEOUT;
        }
        if (s->rx_count >= uart16550_trigger(s)) {
            return IIR_RECEIVED;
        }
    }
    if ((s->ier & UART16550_IER_ETBEI) && s->thr_ipending) {
        return IIR_THRE;
    }
    if ((s->ier & UART16550_IER_EDSSI) && (s->msr & UART16550_MSR_DELTAS)) {
        return IIR_MODEM;
    }
    return IIR_NONE;
}

/* The interrupt output, and the timer for its next rise. */
static void uart16550_update(UART16550State *s)
{
    bool level = uart16550_iir(s) != IIR_NONE;
    int64_t next;

    if (level != s->irq_level) {
        s->irq_level = level;
        trace_uart16550_irq(s, level);
        qemu_set_irq(s->irq, level);
    }
    next = uart16550_next_event(s);
    if (next == UART16550_NEVER) {
        timer_del(s->timer);
    } else if (!timer_pending(s->timer) ||
               timer_expire_time_ns(s->timer) != next) {
        timer_mod_ns(s->timer, next);
    }
}

void uart16550_update_both(UART16550State *s)
{
    uart16550_update(s);
    if (s->peer) {
        uart16550_update(s->peer);
    }
}

int64_t uart16550_catch_up(UART16550State *s)
{
    int64_t now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);

    uart16550_advance(s, now);
    return now;
}

/* What the pins RTS and DTR say to the other end. */
static uint8_t uart16550_outputs(const UART16550State *s)
{
    if (s->cut_modem || (s->mcr & UART16550_MCR_LOOP)) {
        return 0;
    }
    return s->mcr;
}

/* [8.9] The modem status inputs, or what loopback makes of them [8.8]. */
uint8_t uart16550_modem_lines(const UART16550State *s)
{
    uint8_t lines = 0, from;

    if (s->mcr & UART16550_MCR_LOOP) {
        from = s->mcr;
        lines |= from & UART16550_MCR_OUT1 ? UART16550_MSR_RI : 0;
        lines |= from & UART16550_MCR_OUT2 ? UART16550_MSR_DCD : 0;
    } else {
        from = s->peer ? uart16550_outputs(s->peer) : 0;
        lines |= from & UART16550_MCR_DTR ? UART16550_MSR_DCD : 0;
    }
    lines |= from & UART16550_MCR_DTR ? UART16550_MSR_DSR : 0;
    lines |= from & UART16550_MCR_RTS ? UART16550_MSR_CTS : 0;
    return lines;
}

/* A second change before the next read shows only in the level. */
void uart16550_modem_changed(UART16550State *s)
{
    uint8_t lines = uart16550_modem_lines(s);
    uint8_t changed = (lines ^ s->msr) & ~UART16550_MSR_DELTAS;

    if (lines & UART16550_MSR_RI) {
        changed &= ~UART16550_MSR_RI; /* TERI: the trailing edge only */
    }
    s->msr = lines | (s->msr & UART16550_MSR_DELTAS) | changed >> 4;
}

static uint8_t uart16550_read_rbr(UART16550State *s, int64_t now)
{
    if (s->rx_count) {
        s->rbr = s->rx_fifo[s->rx_head];
        s->rx_head = (s->rx_head + 1) % UART16550_FIFO_SIZE;
        if (--s->rx_count) {
            s->lsr |= s->rx_error[s->rx_head];
        }
        s->rx_timeout = false;
        uart16550_restart_timeout(s, now);
    }
    return s->rbr;
}

static uint8_t uart16550_read_lsr(UART16550State *s)
{
    uint8_t value = s->lsr;

    if (s->rx_count) {
        value |= UART16550_LSR_DR;
    }
    if (!s->tx_count) {
        value |= UART16550_LSR_THRE;
        value |= s->tsr_busy ? 0 : UART16550_LSR_TEMT;
    }
    if (s->fcr & UART16550_FCR_ENABLE) {
        uint8_t errors = s->lsr;

        for (unsigned i = 0; i < s->rx_count; i++) {
            errors |= s->rx_error[(s->rx_head + i) % UART16550_FIFO_SIZE];
        }
        if (errors & UART16550_LSR_BYTE_ERRORS) {
            value |= UART16550_LSR_FIFO_ERROR;
        }
    }
    s->lsr = 0;
    if (s->rx_count) {
        s->rx_error[s->rx_head] = 0;
    }
    return value;
}

static uint64_t uart16550_read(void *opaque, hwaddr addr, unsigned size)
{
    UART16550State *s = opaque;
    int64_t now = uart16550_catch_up(s);
    bool latch = s->lcr & UART16550_LCR_DLAB;
    uint8_t value = 0;

    switch (addr >> s->regshift) {
    case RBR_THR:
        value = latch ? s->divisor & 0xff : uart16550_read_rbr(s, now);
        break;
    case IER:
        value = latch ? s->divisor >> 8 : s->ier;
        break;
    case IIR_FCR:
        value = uart16550_iir(s);
        if (value == IIR_THRE) {
            s->thr_ipending = false;
        }
        value |= s->fcr & UART16550_FCR_ENABLE ? IIR_FIFOS : 0;
        break;
    case LCR:
        value = s->lcr;
        break;
    case MCR:
        value = s->mcr;
        break;
    case LSR:
        value = uart16550_read_lsr(s);
        break;
    case MSR:
        value = s->msr;
        s->msr &= ~UART16550_MSR_DELTAS;
        break;
    case SCR:
        value = s->scr;
        break;
    }
    trace_uart16550_read(s, addr >> s->regshift, value);
    uart16550_update_both(s);
    return value;
}

static void uart16550_write_thr(UART16550State *s, uint8_t value, int64_t now)
{
    s->thr_ipending = false;
    s->thre_at = UART16550_NEVER;
    if (s->tx_count == uart16550_depth(s)) {
        qemu_log_mask(LOG_GUEST_ERROR, "%s: byte 0x%02x written to a full "
                      "transmitter\n", __func__, value);
        if (s->fcr & UART16550_FCR_ENABLE) {
            return;
        }
        s->tx_count = 0;
    }
    s->tx_fifo[(s->tx_head + s->tx_count++) % UART16550_FIFO_SIZE] = value;
    if (!s->bit_fs) {
        qemu_log_mask(LOG_GUEST_ERROR, "%s: nothing is sent before the "
                      "divisor is set\n", __func__);
    }
    uart16550_kick(s, now);
    if (s->tx_count >= 2) {
        s->tx_two = true;
    }
}

static void uart16550_write_ier(UART16550State *s, uint8_t value)
{
    uint8_t rising = value & ~s->ier;

    if (value & 0xf0) {
        qemu_log_mask(LOG_GUEST_ERROR, "%s: bits 7..4 of IER are always 0, "
                      "written 0x%02x\n", __func__, value);
    }
    s->ier = value & 0x0f;
    if ((rising & UART16550_IER_ETBEI) && !s->tx_count) {
        s->thr_ipending = true;
        s->thre_at = UART16550_NEVER;
    }
}

static void uart16550_write_fcr(UART16550State *s, uint8_t value)
{
    if (value & 0x30) {
        qemu_log_mask(LOG_GUEST_ERROR, "%s: bits 5..4 of FCR are reserved, "
                      "written 0x%02x\n", __func__, value);
    }
    if (!(value & UART16550_FCR_ENABLE)) {
        value = 0; /* [8.5 bit 0] the others are not programmed */
    }
    if ((value ^ s->fcr) & UART16550_FCR_ENABLE) {
        value |= UART16550_FCR_RX_RESET | UART16550_FCR_TX_RESET;
        s->tx_first = true;
    }
    if (value & UART16550_FCR_RX_RESET) {
        s->rx_count = 0;
        s->rx_timeout = false;
        s->lsr &= UART16550_LSR_OE; /* the other errors go with their bytes */
    }
    if ((value & UART16550_FCR_TX_RESET) && s->tx_count) {
        s->tx_count = 0;
        s->tx_two = false;
        s->thr_ipending = true;
        s->thre_at = UART16550_NEVER;
    }
    s->fcr = value & ~(UART16550_FCR_RX_RESET | UART16550_FCR_TX_RESET);
}

static void uart16550_write_divisor(UART16550State *s, unsigned shift,
                                    uint8_t value, int64_t now)
{
    s->divisor = (s->divisor & 0xff00 >> shift) | value << shift;
    uart16550_rate_changed(s);
    uart16550_kick(s, now);
}

static void uart16550_write(void *opaque, hwaddr addr, uint64_t value64,
                            unsigned size)
{
    UART16550State *s = opaque;
    int64_t now = uart16550_catch_up(s);
    bool latch = s->lcr & UART16550_LCR_DLAB;
    uint8_t value = value64, changed;

    trace_uart16550_write(s, addr >> s->regshift, value);
    switch (addr >> s->regshift) {
    case RBR_THR:
        if (latch) {
            uart16550_write_divisor(s, 0, value, now);
        } else {
            uart16550_write_thr(s, value, now);
        }
        break;
    case IER:
        if (latch) {
            uart16550_write_divisor(s, 8, value, now);
        } else {
            uart16550_write_ier(s, value);
        }
        break;
    case IIR_FCR:
        uart16550_write_fcr(s, value);
        break;
    case LCR:
        changed = s->lcr ^ value;
        s->lcr = value;
        if (changed & UART16550_LCR_BREAK) {
            uart16550_break_changed(s, now);
        }
        break;
    case MCR:
        s->mcr = value & 0x1f;
        uart16550_modem_changed(s);
        if (s->peer) {
            uart16550_modem_changed(s->peer);
        }
        break;
    case SCR:
        s->scr = value;
        break;
    default:
        qemu_log_mask(LOG_GUEST_ERROR, "%s: register %u is read-only, "
                      "written 0x%02x\n", __func__,
                      (unsigned)(addr >> s->regshift), value);
        break;
    }
    uart16550_update_both(s);
}

const MemoryRegionOps uart16550_ops = {
    .read = uart16550_read,
    .write = uart16550_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 4 },
    .impl = { .min_access_size = 1, .max_access_size = 4 },
};
