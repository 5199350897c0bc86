/*
 * What it costs to complete in the right PLIC context without the virtual page:
 * the retry loop and the restartable sequence (docs/design/interrupts.md). A
 * whole interrupt of a driver that computes, and what a context switch costs
 * more because a process takes user interrupts, with one source.
 */
#include <uinta/process.h>
#include <uinta/thread.h>
#include <uinta/uintr.h>
#include "abi/startup.h"
#include "device.h"
#include "micro.h"

static struct rtc rtc;

static const struct remedy {
    int64_t (*init)(handle_t system);
    const char *whole, *moved;
} remedies[] = {
    {uintr_init_retry, "interrupt-whole-retry", "switch-added-retry"},
    {uintr_init_rseq, "interrupt-whole-rseq", "switch-added-rseq"},
};

/* Two switches, to an equal in another process and back, into the samples. */
static void switches(void)
{
    handle_t n = must(sys_notification_create(), "notification");
    handle_t bell = must(sys_doorbell_create(n, 1), "doorbell");
    const struct spawn_handle handles[] = {{"ring", bell, 0}};
    int peer = peer_start("yield", handles, 1, PRIORITY_MAIN);

    must(sys_notification_wait(n, 1, DEADLINE_NEVER), "peer");
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t start = count();
        sys_thread_yield();
        samples[i] = count() - start - COUNT_COST;
    }
    peer_end(peer);
    sys_handle_close(bell);
    sys_handle_close(n);
}

/* Two switches while nobody has user interrupts. */
static uint64_t without;

void switch_added(const char *name, const char *delivery)
{
    switches();
    for (int i = 0; i < ROUNDS; i++)
        samples[i] -= without;
    row(name, delivery, "instructions", 2);
}

/* In a thread of its own, for a process has one that takes user interrupts. */
static int64_t measure(void *argument)
{
    const struct remedy *r = argument;
    int64_t kind = r->init(startup_handle("system"));

    if (kind == E_UNSUPPORTED)
        return 0;
    must(kind, r->whole);
    const char *delivery = kind == DELIVERY_NATIVE ? "native" : "emulated";
    uintr_on_source(RTC_SOURCE, on_alarm_plain, (void *)rtc.base);
    must(sys_irq_attach(rtc.irq), "attach");
    uintr_enable();
    sample_whole(&rtc);
    row(r->whole, delivery, "instructions", 1);
    switch_added(r->moved, delivery);
    must(sys_irq_release(rtc.irq), "release");
    return 0;
}

/* A driver that is put away while others switch. */
struct sleeper {
    handle_t wake;
    int64_t kind;
};

static int64_t sleep_with_state(void *argument)
{
    struct sleeper *s = argument;

    s->kind = uintr_init();
    if (s->kind == E_UNSUPPORTED)
        return 0;
    must(s->kind, "user interrupts");
    uintr_on_source(RTC_SOURCE, on_alarm_plain, (void *)rtc.base);
    must(sys_irq_attach(rtc.irq), "attach");
    uintr_enable();
    must(sys_notification_wait(s->wake, 1, DEADLINE_NEVER), "wake");
    must(sys_irq_release(rtc.irq), "release");
    return 0;
}

/* What somebody else's state costs those who have none. */
static void bystanders(void)
{
    struct sleeper s = {
        .wake = must(sys_notification_create(), "notification"),
        .kind = E_UNSUPPORTED,
    };
    handle_t bell = must(sys_doorbell_create(s.wake, 1), "doorbell");
    struct thread t;

    must(thread_start(&t, sleep_with_state, &s, PRIORITY_MAIN), "thread");
    sys_thread_yield(); /* it is asleep before we go on */
    if (s.kind >= 0)
        switch_added("switch-added-none",
                     s.kind == DELIVERY_NATIVE ? "native" : "emulated");
    sys_doorbell_ring(bell);
    thread_join(&t);
    sys_handle_close(bell);
    sys_handle_close(s.wake);
}

void measure_remedies(struct rtc *device)
{
    rtc = *device;
    switches();
    without = samples[0];
    for (int i = 1; i < ROUNDS; i++)
        without = samples[i] < without ? samples[i] : without;
    bystanders();
    for (size_t i = 0; i < sizeof(remedies) / sizeof(remedies[0]); i++) {
        struct thread t;
        must(thread_start(&t, measure, (void *)&remedies[i], PRIORITY_MAIN),
             "thread");
        thread_join(&t);
    }
}
