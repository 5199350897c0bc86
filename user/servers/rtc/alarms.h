/*
 * Who is to be rung when: the alarms of all clients over the device's one.
 * Pure but for ringing: knows no register. One thread uses it at a time.
 */
#ifndef RTC_ALARMS_H
#define RTC_ALARMS_H

#include <stdint.h>
#include "abi/object.h"

enum { ALARMS_MAX = 32 };

/* Takes the doorbell over. E_LIMIT (the doorbell stays the caller's). */
int64_t alarms_add(uint64_t ns, handle_t doorbell);

/* Rings and closes the doorbells whose time is `now` or before. */
void alarms_ring(uint64_t now);

/* The earliest that is left, in ns; UINT64_MAX: none. */
uint64_t alarms_next(void);

#endif
