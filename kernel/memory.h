/*
 * Memory objects: pages of RAM (scattered or contiguous), the registers of a
 * device, or a slice of another object. Kernel lock held.
 */
#pragma once

#include "kernel/object.h"

enum { MEMORY_INLINE_PAGES = 8 };

struct memory {
    struct object object;
    uint64_t size;         /* bytes, whole pages */
    uint64_t base;         /* physical, if contiguous; else 0 */
    bool owned;            /* frames go back when the object goes */
    struct memory *parent; /* slice: keeps this alive; offset in it */
    uint64_t parent_offset;
    uint64_t *pages; /* scattered: one physical address a page, */
    uint64_t few[MEMORY_INLINE_PAGES]; /* here if they fit, else a frame */
};

/* Zeroed RAM; NULL: no memory. size in (0, MEMORY_SIZE_MAX]. */
struct memory *memory_new(uint64_t size, bool contiguous);
/* Physical memory that somebody else owns: devices, boot images. */
struct memory *memory_new_fixed(uint64_t base, uint64_t size);
void memory_destroy(struct object *object);

/* Physical address of the page at this byte offset. */
uint64_t memory_page(struct memory *m, uint64_t offset);
