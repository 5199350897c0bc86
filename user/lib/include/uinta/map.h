/*
 * Mapping memory objects into this process. Owns the addresses from USER_MAPS
 * to USER_MAPS_END (abi/layout.h) and hands them out page by page, first fit,
 * with an unmapped page behind each mapping so that an overrun faults. The
 * malloc heap has the first part of that range for itself. Safe from any thread.
 */
#ifndef UINTA_MAP_H
#define UINTA_MAP_H

#include <stddef.h>
#include "abi/layout.h"
#include "abi/object.h"

enum { MAPS_MAX = 512 }; /* mappings a process can have at a time */

/*
 * Map the first `size` bytes (rounded up to pages) of `memory`; `prot` of
 * PROT_*. NULL with errno set: bad handle, right or size, no room.
 */
void *map_memory(handle_t memory, size_t size, int prot);

/* The same from a page-aligned byte offset in the object. */
void *map_memory_at(handle_t memory, size_t offset, size_t size, int prot);

/*
 * Undo one map_memory: its address and its size. Negative enum error, nothing
 * changed, if that is no such mapping.
 */
int unmap_memory(void *address, size_t size);

/* Where the heap may grow: addresses for user/lib/sys/heap.c. */
#define HEAP_START USER_MAPS
#define HEAP_END   (USER_MAPS + 0x10000000UL)

static inline size_t page_round(size_t size)
{
    return (size + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
}

#endif
