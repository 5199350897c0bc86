/*
 * The four wired UARTs of the native machine, as a program that run= starts
 * finds them: free, by name, and with their interrupts at the program itself.
 * What the UARTs do is tested in tests/uart16550.
 */
#include <uinta/uintr.h>
#include "guest.h"

enum { FIRST = 12, LAST = 15, BYTES = 256 };
enum { DATA, IER, FCR, LCR, MCR, LSR, MSR }; /* FCR: IIR when read */

static volatile uint8_t *port_of(unsigned source)
{
    char name[12];
    snprintf(name, sizeof(name), "mmio%u", source);
    return map_memory(startup_handle(name), PAGE_SIZE, PROT_R | PROT_W);
}

/* The native machine has them, no other does. */
static void need_wired(void)
{
    if (startup_get()->delivery != DELIVERY_NATIVE && !startup_handle("irq12"))
        SKIP("no wired UARTs here");
}

TEST(wired_uarts_are_free)
{
    need_wired();
    for (unsigned source = FIRST; source <= LAST; source++) {
        char name[12];
        snprintf(name, sizeof(name), "mmio%u", source);
        int64_t type = MUST(sys_handle_type(startup_handle(name)));
        EXPECT(type >> 32, OBJECT_MEMORY);
        snprintf(name, sizeof(name), "irq%u", source);
        type = MUST(sys_handle_type(startup_handle(name)));
        EXPECT(type >> 32, OBJECT_IRQ);
    }
}

TEST(console_uart_is_not)
{
    EXPECT(startup_handle("mmio10"), 0);
    EXPECT(startup_handle("irq10"), 0);
}

static volatile uint8_t *from, *to;
static volatile unsigned received, wrong, interrupts;

static void on_uart(void *arg)
{
    (void)arg;
    interrupts++;
    while (!(to[FCR] & 1))
        while (to[LSR] & 1)
            wrong += to[DATA] != (uint8_t)received++;
}

static void start(volatile uint8_t *port)
{
    port[LCR] = 0x83;
    port[DATA] = 4; /* 1.56 Mbaud: every hart is fast enough */
    port[IER] = 0;
    port[LCR] = 3;
    port[FCR] = 0x87;
    port[MCR] = 0;
}

TEST(wired_bytes_arrive_by_user_interrupt)
{
    need_wired();
    from = port_of(FIRST);
    to = port_of(FIRST + 1);
    CHECK(from && to);
    start(from);
    start(to);
    CHECK(MUST(uintr_init()) > 0);
    MUST(uintr_on_source(FIRST + 1, on_uart, NULL));
    MUST(sys_irq_attach(startup_handle("irq13")));
    uintr_enable();
    to[IER] = 1;
    for (unsigned i = 0; i < BYTES; i++) {
        while (!(from[LSR] & 0x20))
            ;
        from[DATA] = i;
    }
    CHECK(EVENTUALLY(received == BYTES, 1000));
    uintr_disable();
    EXPECT(wrong, 0);
    CHECK(interrupts >= 1);
}

TEST_MAIN
