/*
 * The RTC server: interface rtc (abi/uinta.idl) over a goldfish RTC. The
 * smallest complete driver there is, to read before the UART's: one register
 * to serve in the interrupt, one loop that can be told in a sentence.
 *
 * Clients and device both end in `update`: ring whom it is time for, arm the
 * alarm for the next. With user interrupts both are handlers, which do not
 * interrupt each other, and the thread only sleeps.
 */
#include <uinta/ipc.h>
#include <uinta/log.h>
#include <uinta/uintr.h>
#include "alarms.h"
#include "gen/rtc_server.h"
#include "goldfish.h"
#include "user/servers/device.h"

enum { EVENT_CALL = 1, EVENT_IRQ = 2 };

static struct device device;
static handle_t notification;

/*
 * An alarm that passes between our look at the clock and the arming raises the
 * interrupt within the store, so none is missed.
 */
static void update(void)
{
    volatile void *base = device.registers;

    alarms_ring(goldfish_time(base));
    uint64_t next = alarms_next();
    if (next == UINT64_MAX)
        goldfish_disarm(base);
    else
        goldfish_alarm(base, next);
}

/* Lower the line first: an alarm that comes in update() then raises anew. */
static void on_device(void *argument)
{
    (void)argument;
    goldfish_clear(device.registers);
    update();
}

static int64_t rtc_time(void *context, struct message *call, uint64_t *ns)
{
    (void)context, (void)call;
    *ns = goldfish_time(device.registers);
    return OK;
}

static int64_t rtc_alarm(void *context, struct message *call, uint64_t ns,
                         handle_t doorbell)
{
    (void)context, (void)call;
    int64_t type = sys_handle_type(doorbell);
    int64_t result = OK;

    if (type < 0)
        return type; /* nothing was passed */
    if (type >> 32 != OBJECT_DOORBELL)
        result = E_TYPE;
    else if (!(type & R_RING))
        result = E_RIGHTS;
    else
        result = alarms_add(ns, doorbell);
    if (result < 0)
        sys_handle_close(doorbell);
    return result;
}

static void serve_calls(void)
{
    static const struct rtc_server functions = {.time = rtc_time,
                                                .alarm = rtc_alarm};
    struct message message;

    while (ipc_poll(device.service, &message) >= 0) {
        if (!rtc_dispatch(&functions, NULL, &message))
            message_refuse(&message, E_NOSYS);
        ipc_reply(&message);
    }
    update();
}

/* The endpoint's doorbell came as a user software interrupt. */
static void on_bell(void *argument)
{
    (void)argument;
    sys_notification_poll(notification, EVENT_CALL);
    serve_calls();
}

static int64_t check(int64_t result, const char *what)
{
    if (result < 0)
        log_fail(1, "rtc: %s: %s", what, error_text(result));
    return result;
}

/* Handlers, then the source, then the device's own enable (see uart/main.c). */
static _Noreturn void run_by_uintr(void)
{
    check(uintr_init(), "uintr_init");
    check(uintr_on_source(device.source, on_device, NULL), "handler");
    uintr_on_soft(on_bell, NULL);
    check(uintr_bind(notification), "bind");
    check(sys_irq_attach(device.irq), "irq");
    goldfish_reset(device.registers, 1);
    on_bell(NULL); /* clients that called before we were bound */
    uintr_enable();
    for (;;)
        uintr_sleep(DEADLINE_NEVER);
}

static _Noreturn void run_by_notification(void)
{
    handle_t bell = check(sys_doorbell_create(notification, EVENT_IRQ), "bell");
    check(sys_irq_bind(device.irq, bell), "irq");
    goldfish_reset(device.registers, 1);
    for (;;) {
        int64_t events =
            check(sys_notification_wait(notification, EVENT_CALL | EVENT_IRQ,
                                        DEADLINE_NEVER),
                  "wait");
        if (events & EVENT_IRQ) {
            on_device(NULL);
            sys_irq_ack(device.irq);
        }
        if (events & EVENT_CALL)
            serve_calls();
    }
}

int main(int argc, char **argv)
{
    check(device_open(&device, argc, argv), "no device given (init does that)");
    notification = check(sys_notification_create(), "notification");
    handle_t bell =
        check(sys_doorbell_create(notification, EVENT_CALL), "doorbell");
    check(sys_endpoint_bind(device.service, bell), "service");
    if (device.notify)
        run_by_notification();
    run_by_uintr();
}
