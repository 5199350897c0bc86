/* A slab is one frame: a header, then objects; free ones form a chain. */
#include "kernel/pool.h"
#include "kernel/frame.h"

struct slab {
    struct list node; /* in pool->slabs while it has a free object */
    void *free;
    uint64_t used;
};

static struct slab *slab_new(struct pool *pool)
{
    uint64_t frame = frame_alloc();
    struct slab *slab;

    if (!frame)
        return NULL;
    slab = phys_to_virt(frame);
    list_push(&pool->slabs, &slab->node);
    slab->free = NULL;
    slab->used = 0;
    for (char *o = (char *)(slab + 1);
         o + pool->size <= (char *)slab + PAGE_SIZE; o += pool->size) {
        *(void **)o = slab->free;
        slab->free = o;
    }
    return slab;
}

void *pool_alloc(struct pool *pool)
{
    struct slab *slab;
    void *object;

    if (!pool->slabs.next)
        list_init(&pool->slabs);
    slab = list_empty(&pool->slabs)
               ? slab_new(pool)
               : container_of(pool->slabs.next, struct slab, node);
    if (!slab)
        return NULL;
    object = slab->free;
    slab->free = *(void **)object;
    slab->used++;
    if (!slab->free)
        list_remove(&slab->node);
    pool->live++;
    return memset(object, 0, pool->size);
}

void pool_free(struct pool *pool, void *object)
{
    struct slab *slab =
        (struct slab *)((uintptr_t)object & ~(uintptr_t)(PAGE_SIZE - 1));

    assert(slab->used > 0);
    memset(object, 0xa5, pool->size);
    if (!slab->free)
        list_push_front(&pool->slabs, &slab->node);
    *(void **)object = slab->free;
    slab->free = object;
    slab->used--;
    pool->live--;
    if (slab->used == 0) {
        list_remove(&slab->node);
        frame_free(virt_to_phys(slab));
    }
}
