/* The goldfish RTC and the instruction counter as one clock. */
#include "device.h"
#include <stdio.h>
#include <stdlib.h>
#include <uinta/map.h>
#include <uinta/process.h>
#include "micro.h"

/*
 * Three neighbouring instructions: if the clocks are the same, the counter
 * goes up by 2 around the access and the RTC was read in the middle.
 */
static uint64_t epoch(const struct rtc *rtc)
{
    volatile uint32_t *low = goldfish_reg(rtc->base, GOLDFISH_TIME_LOW);
    uint64_t before, after, time;

    __asm__ volatile("rdcycle %0\n lwu %1, (%3)\n rdcycle %2"
                     : "=&r"(before), "=&r"(time), "=&r"(after)
                     : "r"(low)
                     : "memory");
    if (after - before != 2) {
        printf("micro: the counter went up by %lu in 2 instructions: no "
               "-icount shift=0 (`make bench BENCH=micro` has it)\n",
               after - before);
        exit(1);
    }
    time |= (uint64_t)*goldfish_reg(rtc->base, GOLDFISH_TIME_HIGH) << 32;
    return time - (before + 1);
}

void rtc_open(struct rtc *rtc)
{
    char name[12];

    snprintf(name, sizeof(name), "irq%d", RTC_SOURCE);
    rtc->irq = startup_handle(name);
    snprintf(name, sizeof(name), "mmio%d", RTC_SOURCE);
    handle_t mmio = startup_handle(name);
    rtc->base =
        rtc->irq && mmio ? map_memory(mmio, PAGE_SIZE, PROT_R | PROT_W) : NULL;
    if (!rtc->base) {
        printf(
            "micro: no %s given: `make bench BENCH=micro` or run=/bench/micro "
            "does\n",
            name);
        exit(1);
    }
    goldfish_reset(rtc->base, 0);
    rtc->epoch = epoch(rtc);
    for (int i = 0; i < 100; i++) {
        if (epoch(rtc) == rtc->epoch)
            continue;
        printf("micro: the RTC does not run with the counter; is this "
               "-rtc clock=vm?\n");
        exit(1);
    }
    goldfish_reset(rtc->base, 1);
}
