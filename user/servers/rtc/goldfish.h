/*
 * The goldfish real-time clock: nanoseconds since 1970 in two halves, one
 * alarm, one level interrupt. Inline, because each function is one to three
 * accesses of the device and the benchmarks count them.
 *
 * Registers as in "Goldfish virtual hardware" (Android's documentation) and
 * QEMU's hw/rtc/goldfish_rtc.c; 32 bits each. Reading TIME_LOW latches
 * TIME_HIGH; writing ALARM_LOW arms the alarm with what ALARM_HIGH holds, and
 * one that is not in the future raises the interrupt within that very store.
 */
#ifndef RTC_GOLDFISH_H
#define RTC_GOLDFISH_H

#include <stdint.h>

enum {
    GOLDFISH_TIME_LOW = 0x00,
    GOLDFISH_TIME_HIGH = 0x04,
    GOLDFISH_ALARM_LOW = 0x08,
    GOLDFISH_ALARM_HIGH = 0x0c,
    GOLDFISH_IRQ_ENABLED = 0x10,
    GOLDFISH_CLEAR_ALARM = 0x14,
    GOLDFISH_CLEAR_INTERRUPT = 0x1c,
};

static inline volatile uint32_t *goldfish_reg(volatile void *base,
                                              uint32_t offset)
{
    return (volatile uint32_t *)((volatile char *)base + offset);
}

/* Now, in ns since 1970. */
static inline uint64_t goldfish_time(volatile void *base)
{
    uint64_t low = *goldfish_reg(base, GOLDFISH_TIME_LOW);

    return (uint64_t)*goldfish_reg(base, GOLDFISH_TIME_HIGH) << 32 | low;
}

/* Raise the interrupt at that time, in ns since 1970; at once if it is past. */
static inline void goldfish_alarm(volatile void *base, uint64_t ns)
{
    *goldfish_reg(base, GOLDFISH_ALARM_HIGH) = (uint32_t)(ns >> 32);
    *goldfish_reg(base, GOLDFISH_ALARM_LOW) = (uint32_t)ns;
}

/* No alarm; an interrupt that was raised stays. */
static inline void goldfish_disarm(volatile void *base)
{
    *goldfish_reg(base, GOLDFISH_CLEAR_ALARM) = 0;
}

/* Lower the interrupt line. */
static inline void goldfish_clear(volatile void *base)
{
    *goldfish_reg(base, GOLDFISH_CLEAR_INTERRUPT) = 0;
}

/* From any state: no alarm, no interrupt, and then interrupts on or off. */
static inline void goldfish_reset(volatile void *base, int interrupts)
{
    *goldfish_reg(base, GOLDFISH_IRQ_ENABLED) = 0;
    goldfish_disarm(base);
    goldfish_clear(base);
    *goldfish_reg(base, GOLDFISH_IRQ_ENABLED) = interrupts;
}

#endif
