/*
 * Which addresses of this process are in use: a sorted table of page ranges,
 * first fit. A table and not a tree: a process has tens of mappings, and the
 * table costs nothing until it is used.
 */
#include <errno.h>
#include <string.h>
#include <uinta/map.h>
#include <uinta/process.h>
#include <uinta/thread.h>
#include "abi/errors.h"
#include "gen/syscalls.h"

struct range {
    uint32_t page, pages; /* without the guard page behind */
};

enum {
    PAGES_START = HEAP_END / PAGE_SIZE,
    PAGES_END = USER_MAPS_END / PAGE_SIZE
};

static struct range ranges[MAPS_MAX];
static unsigned range_count;
static struct mutex lock;

/*
 * Take `pages` free pages and a guard page behind; 0 if there is no room.
 * Caller holds the lock.
 */
static uint32_t take(uint32_t pages)
{
    if (range_count == MAPS_MAX)
        return 0;
    uint32_t page = PAGES_START;
    unsigned i;
    for (i = 0; i < range_count; i++) {
        if (ranges[i].page - page > pages)
            break;
        page = ranges[i].page + ranges[i].pages + 1;
    }
    if (page >= PAGES_END || PAGES_END - page <= pages)
        return 0;
    memmove(&ranges[i + 1], &ranges[i], (range_count - i) * sizeof(ranges[0]));
    ranges[i] = (struct range){page, pages};
    range_count++;
    return page;
}

/* Index of the range that is exactly this one, -1 if there is none. */
static int find(uint32_t page, uint32_t pages)
{
    for (unsigned i = 0; i < range_count; i++)
        if (ranges[i].page == page && ranges[i].pages == pages)
            return (int)i;
    return -1;
}

static void drop(int i)
{
    range_count--;
    memmove(&ranges[i], &ranges[i + 1],
            (range_count - (unsigned)i) * sizeof(ranges[0]));
}

void *map_memory_at(handle_t memory, size_t offset, size_t size, int prot)
{
    if (size == 0 || size > USER_MAPS_END - HEAP_END) {
        errno = EINVAL;
        return NULL;
    }
    uint32_t pages = (uint32_t)(page_round(size) / PAGE_SIZE);
    mutex_lock(&lock);
    uint32_t page = take(pages);
    int64_t error = E_LIMIT;
    if (page) {
        error = sys_process_map(0, memory, page * PAGE_SIZE, offset,
                                pages * PAGE_SIZE, (uint64_t)prot);
        if (error < 0)
            drop(find(page, pages));
    }
    mutex_unlock(&lock);
    if (error < 0) {
        error_set(error);
        return NULL;
    }
    return (void *)(page * PAGE_SIZE);
}

void *map_memory(handle_t memory, size_t size, int prot)
{
    return map_memory_at(memory, 0, size, prot);
}

int unmap_memory(void *address, size_t size)
{
    uintptr_t at = (uintptr_t)address;
    size = page_round(size);
    mutex_lock(&lock);
    int i =
        at % PAGE_SIZE || size / PAGE_SIZE > PAGES_END
            ? -1
            : find((uint32_t)(at / PAGE_SIZE), (uint32_t)(size / PAGE_SIZE));
    int64_t error = i < 0 ? E_ARG : sys_process_unmap(0, at, size);
    if (error >= 0)
        drop(i);
    mutex_unlock(&lock);
    return (int)error;
}
