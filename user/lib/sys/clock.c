/*
 * Time: the kernel counts ticks since power-on and knows no date, so that
 * CLOCK_REALTIME and gettimeofday() count from power-on too.
 */
#include <errno.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>
#include <uinta/clock.h>
#include <uinta/process.h>
#include "gen/syscalls.h"

enum { NS_PER_S = 1000000000 };

uint64_t clock_ticks_from_ns(uint64_t ns)
{
    uint64_t hz = startup_get()->timebase;
    uint64_t seconds = ns / NS_PER_S, rest = ns % NS_PER_S;
    if (seconds >= DEADLINE_NEVER / 2 / hz)
        return DEADLINE_NEVER;
    return seconds * hz + (rest * hz + NS_PER_S - 1) / NS_PER_S;
}

uint64_t clock_ns_from_ticks(uint64_t ticks)
{
    uint64_t hz = startup_get()->timebase;
    return ticks / hz * NS_PER_S + ticks % hz * NS_PER_S / hz;
}

uint64_t clock_deadline(uint64_t ns)
{
    uint64_t ticks = clock_ticks_from_ns(ns), now = clock_ticks();
    return ticks >= DEADLINE_NEVER - now ? DEADLINE_NEVER : now + ticks;
}

void clock_sleep_ns(uint64_t ns)
{
    sys_notification_wait(0, 0, clock_deadline(ns));
}

static struct timespec now(void)
{
    uint64_t ns = clock_ns_from_ticks(clock_ticks());
    return (struct timespec){(time_t)(ns / NS_PER_S), (long)(ns % NS_PER_S)};
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
    if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC) {
        errno = EINVAL;
        return -1;
    }
    *time = now();
    return 0;
}

int clock_getres(clockid_t clock, struct timespec *resolution)
{
    if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC) {
        errno = EINVAL;
        return -1;
    }
    *resolution = (struct timespec){0, (long)clock_ns_from_ticks(1)};
    return 0;
}

int nanosleep(const struct timespec *time, struct timespec *left)
{
    if (time->tv_sec < 0 || time->tv_nsec < 0 || time->tv_nsec >= NS_PER_S) {
        errno = EINVAL;
        return -1;
    }
    uint64_t seconds = (uint64_t)time->tv_sec;
    if (seconds > UINT64_MAX / NS_PER_S - 1)
        seconds = UINT64_MAX / NS_PER_S - 1;
    clock_sleep_ns(seconds * NS_PER_S + (uint64_t)time->tv_nsec);
    if (left)
        *left = (struct timespec){0, 0};
    return 0;
}

unsigned sleep(unsigned seconds)
{
    clock_sleep_ns((uint64_t)seconds * NS_PER_S);
    return 0;
}

int usleep(useconds_t us)
{
    clock_sleep_ns((uint64_t)us * 1000);
    return 0;
}

int _gettimeofday(struct timeval *time, void *zone)
{
    (void)zone;
    struct timespec t = now();
    *time = (struct timeval){t.tv_sec, t.tv_nsec / 1000};
    return 0;
}

/* In CLOCKS_PER_SEC; the kernel's account of others' time is in `ps`. */
clock_t _times(struct tms *times)
{
    uint64_t ns = clock_ns_from_ticks(clock_ticks());
    clock_t ticks = (clock_t)(ns / (NS_PER_S / CLOCKS_PER_SEC));
    *times = (struct tms){.tms_utime = ticks};
    return ticks;
}
