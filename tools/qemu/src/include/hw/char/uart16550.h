/*
 * National PC16550D UART whose bytes take their time on the wire
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Two of them are wired to each other: SOUT to SIN, RTS to CTS, DTR to DSR
 * and DCD, both ways. The link property "peer", set on one of the two, says
 * so; without it the UART talks to nobody.
 *
 * QEMU interface:
 *  + sysbus MMIO region 0: the registers, 1 << regshift bytes apart
 *  + sysbus IRQ 0: INTR (OUT2 does not gate it)
 *  + "peer", "clock-frequency" (Hz), "regshift": set before realize
 *  + "arrivals", set before realize: the start of a file's name; what gets
 *    into the receiver is written there, eight bytes for each character,
 *    little-endian: ns of QEMU_CLOCK_VIRTUAL << 8 | character
 *  + "clock-skew-ppm", "bit-error-ppb", "error-seed", "cut-data",
 *    "cut-modem": the sender's side of the wire, also at run time
 *  + "bytes-sent" ... "lost": counters, read-only
 */

#ifndef HW_CHAR_UART16550_H
#define HW_CHAR_UART16550_H

#include "hw/sysbus.h"
#include "qemu/timer.h"
#include "qom/object.h"

#define TYPE_UART16550 "uart16550"
OBJECT_DECLARE_SIMPLE_TYPE(UART16550State, UART16550)

#define UART16550_FIFO_SIZE 16
#define UART16550_NEVER INT64_MAX

/* [8.7 IER] */
enum {
    UART16550_IER_ERBFI = 0x01, /* received data and time-out */
    UART16550_IER_ETBEI = 0x02, /* transmitter holding register empty */
    UART16550_IER_ELSI = 0x04,  /* receiver line status */
    UART16550_IER_EDSSI = 0x08, /* modem status */
};

/* [8.5 FCR] */
enum {
    UART16550_FCR_ENABLE = 0x01,
    UART16550_FCR_RX_RESET = 0x02,
    UART16550_FCR_TX_RESET = 0x04,
    UART16550_FCR_DMA = 0x08,
    UART16550_FCR_TRIGGER_SHIFT = 6,
};

/* [8.1 LCR] */
enum {
    UART16550_LCR_WLS = 0x03, /* word length - 5 */
    UART16550_LCR_STB = 0x04, /* two stop bits, 1.5 with 5 data bits */
    UART16550_LCR_PEN = 0x08, /* parity */
    UART16550_LCR_EPS = 0x10, /* even */
    UART16550_LCR_STICK = 0x20,
    UART16550_LCR_BREAK = 0x40,
    UART16550_LCR_DLAB = 0x80,
    UART16550_LCR_FORMAT = 0x3f,
};

/* [8.8 MCR] */
enum {
    UART16550_MCR_DTR = 0x01,
    UART16550_MCR_RTS = 0x02,
    UART16550_MCR_OUT1 = 0x04,
    UART16550_MCR_OUT2 = 0x08,
    UART16550_MCR_LOOP = 0x10,
};

/* [8.4 LSR] */
enum {
    UART16550_LSR_DR = 0x01,
    UART16550_LSR_OE = 0x02,
    UART16550_LSR_PE = 0x04,
    UART16550_LSR_FE = 0x08,
    UART16550_LSR_BI = 0x10,
    UART16550_LSR_THRE = 0x20,
    UART16550_LSR_TEMT = 0x40,
    UART16550_LSR_FIFO_ERROR = 0x80,
    UART16550_LSR_BYTE_ERRORS = 0x1c, /* they belong to one byte */
};

/* [8.9 MSR] */
enum {
    UART16550_MSR_TERI = 0x04,
    UART16550_MSR_DELTAS = 0x0f,
    UART16550_MSR_CTS = 0x10,
    UART16550_MSR_DSR = 0x20,
    UART16550_MSR_RI = 0x40,
    UART16550_MSR_DCD = 0x80,
};

/* Counters, each a read-only property. */
enum {
    UART16550_SENT,      /* frames that left the shift register */
    UART16550_RECEIVED,  /* characters that got into the FIFO or the RBR */
    UART16550_OVERRUNS,  /* characters lost because there was no room */
    UART16550_PARITY,    /* characters received with these errors */
    UART16550_FRAMING,
    UART16550_BREAKS,
    UART16550_LOST,      /* frames sent to a peer that never saw them */
    UART16550_COUNTERS
};

struct UART16550State {
    /*< private >*/
    SysBusDevice parent_obj;

    /*< public >*/
    MemoryRegion mmio;
    qemu_irq irq;
    QEMUTimer *timer;
    UART16550State *link; /* the property: set on one end only */
    UART16550State *peer; /* the other end, known to both */

    uint32_t clock_frequency;
    uint8_t regshift;
    char *arrivals;      /* the property */
    FILE *arrivals_file; /* or NULL */

    /* Registers; of LSR only what the CPU's read clears */
    uint8_t ier, fcr, lcr, mcr, lsr, msr, scr;
    uint16_t divisor;
    uint64_t bit_fs; /* of one bit, femtoseconds; 0 = stopped */
    bool thr_ipending;
    bool irq_level;

    /* Transmitter: FIFO, and the frame in the shift register */
    uint8_t tx_fifo[UART16550_FIFO_SIZE];
    uint8_t tx_head, tx_count;
    uint8_t tsr, tsr_lcr;
    bool tsr_busy;
    bool tsr_delivered; /* its first stop bit has passed */
    bool tsr_broken;    /* a break was on the line meanwhile */
    bool tx_two;        /* two bytes in the FIFO since it was empty last */
    bool tx_first;      /* FCR0 has changed: no delay of the next THRE */
    int64_t tsr_start;  /* ns, and the rest in fs */
    uint32_t tsr_start_fs;
    uint64_t tsr_bit_fs;
    int64_t thre_at;  /* a THRE interrupt that is delayed */
    int64_t break_at; /* the peer will have seen a break */

    /* Receiver */
    uint8_t rx_fifo[UART16550_FIFO_SIZE];
    uint8_t rx_error[UART16550_FIFO_SIZE]; /* LSR bits of each */
    uint8_t rx_head, rx_count;
    uint8_t rbr; /* read last: what an empty receiver shows */
    bool rx_timeout;
    int64_t rx_timeout_at;

    /* The wire from here to the peer */
    int32_t skew_ppm;
    uint32_t bit_error_ppb;
    uint64_t error_seed, error_state;
    bool cut_data, cut_modem;

    uint64_t counter[UART16550_COUNTERS];
};

/* hw/char/uart16550.c: @byte is in the receiver since @now (ns). */
void uart16550_note_arrival(UART16550State *s, uint8_t byte, int64_t now);

/*
 * hw/char/uart16550_regs.c: registers, interrupts and modem lines.
 */
extern const MemoryRegionOps uart16550_ops;

/* Make up for the time that has passed; returns the time, ns. */
int64_t uart16550_catch_up(UART16550State *s);

/* Interrupt outputs and timers of both ends; after every change. */
void uart16550_update_both(UART16550State *s);

/* The upper half of MSR as the lines are now; and with deltas, into MSR. */
uint8_t uart16550_modem_lines(const UART16550State *s);
void uart16550_modem_changed(UART16550State *s);

/*
 * hw/char/uart16550_wire.c: both shift registers, and what is between them.
 *
 * Nothing happens at the end of each byte: whoever looks at a UART first
 * makes up for the time since the last look. Only what raises an interrupt
 * needs a timer. All times are of QEMU_CLOCK_VIRTUAL.
 */

/* Bring this UART and its peer to time @now (ns). */
void uart16550_advance(UART16550State *s, int64_t now);

/* When the interrupt output could rise next without an access; or earlier. */
int64_t uart16550_next_event(UART16550State *s);

/* The baud rate has changed (divisor, skew). */
void uart16550_rate_changed(UART16550State *s);

/* Start sending if there is something to send and nothing is being sent. */
void uart16550_kick(UART16550State *s, int64_t now);

/* LCR bit 6 has changed. */
void uart16550_break_changed(UART16550State *s, int64_t now);

/* A received or read character starts the time-out anew. */
void uart16550_restart_timeout(UART16550State *s, int64_t now);

/* Room in either FIFO, in bytes: 1 in 16450 mode. */
static inline unsigned uart16550_depth(const UART16550State *s)
{
    return s->fcr & UART16550_FCR_ENABLE ? UART16550_FIFO_SIZE : 1;
}

/* Bytes that raise the received data interrupt. */
static inline unsigned uart16550_trigger(const UART16550State *s)
{
    static const uint8_t levels[] = { 1, 4, 8, 14 };

    return levels[s->fcr >> UART16550_FCR_TRIGGER_SHIFT];
}

#endif
