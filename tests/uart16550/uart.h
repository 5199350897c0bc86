/*
 * The checker of the UARTs of `virt,uintr=on`, bare-metal in M-mode: one rule
 * of the data sheet (National PC16550D, June 1995) a case, a line for each.
 * Section numbers in brackets are those of the data sheet.
 */
#ifndef UART_H
#define UART_H

#include "tests/bare/bare.h"

typedef volatile uint8_t port; /* a UART's first register */

enum { RBR, IER, IIR, LCR, MCR, LSR, MSR, SCR, THR = 0, FCR = 2 };
enum { DLL, DLM };
enum { IER_RX = 1, IER_TX = 2, IER_LINE = 4, IER_MODEM = 8 };
enum { FCR_ON = 1, FCR_RX = 2, FCR_TX = 4, FCR_ALL = 7 };
enum { FCR_1 = 0, FCR_4 = 0x40, FCR_8 = 0x80, FCR_14 = 0xc0 };
enum { BITS_5, BITS_6, BITS_7, BITS_8, STOP_2 = 4, PARITY = 8, EVEN = 16 };
enum { STICK = 32, BREAK = 64, DLAB = 128, ODD = 0 };
enum { DTR = 1, RTS = 2, OUT1 = 4, OUT2 = 8, LOOP = 16 };
enum { DR = 1, OE = 2, PE = 4, FE = 8, BI = 16, THRE = 32, TEMT = 64 };
enum { FIFO_ERROR = 128 };
enum { DCTS = 1, DDSR = 2, TERI = 4, DDCD = 8 };
enum { CTS = 16, DSR = 32, RI = 64, DCD = 128 };
enum { NONE = 1, RX = 4, TX = 2, LINE = 6, TIMEOUT = 12, MODEM = 0 };
enum { FIFOS = 0xc0 }; /* IIR when the FIFOs are on */

/* Instructions (16 ns) a bit at divisor 1: 160 ns. */
enum { BIT = 10, BYTE = 100 };

extern port *const uart[5];        /* [1]..[4]; 1-2 and 3-4 are wired */
extern uint8_t reset_values[5][8]; /* registers as they were found */

#define A uart[1]
#define B uart[2]

/* sled.S */
unsigned probe(port *store, uint8_t value, port *load, unsigned n);
int interrupted(port *store, uint8_t value);

/* All four ports as after power-up, then both of a pair at divisor 1. */
void reset_all(void);
void setup(uint8_t lcr, uint8_t fcr); /* A and B */
void format(port *u, uint8_t lcr);
void divisor(port *u, unsigned value);
/* Stops the baud generator of `u`, so that bytes stay in its FIFO. */
void hold(port *u);
void put(port *u, uint8_t byte);
void flush(port *u); /* until TEMT */
/* Sends over the wire and waits for its end. */
void send(port *u, uint8_t byte);
void wait_bytes(unsigned n); /* that many bytes' time at divisor 1 */
unsigned source_of(port *u);

/* The PLIC's M context of hart 0 */
void plic_only(port *u); /* this port's interrupt and no other */
unsigned plic_claim(void);
void plic_complete(unsigned source);

/* A store that starts it; `mask` of `load` is first seen set n later. */
#define CHECK_AT(prepare, store, value, load, mask, n)        \
    do {                                                      \
        prepare;                                              \
        EXPECT(probe(store, value, load, (n)-1) & (mask), 0); \
        prepare;                                              \
        EXPECT(probe(store, value, load, n) & (mask), mask);  \
    } while (0)

/* For a bad wire: what came how (wire.c); does not return. */
_Noreturn void wire_report(bool change);

#endif
