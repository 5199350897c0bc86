/*
 * The UART server: gives the device to the library (uinta/uart.h), the clients
 * to clients.c, and waits for both in the way that was asked for. With user
 * interrupts both arrive as handlers and this thread does nothing but sleep;
 * the other modes are loops that call the same functions.
 *
 *   uart --mode=polling|interrupt|async|async-unbuffered|notify
 *        --flow=none|v1|v2|v3 --baud=N [--word=8N1] [--trigger=N] [--clock=HZ] [offset= reg_shift= source=
 *        clock= delivery=]    the latter from init, see servers/device.h
 *
 * Handles: mmio, irq, service; log if there is one. Exit status 2: what was
 * asked for cannot be had, in words on stderr and in the log.
 */
#include <string.h>
#include <uinta/clock.h>
#include <uinta/log.h>
#include <uinta/uintr.h>
#include "clients.h"
#include "share.h"
#include "tasks.h"
#include "user/servers/device.h"

/* Of the wired UARTs, for a driver that is not started by init. */
enum { CLOCK_DEFAULT = 100000000 };
/* Rounds of polling between two looks at what is rare. */
enum { POLL_ROUNDS = 4096 };

static struct uart uart;
static void (*serve_device)(void *); /* the handler */
static handle_t notification;
static int64_t delivery;
static uint64_t watch; /* when to look whether the other end lets us send */

static void on_bell(void *argument)
{
    (void)argument;
    int64_t events = sys_notification_poll(notification, ~0UL >> 1);
    if (events > 0)
        clients_event(events);
}

static void check(int64_t result, const char *what)
{
    if (result < 0)
        log_fail(1, "uart: %s: %s", what, error_text(result));
}

static void set_watch(void)
{
    watch = uart.config.flow == UART_FLOW_NONE
                ? DEADLINE_NEVER
                : clock_deadline(uart_watch_ns(&uart.config));
}

/* Not before the device is ours: it may be in another driver's hands. */
static void begin(const struct device *d)
{
    struct uart_config config = uart.config;
    uart_reset(&uart, d->registers, d->reg_shift, &config);
    uart_start(&uart);
    set_watch();
}

/* Being the owner of the irq is being the owner of the device. */
static void own(int64_t result)
{
    if (result == E_BUSY)
        log_fail(2, "uart: the device has an owner already, another driver");
    check(result, "irq");
}

/* Is it time? */
static void look_at_watch(void)
{
    if (clock_ticks() < watch)
        return;
    uart_watch(&uart);
    set_watch();
}

/*
 * The thread has one timer, for whichever of three it was set last. The two that
 * are not due take it as "look now", and set it anew if they still need it.
 */
static uint64_t on_timer(void *argument)
{
    (void)argument;
    share_timer();
    tasks_late();
    look_at_watch();
    return watch;
}

/*
 * The device and its clients raise user interrupts of this thread. Order: the
 * handlers first, then the source, then the device's own interrupt enable,
 * or the first interrupt would find nobody. Who was not told the number of the
 * source takes them all: no other can come.
 */
static void run_by_uintr(const struct device *d)
{
    uint32_t first = d->source ? d->source : 1;
    uint32_t last = d->source ? d->source : SOURCES_MAX - 1;
    bool tasks = uart.config.mode != UART_INTERRUPT;
    for (uint32_t source = first; source <= last; source++)
        check(uintr_on_source(source, serve_device, &uart), "handler");
    uintr_on_soft(tasks ? tasks_bell : on_bell, NULL);
    check(uintr_bind(notification), "bind");
    own(sys_irq_attach(d->irq));
    begin(d);
    share_init(&uart);
    uintr_on_timer(on_timer, NULL);
    sys_uintr_timer(watch);
    if (tasks)
        tasks_run(delivery == DELIVERY_NATIVE);
    on_bell(NULL); /* clients that called before we were bound */
    if (delivery == DELIVERY_NATIVE) {
        for (;; share_hart(true))
            uintr_pause();
    }
    static const uint64_t nothing;
    uintr_enable();
    for (;; share_hart(false))
        uintr_sleep_unless(&nothing);
}

/* The kernel takes the interrupt and rings; we acknowledge when served. */
static void run_by_notification(const struct device *d)
{
    int64_t bell = sys_doorbell_create(notification, EVENT_IRQ);
    check(bell, "doorbell");
    own(sys_irq_bind(d->irq, bell));
    begin(d);
    for (;;) {
        int64_t events = sys_notification_wait(notification, ~0UL >> 1, watch);
        look_at_watch();
        if (events == E_TIMEDOUT)
            continue;
        check(events, "wait");
        if (events & EVENT_IRQ) {
            serve_device(&uart);
            sys_irq_ack(d->irq);
        }
        if (events & ~EVENT_IRQ)
            clients_event(events);
    }
}

/*
 * The source is bound to be owned. Its first interrupt is claimed by the kernel
 * and never acknowledged, so that there is no second one.
 */
static void run_by_polling(const struct device *d)
{
    int64_t bell = sys_doorbell_create(notification, EVENT_IRQ);
    check(bell, "doorbell");
    own(sys_irq_bind(d->irq, bell));
    begin(d);
    for (unsigned round = 0;; round++) {
        serve_device(&uart);
        bool rare = round % POLL_ROUNDS == 0;
        if (rare || (uart.credit && clients_wrote()))
            uart_kick_send(&uart);
        if (uart.held)
            uart_kick_receive(&uart);
        if (!rare)
            continue;
        on_bell(NULL);
        look_at_watch();
    }
}

static void configure(struct uart_config *c, const struct device *d, int argc,
                      char **argv)
{
    char why[160];
    *c = uart_config_default();
    c->clock = CLOCK_DEFAULT;
    for (int i = 1; i < argc; i++) {
        if (!strncmp(argv[i], "clock=", 6))
            c->clock = d->clock; /* 0: unknown, the rate stays */
        int taken = uart_config_word(c, argv[i], why, sizeof(why));
        if (taken < 0)
            log_fail(2, "uart: %s", why);
        if (!taken && !device_word(argv[i]))
            log_fail(
                2,
                "uart: %s: unknown; there is --mode= --flow= --baud= --word= "
                "--trigger= --clock=",
                argv[i]);
    }
    if (d->notify)
        c->mode = UART_NOTIFY;
    if (uart_config_check(c, why, sizeof(why)) < 0)
        log_fail(2, "uart: %s", why);
}

int main(int argc, char **argv)
{
    struct device d;
    struct uart_config config;
    int64_t result = device_open(&d, argc, argv);
    if (result < 0)
        log_fail(2, "uart: no device given (handle mmio): %s",
                 error_text(result));
    configure(&config, &d, argc, argv);
    result = sys_notification_create();
    check(result, "notification");
    notification = result;
    /* No user interrupts here: the same, by notifications. */
    if (config.mode != UART_POLLING && config.mode != UART_NOTIFY) {
        result = uintr_init();
        if (result == E_UNSUPPORTED)
            config.mode = UART_NOTIFY;
        else
            check(result, "uintr_init");
        delivery = result;
    }
    uart.config = config;
    serve_device = uart_handler(config.flow);
    bool tasks =
        config.mode == UART_ASYNC || config.mode == UART_ASYNC_UNBUFFERED;
    check(clients_init(&uart, d.service, notification,
                       tasks ? tasks_kick : clients_kick),
          "service");
    if (tasks)
        tasks_init(&uart, notification, &watch);
    if (config.mode == UART_POLLING)
        run_by_polling(&d);
    if (config.mode == UART_NOTIFY)
        run_by_notification(&d);
    run_by_uintr(&d);
}
