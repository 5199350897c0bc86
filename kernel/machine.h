/*
 * The machine as the device tree describes it, as far as the kernel needs it:
 * devices are init's affair. Read once by the boot hart, constant afterwards.
 * Nothing about a machine is known from elsewhere.
 */
#pragma once

#include "abi/object.h"
#include "kernel/lib.h"

enum { MACHINE_RESERVED_MAX = 16 };

struct range {
    uint64_t start, end; /* physical */
};

struct machine {
    struct range ram, plic, sswi;
    struct range archive;        /* boot archive (initrd), empty = none */
    struct range tree;           /* the device tree itself */
    uint64_t boot_hart;          /* hart id, set before machine_read */
    uint64_t timebase;           /* Hz */
    bool sstc;                   /* every hart has stimecmp */
    uint32_t harts, harts_found; /* used, present */
    struct machine_hart {
        uint64_t id;
        uint32_t intc;                /* phandle */
        int32_t context_s, context_u; /* PLIC contexts, -1 = none */
        uint32_t *sswi; /* its register of the ACLINT, NULL = none */
    } hart[HARTS_MAX];
    uint32_t plic_sources;
    uint32_t reserved_count;
    struct range reserved[MACHINE_RESERVED_MAX]; /* firmware, tree, archive */
};

extern struct machine machine;

/* Panics with what is missing: memory, harts, timebase, PLIC contexts. */
void machine_read(uint64_t fdt_physical);
