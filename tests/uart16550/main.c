/* The ports, the PLIC, and what is to be done. */
#include "uart.h"

#define PLIC 0xc000000UL
enum { PLIC_ENABLE = 0x2000, PLIC_CONTEXT = 0x200000, FIRST_SOURCE = 12 };

port *const uart[5] = {0, (port *)0x10010000, (port *)0x10011000,
                       (port *)0x10012000, (port *)0x10013000};

static volatile uint32_t *plic(unsigned long offset)
{
    return (volatile uint32_t *)(PLIC + offset);
}

unsigned source_of(port *u)
{
    return FIRST_SOURCE + ((unsigned long)u >> 12 & 3);
}

/* A PLIC takes the completion of a source that is enabled, and only then. */
void plic_only(port *u)
{
    *plic(PLIC_ENABLE) = 15u << FIRST_SOURCE;
    *plic(PLIC_CONTEXT) = 0;
    for (unsigned i = FIRST_SOURCE; i < FIRST_SOURCE + 4; i++) {
        *plic(4 * i) = 1;
        plic_complete(i);
    }
    for (int i = 0; i < 4; i++)
        plic_complete(plic_claim()); /* old ones: no line is high */
    *plic(PLIC_ENABLE) = 1u << source_of(u);
}

unsigned plic_claim(void)
{
    return *plic(PLIC_CONTEXT + 4);
}

void plic_complete(unsigned source)
{
    *plic(PLIC_CONTEXT + 4) = source;
}

void divisor(port *u, unsigned value)
{
    uint8_t lcr = u[LCR];

    u[LCR] = lcr | DLAB;
    u[DLL] = value;
    u[DLM] = value >> 8;
    u[LCR] = lcr;
}

void hold(port *u)
{
    divisor(u, 0);
}

void format(port *u, uint8_t lcr)
{
    u[LCR] = lcr;
}

/* First nobody sends any more, then nothing is left of what was sent. */
void reset_all(void)
{
    for (int i = 1; i <= 4; i++) {
        port *u = uart[i];
        u[LCR] = 0;
        divisor(u, 1);
        u[IER] = 0;
        u[MCR] = 0;
        u[FCR] = FCR_ON;
        u[FCR] = 0;
        flush(u);
    }
    for (int i = 1; i <= 4; i++) {
        port *u = uart[i];
        u[FCR] = FCR_ON;
        u[FCR] = 0;
        (void)u[RBR];
        (void)u[LSR];
        (void)u[MSR];
        (void)u[IIR];
    }
}

void setup(uint8_t lcr, uint8_t fcr)
{
    reset_all();
    for (int i = 1; i <= 2; i++) {
        uart[i][LCR] = lcr;
        uart[i][FCR] = fcr;
    }
}

void put(port *u, uint8_t byte)
{
    u[THR] = byte;
}

void wait_bytes(unsigned n)
{
    unsigned turns = n * BYTE / 2;

    __asm__ volatile("1: addi %0, %0, -1\n\tbnez %0, 1b" : "+r"(turns));
}

void flush(port *u)
{
    while (!(u[LSR] & TEMT))
        ;
}

void send(port *u, uint8_t byte)
{
    put(u, byte);
    flush(u);
}

uint8_t reset_values[5][8];

/* What to do: the harness puts it here (-device loader). */
enum { CASES, WIRE, WIRE_CHANGED };
#define MODE ((volatile uint32_t *)0x80100000)

void bare_before(void)
{
    static bool seen;

    for (int i = 1; i <= 4 && !seen; i++)
        for (int r = IER; r <= SCR; r++)
            reset_values[i][r] = uart[i][r];
    seen = true;
    if (*MODE != CASES)
        wire_report(*MODE == WIRE_CHANGED);
}
