/*
 * The devices of the machine, from its device tree, and the handles to them.
 * Nothing here ends the boot: a node that makes no sense is left out with a
 * line in the log, and the others are there.
 */
#ifndef INIT_DEVICES_H
#define INIT_DEVICES_H

#include <stdbool.h>
#include "abi/startup.h"

enum { DEVICES_MAX = 24 };

/* A node with registers. */
struct device_node {
    int node;           /* libfdt's offset of it */
    uint64_t base;      /* physical address, bytes */
    uint64_t size;      /* bytes */
    uint32_t source;    /* PLIC source, 0 = none */
    uint32_t clock;     /* "clock-frequency", Hz, 0 = not given */
    uint32_t reg_shift; /* "reg-shift", 0 = not given */
    handle_t mmio;      /* memory over base..base+size, whole pages */
    handle_t irq;       /* 0 = none */
};

/* The tree, read once; `system` makes the handles. */
void devices_read(const void *tree, handle_t system);

/* The n-th of all devices (from 0), in the tree's order; NULL past the end. */
const struct device_node *device_nth(int n);
/* The n-th that is compatible with `name`. */
const struct device_node *device_find(const char *name, int n);
bool device_is(const struct device_node *device, const char *name);

/*
 * The serial port for people: what /chosen stdout-path names if it is one,
 * else the first one; NULL: there is none.
 */
const struct device_node *device_console(void);

/* /chosen bootargs, "" if there are none. */
const char *device_bootargs(void);

#endif
