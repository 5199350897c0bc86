/*
 * The UART server: gives the device to ns16550.c, the clients to clients.c,
 * and waits for both in the way that the machine allows. With user interrupts
 * both arrive as handlers and this thread does nothing but sleep; without, one
 * loop calls the same two functions.
 */
#include <stdio.h>
#include <stdlib.h>
#include <uinta/uintr.h>
#include "clients.h"
#include "user/servers/device.h"

enum { BAUD = 115200 };

static struct ns16550 uart;
static handle_t notification;

static void on_device(void *argument)
{
    (void)argument;
    ns16550_interrupt(&uart);
    clients_after_interrupt();
}

static void on_bell(void *argument)
{
    (void)argument;
    int64_t events = sys_notification_poll(notification, ~0UL >> 1);
    if (events > 0)
        clients_event(events);
}

static void check(int64_t result, const char *what)
{
    if (result >= 0)
        return;
    /* There is no console to say it on: the kernel's log is. */
    char line[80];
    int n =
        snprintf(line, sizeof(line), "uart: %s: %s", what, error_text(result));
    sys_system_log_write(startup_handle("log"), (uint64_t)line, n);
    exit(1);
}

/*
 * The device and its clients raise user interrupts of this thread. Order: the
 * handlers first, then the source, then the device's own interrupt enable,
 * or the first interrupt would find nobody.
 */
static void run_by_uintr(const struct device *d)
{
    check(uintr_init(), "uintr_init");
    check(uintr_on_source(d->source, on_device, NULL), "handler");
    uintr_on_soft(on_bell, NULL);
    check(uintr_bind(notification), "bind");
    check(sys_irq_attach(d->irq), "irq");
    ns16550_start(&uart);
    on_bell(NULL); /* clients that called before we were bound */
    uintr_enable();
    for (;;)
        uintr_sleep(DEADLINE_NEVER);
}

/* The kernel takes the interrupt and rings; we acknowledge when served. */
static void run_by_notification(const struct device *d)
{
    int64_t bell = sys_doorbell_create(notification, EVENT_IRQ);
    check(bell, "doorbell");
    check(sys_irq_bind(d->irq, bell), "irq");
    ns16550_start(&uart);
    for (;;) {
        int64_t events =
            sys_notification_wait(notification, ~0UL >> 1, DEADLINE_NEVER);
        check(events, "wait");
        if (events & EVENT_IRQ) {
            on_device(NULL);
            sys_irq_ack(d->irq);
        }
        if (events & ~EVENT_IRQ)
            clients_event(events);
    }
}

int main(int argc, char **argv)
{
    struct device d;
    check(device_open(&d, argc, argv), "no device given (init does that)");
    uart.base = d.registers;
    uart.reg_shift = d.reg_shift;
    ns16550_reset(&uart, d.clock, BAUD);
    int64_t result = sys_notification_create();
    check(result, "notification");
    notification = result;
    check(clients_init(&uart, d.service, notification), "service");
    if (d.notify)
        run_by_notification(&d);
    else
        run_by_uintr(&d);
}
