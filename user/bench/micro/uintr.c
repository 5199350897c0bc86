/*
 * User interrupts: the device interrupts the driver itself, wherever it is:
 * running, asleep on an idle hart, or off the hart. And what the parts of the
 * N extension cost under the delivery in force.
 */
#include <uinta/uintr.h>
#include "abi/startup.h"
#include "burner.h"
#include "device.h"
#include "micro.h"

static struct rtc rtc;
static const char *delivery;
static volatile uint64_t entered;

enum { AHEAD = 20000 }; /* instructions from arming to the alarm */

/* The counter is read first: that is the handler's first instruction. */
static void on_alarm(void *argument)
{
    entered = count();
    (void)argument;
    goldfish_clear(rtc.base);
}

/* What a driver does at least: one device access. */
void on_alarm_plain(void *base)
{
    goldfish_clear(base);
}

static void on_bell(void *argument)
{
    (void)argument;
    entered = count();
}

/*
 * An alarm in the past: the store to ALARM_LOW raises the line. From behind the
 * store to the handler's first instruction, that one included.
 */
static void running(void)
{
    volatile uint32_t *low = goldfish_reg(rtc.base, GOLDFISH_ALARM_LOW);

    uintr_on_source(RTC_SOURCE, on_alarm, NULL);
    *goldfish_reg(rtc.base, GOLDFISH_ALARM_HIGH) = 0;
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t before;
        __asm__ volatile("rdcycle %0\n sw zero, (%1)"
                         : "=&r"(before)
                         : "r"(low)
                         : "memory");
        samples[i] = entered - before - 1;
    }
    row("interrupt-running", delivery, "instructions", 1);
}

/* From behind the store to the next instruction, which has had to wait. */
void sample_whole(const struct rtc *device)
{
    volatile uint32_t *low = goldfish_reg(device->base, GOLDFISH_ALARM_LOW);

    uintr_on_source(RTC_SOURCE, on_alarm_plain, (void *)device->base);
    *goldfish_reg(device->base, GOLDFISH_ALARM_HIGH) = 0;
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t before, after;
        __asm__ volatile("rdcycle %0\n sw zero, (%2)\n rdcycle %1"
                         : "=&r"(before), "=&r"(after)
                         : "r"(low)
                         : "memory");
        samples[i] = after - before - 1 - COUNT_COST;
    }
}

/* uintr.h says how to wait for what a handler makes true. */
static void sleep_until_entered(void)
{
    uintr_disable();
    while (!entered) {
        uintr_sleep(DEADLINE_NEVER);
        uintr_enable();
        uintr_disable();
    }
    uintr_enable();
}

/* With UIE set: the handler runs on the way back from the wait. */
static void idle(void)
{
    uintr_on_source(RTC_SOURCE, on_alarm, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t alarm = count() + AHEAD;
        rtc_alarm_at(&rtc, alarm);
        uintr_sleep(DEADLINE_NEVER);
        samples[i] = entered - alarm;
    }
    row("interrupt-idle", delivery, "instructions", 1);
}

/* Asleep, while another process computes: the kernel takes the interrupt. */
static void busy(void)
{
    static uint64_t whole[ROUNDS];
    struct burner burner;

    burner_open(&burner, PRIORITY_BELOW);
    for (int i = 0; i < ROUNDS; i++) {
        burner_run(&burner);
        uint64_t alarm = count() + AHEAD;
        rtc_alarm_at(&rtc, alarm);
        uintr_sleep(DEADLINE_NEVER);
        samples[i] = entered - alarm;
        whole[i] = burner_wait(&burner);
    }
    row("interrupt-busy", delivery, "instructions", 1);
    for (int i = 0; i < ROUNDS; i++)
        samples[i] = whole[i];
    row("interrupt-busy-whole", delivery, "instructions", 1);
    burner_close(&burner);
}

/*
 * The driver was computing and has lost the hart to a more urgent process when
 * its device raises: it is boosted for this.
 */
static void preempted(void)
{
    struct burner burner;

    burner_open(&burner, PRIORITY_ABOVE);
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t alarm = count() + AHEAD;
        rtc_alarm_at(&rtc, alarm);
        entered = 0;
        burner_run(&burner);
        while (!entered)
            ;
        samples[i] = entered - alarm;
        burner_wait(&burner);
    }
    row("interrupt-preempted", delivery, "instructions", 1);
    burner_close(&burner);
}

/* A doorbell taken as a user software interrupt. */
static void software(void)
{
    handle_t n = must(sys_notification_create(), "notification");
    handle_t bell = must(sys_doorbell_create(n, 1), "doorbell");

    uintr_on_soft(on_bell, NULL);
    must(uintr_bind(n), "bind");
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t before = count();
        sys_doorbell_ring(bell);
        samples[i] = entered - before - COUNT_COST;
        sys_notification_poll(n, 1);
    }
    row("doorbell-to-handler-running", delivery, "instructions", 1);
    /* Rung by another process while this one waits. */
    handle_t rest = must(sys_notification_create(), "notification");
    handle_t go = must(sys_doorbell_create(rest, 1), "doorbell");
    handle_t shared = must(sys_memory_create(4096, 0), "memory");
    volatile uint64_t *rung = peer_map(shared);
    const struct spawn_handle handles[] = {
        {"ring", bell, 0}, {"wait", rest, 0}, {"memory", shared, 0}};
    entered = 0;
    int peer = peer_start("ring", handles, 3, PRIORITY_BELOW);
    sleep_until_entered();
    sys_notification_poll(n, 1);
    for (int i = 0; i < ROUNDS; i++) {
        entered = 0;
        sys_doorbell_ring(go);
        sleep_until_entered();
        samples[i] = entered - *rung - COUNT_COST;
        sys_notification_poll(n, 1);
    }
    row("doorbell-to-handler-waiting", delivery, "instructions", 1);
    peer_end(peer);
    uintr_bind(0);
    peer_unmap(rung);
    sys_handle_close(shared);
    sys_handle_close(go);
    sys_handle_close(rest);
    sys_handle_close(bell);
    sys_handle_close(n);
}

/* One CSR read, one write, and a uret to the next instruction. */
static void csrs(void)
{
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t before = count();
        uintr_csr_read(CSR_USCRATCH);
        samples[i] = count() - before - COUNT_COST;
    }
    row("csr-read", delivery, "instructions", 1);
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t before = count();
        uintr_csr_clear(CSR_UIP, UIRQ_SOFT);
        samples[i] = count() - before - COUNT_COST;
    }
    row("csr-clear-uip", delivery, "instructions", 1);
    uintr_disable();
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t before, after, target;
        __asm__ volatile(
            "la %2, 1f\n csrw " UINTR_STRING(CSR_UEPC) ", %2\n"
                                                       "rdcycle %0\n"
                                                       ".word 0x00200073\n"
                                                       "1: rdcycle %1"
            : "=&r"(before), "=&r"(after), "=&r"(target)
            :
            : "memory");
        samples[i] = after - before - COUNT_COST;
        uintr_disable();
    }
    row("uret", delivery, "instructions", 1);
    uintr_enable();
}

void measure_uintr(struct rtc *device)
{
    int64_t kind = uintr_init();

    if (kind == E_UNSUPPORTED)
        return; /* a hart without N, and firmware that is not ours */
    delivery = must(kind, "uintr") == DELIVERY_NATIVE ? "native" : "emulated";
    rtc = *device;
    switch_added("switch-added-state", delivery);
    uintr_on_source(RTC_SOURCE, on_alarm, NULL);
    must(sys_irq_attach(rtc.irq), "attach");
    switch_added("switch-added-page", delivery);
    uintr_enable();
    running();
    sample_whole(&rtc);
    row("interrupt-running-whole", delivery, "instructions", 1);
    idle();
    busy();
    preempted();
    software();
    csrs();
    must(sys_irq_release(rtc.irq), "release");
}
