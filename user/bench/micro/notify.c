/*
 * Interrupts by kernel notification (delivery=notify), the way of other
 * microkernels: the kernel claims and rings, the driver returns from its wait,
 * serves the device, and has the kernel complete.
 */
#include "burner.h"
#include "device.h"
#include "micro.h"

static struct rtc rtc;
static handle_t events, bell;

enum { AHEAD = 20000 }; /* instructions from arming to the alarm */

/* The hart is idle when the alarm comes. */
static void idle(void)
{
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t alarm = count() + AHEAD;
        rtc_alarm_at(&rtc, alarm);
        sys_notification_wait(events, 1, DEADLINE_NEVER);
        samples[i] = count() - alarm;
        goldfish_clear(rtc.base);
        must(sys_irq_ack(rtc.irq), "ack");
    }
    row("interrupt-idle", "notify", "instructions", 1);
}

/*
 * The driver is running when its device raises (an alarm in the past: within
 * the store): the kernel takes the interrupt and returns; then the driver asks,
 * finds, serves the device and has the source completed. From behind the store
 * to behind the acknowledgement: three entries of the kernel.
 */
static void running(void)
{
    volatile uint32_t *low = goldfish_reg(rtc.base, GOLDFISH_ALARM_LOW);

    *goldfish_reg(rtc.base, GOLDFISH_ALARM_HIGH) = 0;
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t start;
        __asm__ volatile("rdcycle %0\n sw zero, (%1)"
                         : "=&r"(start)
                         : "r"(low)
                         : "memory");
        sys_notification_wait(events, 1, DEADLINE_NEVER);
        goldfish_clear(rtc.base);
        sys_irq_ack(rtc.irq);
        samples[i] = count() - start - 1 - COUNT_COST;
    }
    row("interrupt-running-whole", "notify", "instructions", 1);
}

/* The acknowledgement alone. */
static void ack(void)
{
    for (int i = 0; i < ROUNDS; i++) {
        rtc_alarm_at(&rtc, count() + AHEAD);
        sys_notification_wait(events, 1, DEADLINE_NEVER);
        goldfish_clear(rtc.base);
        uint64_t start = count();
        int64_t result = sys_irq_ack(rtc.irq);
        samples[i] = count() - start - COUNT_COST;
        must(result, "ack");
    }
    row("irq-ack", "notify", "instructions", 1);
}

/*
 * Another process computes, the driver is more urgent and waits. First the way
 * to the driver, then all that the program loses: interrupt, switch, device
 * access, acknowledgement, wait, switch back.
 */
static void busy(void)
{
    static uint64_t whole[ROUNDS];
    struct burner burner;

    burner_open(&burner, PRIORITY_BELOW);
    for (int i = 0; i < ROUNDS; i++) {
        burner_run(&burner);
        uint64_t alarm = count() + AHEAD;
        rtc_alarm_at(&rtc, alarm);
        sys_notification_wait(events, 1, DEADLINE_NEVER);
        samples[i] = count() - alarm;
        goldfish_clear(rtc.base);
        sys_irq_ack(rtc.irq);
        whole[i] = burner_wait(&burner);
    }
    row("interrupt-busy", "notify", "instructions", 1);
    for (int i = 0; i < ROUNDS; i++)
        samples[i] = whole[i];
    row("interrupt-busy-whole", "notify", "instructions", 1);
    burner_close(&burner);
}

void measure_notify(struct rtc *device)
{
    rtc = *device;
    events = must(sys_notification_create(), "notification");
    bell = must(sys_doorbell_create(events, 1), "doorbell");
    must(sys_irq_bind(rtc.irq, bell), "bind");
    idle();
    running();
    ack();
    busy();
    must(sys_irq_release(rtc.irq), "release");
}
