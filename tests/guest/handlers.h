/* The test program as its own driver: handlers of the three classes of user
 * interrupts, and the RTC as the device. */
#ifndef TEST_HANDLERS_H
#define TEST_HANDLERS_H

#include <uinta/thread.h>
#include <uinta/uintr.h>
#include "child.h"
#include "rtc.h"

static volatile uint64_t externals, softs, timers;
static volatile int raise_in_handler;

static __attribute__((unused)) void on_rtc(void *arg)
{
    (void)arg;
    rtc_clear_at(rtc);
    externals++;
    if (raise_in_handler) {
        raise_in_handler--;
        rtc_raise_at(rtc);
    }
}

static volatile bool soft_raises;

static __attribute__((unused)) void on_soft(void *arg)
{
    (void)arg;
    softs++;
    if (soft_raises)
        rtc_raise_at(rtc);
}

static volatile uint64_t next_deadline = DEADLINE_NEVER;

static __attribute__((unused)) uint64_t on_timer(void *arg)
{
    (void)arg;
    timers++;
    uint64_t next = next_deadline;
    next_deadline = DEADLINE_NEVER;
    return next;
}

static handle_t note, bell; /* bound: ringing it raises USIP */

/* Registered once, owner of the RTC, handlers in place, UIE clear. */
static __attribute__((unused)) void ready(void)
{
    static bool registered;
    NEED_UINTR();
    rtc_need();
    if (!registered) {
        CHECK(MUST(uintr_init()) > 0);
        registered = true;
        note = MUST(sys_notification_create());
        bell = MUST(sys_doorbell_create(note, 1));
        MUST(uintr_on_source(RTC_SOURCE, on_rtc, NULL));
        uintr_on_soft(on_soft, NULL);
        uintr_on_timer(on_timer, NULL);
        MUST(sys_irq_attach(rtc_irq));
    }
    uintr_disable();
    uintr_csr_write(CSR_UIE, UIRQ_ALL);
    sys_uintr_timer(DEADLINE_NEVER);
    sys_uintr_bind(0);
    uintr_csr_clear(CSR_UIP, UIRQ_SOFT);
    raise_in_handler = 0;
    soft_raises = false;
    next_deadline = DEADLINE_NEVER;
    uintr_unexpected = 0;
    rtc_clear_at(rtc);
    uintr_enable();
    uintr_disable();
    externals = softs = timers = 0;
}

#define DURING(us, condition)                          \
    ({                                                 \
        uint64_t until_ = clock_deadline((us)*1000UL); \
        while (!(condition) && clock_ticks() < until_) \
            ;                                          \
        (condition);                                   \
    })

enum { LONG_US = 3000000 };

#endif
