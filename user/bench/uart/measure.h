/* What measure.c lets run and looks at: setup.c makes it. */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include "abi/info.h"
#include "row.h"

/* One end of the wire: driver, client, and who competes with the driver. */
struct end {
    struct report *report;
    handle_t memory;      /* of the report */
    handle_t go, stop;    /* doorbells to the client */
    handle_t wait, start; /* its notifications */
    handle_t mmio, irq, service;
    int driver, client; /* pids, 0 = none */
};

struct setup {
    const struct row *row;
    handle_t system;
    unsigned harts;
    struct end end[ENDS];
};

/*
 * Clients take bytes some thousand at a time. So that this does not show in a
 * rate, `at` is when the last of `received` was taken.
 */
struct snapshot {
    uint64_t ns;
    uint64_t idle[HARTS_MAX]; /* ticks */
    uint64_t sent[ENDS], received[ENDS], at[ENDS], interrupts[ENDS],
        slept[ENDS];
    uint64_t reads[ENDS];
    uint64_t client[ENDS], driver[ENDS]; /* instructions: ns */
    uint64_t rounds[ENDS];               /* of the computing processes */
};

/* Both drivers, then both clients, connected; ends the program if not. */
void setup_start(struct setup *s, const struct row *row, char **words);
void setup_go(const struct setup *s);

/* Ends the program, with the reason, if a driver or client has gone. */
void setup_check(const struct setup *s);

/* Interrupts of a source so far, whoever claimed them. */
uint64_t setup_interrupts(const struct setup *s, uint32_t source);
/* What the threads of a process have used by the kernel's account, in ns. */
uint64_t setup_instructions(const struct setup *s, int pid);

const char *setup_delivery(const struct row *row);
/* The drivers' own counters of the whole run, as one more field of the row. */
void setup_print_counters(const struct setup *s);

#endif
