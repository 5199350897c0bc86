/*
 * newlib's <time.h>, and the POSIX clocks that it only declares on systems it
 * knows.
 */
#ifndef UINTA_TIME_H
#define UINTA_TIME_H

#include_next <time.h>
#include <sys/types.h>
#include <sys/_timespec.h>

#ifndef CLOCK_REALTIME
#define CLOCK_REALTIME ((clockid_t)1)
#endif
#ifndef CLOCK_MONOTONIC
#define CLOCK_MONOTONIC ((clockid_t)4)
#endif

int clock_gettime(clockid_t clock, struct timespec *time);
int clock_getres(clockid_t clock, struct timespec *resolution);
int nanosleep(const struct timespec *time, struct timespec *left);

#endif
