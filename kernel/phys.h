/*
 * Physical memory as the kernel addresses it. A host build of frame.c or
 * pool.c gives PHYS_OFFSET its own value.
 */
#pragma once

#include <stdint.h>

#ifndef PHYS_OFFSET
#include "kernel/offsets.h"
#define PHYS_OFFSET KERNEL_BASE
#endif

static inline void *phys_to_virt(uint64_t physical)
{
    return (void *)(uintptr_t)(physical + PHYS_OFFSET);
}

static inline uint64_t virt_to_phys(const void *virtual)
{
    return (uint64_t)(uintptr_t) virtual - PHYS_OFFSET;
}
