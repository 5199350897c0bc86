/*
 * A source that nobody owns arrives all the same. The kernel never lets it
 * come so far, so tests/test_unowned.py enables it behind its back while this
 * program raises; it must be masked, counted once, and still can be owned.
 */
#include <stdio.h>
#include <uinta/clock.h>
#include <uinta/map.h>
#include <uinta/process.h>
#include "abi/info.h"
#include "abi/layout.h"
#include "gen/syscalls.h"

enum { SOURCE = 11, TRIES = 2000, MORE = 20 };
enum { ALARM_LOW = 0x08, ALARM_HIGH = 0x0c, IRQ_ENABLED = 0x10, CLEAR = 0x1c };

static volatile uint32_t *rtc; /* the goldfish RTC's registers */

static void raise(void)
{
    rtc[IRQ_ENABLED / 4] = 1;
    rtc[ALARM_HIGH / 4] = 0;
    rtc[ALARM_LOW / 4] = 1;
}

static uint64_t raise_once(void)
{
    struct irq_info info;
    raise();
    clock_sleep_ns(10 * 1000 * 1000);
    rtc[CLEAR / 4] = 1;
    for (uint64_t i = 0; sys_system_info(startup_handle("system"), INFO_IRQ, i,
                                         (uint64_t)&info, sizeof(info)) >= 0;
         i++)
        if (info.source == SOURCE)
            return info.masked;
    return 0;
}

int main(void)
{
    rtc = map_memory(startup_handle("mmio11"), PAGE_SIZE, PROT_R | PROT_W);
    int64_t n = sys_notification_create();
    int64_t bell = sys_doorbell_create(n, 1);
    if (!rtc || bell < 0)
        return 2;
    printf("masked %lu times\n", raise_once());
    fflush(stdout);
    uint64_t masked = 0;
    for (int i = 0; i < TRIES && !masked; i++)
        masked = raise_once();
    for (int i = 0; i < MORE; i++)
        masked = raise_once();
    printf("masked %lu times after it was enabled\n", masked);
    int64_t bound = sys_irq_bind(startup_handle("irq11"), bell);
    raise();
    int64_t event =
        sys_notification_wait(n, 1, clock_deadline(1000UL * 1000 * 1000));
    printf("owned: bind %ld, event %ld\n", bound, event);
    return masked == 1 && bound == 0 && event == 1 ? 0 : 1;
}
