/*
 * What the parts of the micro benchmark share: counting instructions,
 * keeping rows, and the second process ("peer") of those rows that need one.
 *
 * Instructions are counted by rdcycle, which under QEMU's -icount shift=0
 * advances by one an instruction, of all privilege levels, exactly, and by
 * the nanoseconds slept where a hart sleeps (-icount sleep=off). Between two
 * readings lies the second reading itself: COUNT_COST, subtracted everywhere.
 */
#ifndef MICRO_H
#define MICRO_H

#include <stddef.h>
#include <stdint.h>
#include <uinta/ipc.h>
#include <uinta/spawn.h>
#include "abi/errors.h"
#include "gen/syscalls.h"

enum { ROUNDS = 1000, COUNT_COST = 1 };

/* Priorities: peers that serve above, programs that burn time below. */
enum { PRIORITY_MAIN = 4, PRIORITY_ABOVE = 5, PRIORITY_BELOW = 2 };

static inline uint64_t count(void)
{
    uint64_t value;
    __asm__ volatile("rdcycle %0" : "=r"(value) : : "memory");
    return value;
}

/* Samples of the row being measured, one a round. */
extern uint64_t samples[ROUNDS];

/*
 * Keep the samples as a row, to be printed at the end (the console's driver
 * would otherwise run during the next). Each sample is divided by `divisor`.
 */
void row(const char *name, const char *delivery, const char *unit,
         uint64_t divisor);

/* Print all rows, a line of JSON each. */
void rows_print(void);

/* Ends the program with a message if result is an error. */
int64_t must(int64_t result, const char *what);

/* This program again, as `micro peer ROLE`. Returns its pid. */
int peer_start(const char *role, const struct spawn_handle *handles,
               size_t handle_count, int priority);
void peer_end(int pid);
/* A page of memory shared with it. */
volatile uint64_t *peer_map(handle_t memory);
void peer_unmap(volatile uint64_t *page);
/* Its side: a function for each role; returns main's value. */
int peer_main(const char *role);

/* In the files of these names: all their rows. */
void measure_calls(void);
void measure_messages(void);
void measure_other(void);
struct rtc;
void measure_notify(struct rtc *device);
void measure_remedies(struct rtc *device);
/* The least handler: it lowers the line of the RTC at `base`. */
void on_alarm_plain(void *base);
/* Samples: whole interrupts of the RTC, attached to this thread, running. */
void sample_whole(const struct rtc *device);
/*
 * A row: what a switch to or from this process costs more than before
 * measure_remedies(), half of there and back.
 */
void switch_added(const char *name, const char *delivery);
void measure_uintr(struct rtc *device);

#endif
