/*
 * The goldfish RTC as a source of interrupts for tests: an alarm in the past
 * raises its line at once, rtc_clear() lowers it.
 */
#ifndef TEST_RTC_H
#define TEST_RTC_H

#include "guest.h"

enum { RTC_SOURCE = 11 };

enum {
    RTC_TIME_LOW = 0x00,
    RTC_TIME_HIGH = 0x04,
    RTC_ALARM_LOW = 0x08,
    RTC_ALARM_HIGH = 0x0c,
    RTC_IRQ_ENABLED = 0x10,
    RTC_CLEAR_ALARM = 0x14,
    RTC_CLEAR_INTERRUPT = 0x1c
};

#define RTC_REG(base, offset) (*(volatile uint32_t *)((base) + (offset)))

static inline __attribute__((always_inline)) void rtc_raise_at(uint64_t base)
{
    RTC_REG(base, RTC_IRQ_ENABLED) = 1;
    RTC_REG(base, RTC_ALARM_HIGH) = 0;
    RTC_REG(base, RTC_ALARM_LOW) = 1;
}

static inline __attribute__((always_inline)) void rtc_clear_at(uint64_t base)
{
    RTC_REG(base, RTC_CLEAR_INTERRUPT) = 1;
}

static __attribute__((unused)) struct irq_info rtc_info(void)
{
    struct irq_info info;
    for (uint64_t i = 0; sys_system_info(test_system, INFO_IRQ, i,
                                         (uint64_t)&info, sizeof(info)) == OK;
         i++)
        if (info.source == RTC_SOURCE)
            return info;
    return (struct irq_info){.source = RTC_SOURCE};
}

static uint64_t rtc; /* where it is mapped */
static handle_t rtc_irq, rtc_mmio;

/*
 * Maps it once; the case is skipped where there is none. What a failed case
 * has left as its owner goes.
 */
static __attribute__((unused)) void rtc_need(void)
{
    rtc_irq = startup_handle("irq11");
    rtc_mmio = startup_handle("mmio11");
    if (!rtc_irq || !rtc_mmio)
        SKIP("no RTC handles");
    if (!rtc)
        rtc = (uint64_t)map_memory(rtc_mmio, PAGE_SIZE, PROT_R | PROT_W);
    CHECK(rtc);
    rtc_clear_at(rtc);
    uint32_t owner = rtc_info().pid;
    if (owner && owner != startup_get()->pid) {
        sys_system_kill(test_system, owner, 1);
        EVENTUALLY(rtc_info().pid == 0, 1000);
    }
}

/* An interrupt in `ns` of the RTC's own time. */
static __attribute__((unused)) void rtc_alarm_in(uint64_t ns)
{
    uint64_t now = RTC_REG(rtc, RTC_TIME_LOW);
    now |= (uint64_t)RTC_REG(rtc, RTC_TIME_HIGH) << 32;
    now += ns;
    RTC_REG(rtc, RTC_IRQ_ENABLED) = 1;
    RTC_REG(rtc, RTC_ALARM_HIGH) = now >> 32;
    RTC_REG(rtc, RTC_ALARM_LOW) = now;
}

#endif
