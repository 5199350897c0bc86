/*
 * The machine as the device tree describes it. Read once by the boot hart,
 * constant afterwards. Nothing about a machine is known from elsewhere.
 */
#pragma once

#include "abi/startup.h"
#include "kernel/lib.h"

enum { MACHINE_RESERVED_MAX = 16 };

struct machine {
    uint64_t ram, ram_end;       /* physical */
    uint64_t boot_hart;          /* hart id, set before machine_read */
    uint64_t timebase;           /* Hz */
    bool sstc;                   /* every hart has stimecmp */
    uint32_t harts, harts_found; /* used, present */
    struct machine_hart {
        uint64_t id;
        uint32_t intc;                /* phandle */
        int32_t context_s, context_u; /* PLIC contexts, -1 = none */
    } hart[HARTS_MAX];
    uint64_t plic, plic_size;
    uint32_t plic_sources;
    uint64_t archive, archive_end; /* boot archive (initrd), 0 = none */
    char bootargs[BOOT_ARGS_SIZE];
    uint32_t device_count;
    struct boot_device device[BOOT_DEVICES_MAX];
    uint32_t reserved_count;
    struct {
        uint64_t start, end;
    } reserved[MACHINE_RESERVED_MAX]; /* firmware, device tree, archive */
};

extern struct machine machine;

/* Panics with what is missing: memory, harts, timebase, PLIC contexts. */
void machine_read(uint64_t fdt_physical);
