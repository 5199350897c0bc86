/*
 * malloc's memory: newlib asks for more at the end, we map memory objects one
 * behind the other, bigger each time so that a large heap has few of them. It
 * never shrinks. Called with malloc's lock held.
 */
#include <errno.h>
#include <stddef.h>
#include <uinta/map.h>
#include <uinta/process.h>
#include "abi/object.h"
#include "gen/syscalls.h"

enum { CHUNK_MIN = 4 * 4096, CHUNK_MAX = 1 << 20 };

static uintptr_t heap_break = HEAP_START; /* end of what malloc has */
static uintptr_t heap_mapped = HEAP_START;

/* One more object of `size` bytes at the end of what is mapped. */
static int64_t grow(size_t size)
{
    int64_t memory = sys_memory_create(size, 0);
    if (memory < 0)
        return memory;
    int64_t error = sys_process_map(0, (uint64_t)memory, heap_mapped, 0, size,
                                    PROT_R | PROT_W);
    sys_handle_close((uint64_t)memory); /* the mapping keeps the pages */
    if (error >= 0)
        heap_mapped += size;
    return error;
}

void *_sbrk(ptrdiff_t change)
{
    uintptr_t old = heap_break;
    if (change < 0 || (size_t)change > HEAP_END - heap_break) {
        errno = change < 0 ? EINVAL : ENOMEM;
        return (void *)-1;
    }
    while (heap_mapped - heap_break < (size_t)change) {
        size_t want = page_round((size_t)change - (heap_mapped - heap_break));
        size_t chunk = (heap_mapped - HEAP_START) / 2;
        chunk = chunk < CHUNK_MIN   ? CHUNK_MIN
                : chunk > CHUNK_MAX ? CHUNK_MAX
                                    : page_round(chunk);
        if (chunk < want)
            chunk = want < MEMORY_SIZE_MAX ? want : MEMORY_SIZE_MAX;
        if (chunk > HEAP_END - heap_mapped)
            chunk = HEAP_END - heap_mapped;
        /* Short of memory: try for just enough before giving up. */
        int64_t error = grow(chunk);
        if (error < 0 && chunk > want)
            error = grow(want);
        if (error < 0) {
            error_set(error);
            return (void *)-1;
        }
    }
    heap_break += (size_t)change;
    return (void *)old;
}
