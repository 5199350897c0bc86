/*
 * Ring of descriptors: block requests, network frames, their completions.
 * A descriptor names bytes of a region that both sides map. Built on ring.h;
 * pure as well.
 *
 * struct desc_pool is the receiver's memory of which units of the region it
 * holds now: nothing outside the region is accepted, and no buffer that is
 * already held is accepted a second time. One pool serves a request ring and
 * the completion ring that gives the buffers back.
 */
#ifndef UINTA_DESCRING_H
#define UINTA_DESCRING_H

#include "uinta/ring.h"

struct desc {
    uint64_t offset; /* bytes from the start of the region */
    uint32_t length; /* bytes, >= 1 */
    uint32_t cookie; /* the submitter's, returned untouched */
};

_Static_assert(sizeof(struct desc) == 16, "a descriptor is 16 bytes");

/* Sizes for the allocator of the memory: descriptors are `capacity` units. */
#define DESCRING_BYTES(capacity) ((capacity) * sizeof(struct desc))

struct desc_pool {
    uint64_t size;  /* of the region, bytes */
    uint32_t shift; /* a unit, the grain of ownership, is 1 << shift bytes */
    uint64_t *held; /* bit a unit: held by this side */
};

/* 64-bit words of bitmap for a region of `size` bytes. */
#define DESC_POOL_WORDS(size, shift) \
    (((((size) + (1UL << (shift)) - 1) >> (shift)) + 63) / 64)

/*
 * held: DESC_POOL_WORDS(size, shift) words; all are cleared. E_ARG: size 0,
 * shift > 30, or no bitmap.
 */
int desc_pool_init(struct desc_pool *pool, uint64_t size, uint32_t shift,
                   uint64_t *held);

/*
 * Take note that this side holds the descriptor's bytes. E_PROTOCOL and no
 * effect: length 0, outside the region, or a unit of it is held already.
 */
int desc_pool_hold(struct desc_pool *pool, const struct desc *desc);

/*
 * The bytes go back. E_ARG and no effect: not (all) held: a bug on this side.
 */
int desc_pool_release(struct desc_pool *pool, const struct desc *desc);

/* As ring_init and ring_attach; capacity in descriptors. */
int descring_init(struct ring *r, enum ring_role role,
                  struct ring_shared *shared, void *data, uint64_t capacity);
int descring_attach(struct ring *r, enum ring_role role,
                    struct ring_shared *shared, void *data, uint64_t capacity);

/* Producer: 1 put and published, 0 full now, E_PROTOCOL, E_DEAD. */
int descring_put(struct ring *r, const struct desc *desc);

/*
 * Consumer: 1 and *out, 0 empty now, E_DEAD, E_PROTOCOL. The descriptor is
 * copied out before it is checked. With a pool, it is checked against it and
 * held; one that fails is consumed, E_PROTOCOL, and the ring goes on, so that
 * the receiver decides whether to drop the request or the client.
 */
int descring_get(struct ring *r, struct desc_pool *pool, struct desc *out);

#endif
