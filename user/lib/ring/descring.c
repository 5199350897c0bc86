/*
 * Descriptor ring: see uinta/descring.h. The index protocol is ring.c's, with
 * a descriptor as its unit; here are only the copy in and out and the
 * bookkeeping of who holds which bytes of the region.
 */
#include "uinta/descring.h"

enum { SHIFT_MAX = 30, BITS = 64 };

int desc_pool_init(struct desc_pool *pool, uint64_t size, uint32_t shift,
                   uint64_t *held)
{
    if (!size || shift > SHIFT_MAX || !held ||
        size > UINT64_MAX - (1UL << SHIFT_MAX))
        return E_ARG;
    *pool = (struct desc_pool){.size = size, .shift = shift, .held = held};
    for (uint64_t i = 0; i < DESC_POOL_WORDS(size, shift); i++)
        held[i] = 0;
    return OK;
}

/* Inside the region? Written so that no sum can overflow. */
static bool inside(const struct desc_pool *pool, const struct desc *d)
{
    return d->length >= 1 && d->length <= pool->size &&
           d->offset <= pool->size - d->length;
}

static bool unit_held(const struct desc_pool *pool, uint64_t unit)
{
    return pool->held[unit / BITS] >> (unit % BITS) & 1;
}

/* All units of d: equal to `value`? */
static bool all_units(const struct desc_pool *pool, const struct desc *d,
                      bool value)
{
    uint64_t last = (d->offset + d->length - 1) >> pool->shift;
    for (uint64_t unit = d->offset >> pool->shift; unit <= last; unit++)
        if (unit_held(pool, unit) != value)
            return false;
    return true;
}

static void flip_units(struct desc_pool *pool, const struct desc *d)
{
    uint64_t last = (d->offset + d->length - 1) >> pool->shift;
    for (uint64_t unit = d->offset >> pool->shift; unit <= last; unit++)
        pool->held[unit / BITS] ^= 1UL << (unit % BITS);
}

int desc_pool_hold(struct desc_pool *pool, const struct desc *desc)
{
    if (!inside(pool, desc) || !all_units(pool, desc, false))
        return E_PROTOCOL;
    flip_units(pool, desc);
    return OK;
}

int desc_pool_release(struct desc_pool *pool, const struct desc *desc)
{
    if (!inside(pool, desc) || !all_units(pool, desc, true))
        return E_ARG;
    flip_units(pool, desc);
    return OK;
}

static bool data_ok(const void *data)
{
    return (uintptr_t)data % _Alignof(struct desc) == 0;
}

int descring_init(struct ring *r, enum ring_role role,
                  struct ring_shared *shared, void *data, uint64_t capacity)
{
    return data_ok(data) ? ring_init(r, role, shared, data, capacity) : E_ARG;
}

int descring_attach(struct ring *r, enum ring_role role,
                    struct ring_shared *shared, void *data, uint64_t capacity)
{
    return data_ok(data) ? ring_attach(r, role, shared, data, capacity) : E_ARG;
}

/* The place of this side's next descriptor. */
static volatile struct desc *here(const struct ring *r)
{
    return (volatile struct desc *)r->data + ring_slot(r, r->own);
}

int descring_put(struct ring *r, const struct desc *desc)
{
    int64_t space = ring_available(r, 1);
    if (space <= 0)
        return (int)space;
    *here(r) = *desc;
    ring_publish(r, 1);
    return 1;
}

int descring_get(struct ring *r, struct desc_pool *pool, struct desc *out)
{
    int64_t content = ring_available(r, 1);
    if (content <= 0)
        return (int)content;
    /* volatile: one copy, and the checks below are of that copy. */
    struct desc copy = *here(r);
    ring_publish(r, 1);
    if (pool && desc_pool_hold(pool, &copy) != OK)
        return E_PROTOCOL;
    *out = copy;
    return 1;
}
