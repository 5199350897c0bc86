/*
 * What a UART's driver counts and what can be wrong with a byte, for clients of
 * interface uart (gen/uart_client.h); the driver's own header is uinta/uart.h.
 */
#ifndef UINTA_UART_COUNTERS_H
#define UINTA_UART_COUNTERS_H

/* Interface uart gives them in this order. */
enum uart_counter {
    UART_BYTES_IN,
    UART_BYTES_OUT, /* v3: again if their session ended before they arrived */
    UART_OVERRUNS,  /* bytes that found the receive FIFO full: lost */
    UART_PARITY_ERRORS,
    UART_FRAMING_ERRORS,
    UART_BREAKS,
    UART_INTERRUPTS,  /* times the device was served */
    UART_WAKEUPS,     /* times the driver was woken by its clients */
    UART_DOORBELLS,   /* times the driver rang a client */
    UART_CLIENT_FULL, /* times reception stopped: the client was behind */
    UART_SESSIONS,    /* v3: times both ends have agreed where to begin */
    UART_COUNTER_COUNT
};

/* What was wrong with one byte. The bits are LSR's [16550 8.4]. */
enum {
    UART_ERROR_OVERRUN = 1 << 1, /* bytes after this one are missing */
    UART_ERROR_PARITY = 1 << 2,
    UART_ERROR_FRAMING = 1 << 3,
    UART_ERROR_BREAK = 1 << 4,
};

#endif
