/*
 * Objects of one size, carved from frames and given back to them when a whole
 * frame is unused. Called with the kernel lock held.
 */
#pragma once

#include "kernel/lib.h"

struct pool {
    uint32_t size;     /* bytes of an object, a multiple of 8, <= 4000 */
    uint32_t live;     /* objects in use */
    struct list slabs; /* frames with a free object; zeroed = not begun */
};

void *pool_alloc(struct pool *pool); /* zeroed; NULL: out of memory */
void pool_free(struct pool *pool, void *object);
