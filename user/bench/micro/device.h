/*
 * The device of the interrupt rows: QEMU virt's goldfish RTC, with an alarm
 * at a given instruction. init gives a program that is started by run= the
 * devices that no service drives, by number of source.
 */
#ifndef MICRO_DEVICE_H
#define MICRO_DEVICE_H

#include <stdint.h>
#include "abi/object.h"
#include "user/servers/rtc/goldfish.h"

enum { RTC_SOURCE = 11 }; /* hw/riscv/virt.h */

struct rtc {
    volatile void *base;
    handle_t irq;
    uint64_t epoch; /* the RTC's time when the counter was 0, ns */
};

/*
 * Maps and resets it. The RTC's nanoseconds and the counter are the same clock
 * (-icount shift=0, -rtc clock=vm) up to a constant, which is measured here;
 * ends the program if it is not constant.
 */
void rtc_open(struct rtc *rtc);

/*
 * The interrupt line rises when exactly `counter` instructions have been
 * executed: an instruction that reads the counter right behind it would read
 * counter + 1.
 */
static inline void rtc_alarm_at(const struct rtc *rtc, uint64_t counter)
{
    goldfish_alarm(rtc->base, rtc->epoch + counter);
}

#endif
