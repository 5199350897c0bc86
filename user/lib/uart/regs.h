/*
 * National PC16550D, as found at "ns16550a" nodes. Section names in brackets
 * are those of its data sheet.
 */
#ifndef UART_REGS_H
#define UART_REGS_H

#include <stdint.h>

enum uart_reg {          /* [8.0 Registers], DLAB = 0 unless said */
                RBR = 0, /* read: received byte */
                THR = 0, /* write: byte to send */
                IER = 1,
                IIR = 2, /* read */
                FCR = 2, /* write */
                LCR = 3,
                MCR = 4,
                LSR = 5,
                MSR = 6,
                DLL = 0, /* DLAB = 1: divisor, low */
                DLM = 1, /* DLAB = 1: divisor, high */
};

enum { /* [8.7 IER] */
       IER_RECEIVE = 1 << 0,
       IER_SEND = 1 << 1,
       IER_LINE = 1 << 2,
       IER_MODEM = 1 << 3,
};

enum { /* [8.6 IIR] bits 3..0 */
       IIR_MODEM = 0x0,
       IIR_NONE = 0x1,
       IIR_SEND = 0x2,
       IIR_RECEIVE = 0x4, /* at least the trigger level is in the FIFO */
       IIR_LINE = 0x6,
       IIR_TIMEOUT = 0xc, /* fewer, and no more came for 4 characters */
       IIR_MASK = 0xf,
};

enum { /* [8.5 FCR] */
       FCR_ENABLE = 1 << 0,
       FCR_CLEAR_RECEIVE = 1 << 1,
       FCR_CLEAR_SEND = 1 << 2,
       FCR_TRIGGER_4 = 1 << 6,
       FCR_TRIGGER_8 = 2 << 6,
       FCR_TRIGGER_14 = 3 << 6,
};

enum { /* [8.1 LCR] */
       LCR_DATA_5 = 0,
       LCR_STOP_2 = 1 << 2,
       LCR_PARITY = 1 << 3,
       LCR_EVEN = 1 << 4,
       LCR_DLAB = 1 << 7,
};

enum { /* [8.8 MCR] */
       MCR_DTR = 1 << 0,
       MCR_RTS = 1 << 1,
       MCR_OUT2 = 1 << 3, /* gates the interrupt line on PC-style boards */
};

enum { /* [8.4 LSR] */
       LSR_READY = 1 << 0,
       LSR_OVERRUN = 1 << 1,
       LSR_PARITY = 1 << 2,
       LSR_FRAMING = 1 << 3,
       LSR_BREAK = 1 << 4,
       LSR_SEND_EMPTY = 1 << 5,
       LSR_ALL_SENT = 1 << 6,
       LSR_FIFO_ERROR = 1 << 7, /* of some byte in the FIFO */
       LSR_BYTE_ERRORS = LSR_PARITY | LSR_FRAMING | LSR_BREAK,
       LSR_ERRORS = LSR_OVERRUN | LSR_BYTE_ERRORS,
};

enum { /* [8.9 MSR] */
       MSR_DCTS = 1 << 0,
       MSR_DDSR = 1 << 1,
       MSR_CTS = 1 << 4,
       MSR_DSR = 1 << 5,
};

#endif
