/*
 * How a UART is driven, in words: what the server's command line says and the
 * library does. Pure; every mistake gets a sentence.
 */
#ifndef UINTA_UART_CONFIG_H
#define UINTA_UART_CONFIG_H

#include <stddef.h>
#include <stdint.h>

/* Who moves the bytes, and when (docs/design/uart.md "Modes"). */
enum uart_mode {
    UART_POLLING,
    UART_INTERRUPT, /* handler: FIFO <-> the client's rings */
    UART_ASYNC,     /* handler: FIFO <-> software rings; tasks do the rest */
    UART_ASYNC_UNBUFFERED, /* handler: FIFO <-> what the waiting tasks gave */
    UART_NOTIFY,           /* the kernel takes the interrupt and rings */
    UART_MODES
};

/* What keeps a sender from overrunning the other end's FIFO. */
enum uart_flow {
    UART_FLOW_NONE,
    UART_FLOW_V1, /* a batch for each pulse of RTS */
    UART_FLOW_V2, /* RTS toggled every 8 bytes taken; 16 outstanding */
    UART_FLOW_V3, /* the same credits, read along the way; sessions */
    UART_FLOWS
};

enum uart_parity { UART_PARITY_NONE, UART_PARITY_ODD, UART_PARITY_EVEN };

struct uart_config {
    enum uart_mode mode;
    enum uart_flow flow;
    uint32_t clock; /* Hz of the device's input, 0 = unknown */
    uint32_t baud;  /* bits a second */
    unsigned data_bits, stop_bits;
    enum uart_parity parity;
    unsigned trigger; /* bytes in the receive FIFO that interrupt */
};

/* Mode interrupt, no flow control, 115200 8N1, trigger 14 (8 under v2, v3). */
struct uart_config uart_config_default(void);

/*
 * One word of a command line:
 *   --mode=polling|interrupt|async|async-unbuffered|notify
 *   --flow=none|v1|v2|v3   --baud=N   --word=[5-8][NEO][12]   --trigger=1|4|8|14
 *   --clock=HZ
 * 1: taken, 0: it is none of these, -1: it is, and wrong; then `why` says what
 * is wrong and what there is.
 */
int uart_config_word(struct uart_config *c, const char *word, char *why,
                     size_t size);

/*
 * After the last word: settles what nobody said, and checks what depends on
 * more than one word. 0, or -1 and `why`.
 */
int uart_config_check(struct uart_config *c, char *why, size_t size);

/*
 * Divisor that makes `baud` of `clock` (16 * divisor clocks a bit [16550
 * 8.2]); 0 if it would be more than 2 % off.
 */
uint32_t uart_divisor(uint32_t clock, uint32_t baud);

const char *uart_mode_name(enum uart_mode mode);
const char *uart_flow_name(enum uart_flow flow);

#endif
