/*
 * A program of another process that computes, below or above the driver in
 * priority, and knows how many instructions it lost to an interrupt.
 */
#ifndef MICRO_BURNER_H
#define MICRO_BURNER_H

#include <stdint.h>
#include "abi/object.h"

struct burner {
    int pid;
    handle_t memory, rested, start; /* notification: rung when it rests */
    handle_t bell_rested, bell_start;
    volatile uint64_t *loss; /* instructions, see burn() in peer.c */
};

void burner_open(struct burner *b, int priority);
void burner_close(struct burner *b);

/* It computes from now on (above our priority: at once), until it loses. */
void burner_run(struct burner *b);
/* Sleeps until it has lost the hart; returns the instructions lost. */
uint64_t burner_wait(struct burner *b);

#endif
