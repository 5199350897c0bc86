/* Memory objects and their system calls. */
#include "kernel/memory.h"
#include "kernel/frame.h"
#include "kernel/thread.h"

static_assert(MEMORY_SIZE_MAX / PAGE_SIZE * sizeof(uint64_t) <= PAGE_SIZE,
              "the list of pages fits a frame");

uint64_t memory_page(struct memory *m, uint64_t offset)
{
    for (; m->parent; m = m->parent)
        offset += m->parent_offset;
    return m->base ? m->base + offset : m->pages[offset / PAGE_SIZE];
}

static void free_pages(struct memory *m)
{
    uint64_t count = m->size / PAGE_SIZE;

    for (uint64_t i = 0; i < count; i++) {
        uint64_t frame = m->base ? m->base + i * PAGE_SIZE : m->pages[i];

        if (frame)
            frame_free(frame);
    }
    if (m->pages && m->pages != m->few)
        frame_free(virt_to_phys(m->pages));
}

void memory_destroy(struct object *object)
{
    struct memory *m = (struct memory *)object;

    if (m->owned)
        free_pages(m);
    if (m->parent)
        object_put(&m->parent->object);
}

static bool fill(struct memory *m, bool contiguous)
{
    uint64_t count = m->size / PAGE_SIZE;

    if (contiguous) {
        m->base = frame_alloc_run(count);
        m->owned = m->base != 0;
        if (m->owned)
            memset(phys_to_virt(m->base), 0, m->size);
        return m->owned;
    }
    uint64_t list = count > MEMORY_INLINE_PAGES ? frame_alloc_zero() : 0;
    if (!list && count > MEMORY_INLINE_PAGES)
        return false;
    m->owned = true;
    m->pages = list ? phys_to_virt(list) : m->few;
    for (uint64_t i = 0; i < count; i++) {
        m->pages[i] = frame_alloc_zero();
        if (!m->pages[i])
            return false;
    }
    return true;
}

struct memory *memory_new(uint64_t size, bool contiguous)
{
    /* do not begin what cannot be finished */
    struct memory *m = size / PAGE_SIZE < frame_count_free()
                           ? object_new(OBJECT_MEMORY)
                           : NULL;

    if (!m)
        return NULL;
    m->size = size;
    if (fill(m, contiguous))
        return m;
    object_put(&m->object);
    return NULL;
}

struct memory *memory_new_fixed(uint64_t base, uint64_t size)
{
    struct memory *m = object_new(OBJECT_MEMORY);

    if (!m)
        return NULL;
    m->base = base & ~(PAGE_SIZE - 1);
    m->size = page_round(base + size) - m->base;
    return m;
}

int64_t sys_memory_create(uint64_t size, uint64_t flags)
{
    if (flags & ~(uint64_t)MEMORY_CONTIGUOUS)
        return E_ARG;
    if (!page_aligned(size))
        return E_ALIGN;
    if (size == 0 || size > MEMORY_SIZE_MAX)
        return E_RANGE;
    return handle_publish(memory_new(size, flags & MEMORY_CONTIGUOUS),
                          R_READ | R_WRITE | R_EXEC | R_PHYS | R_DUP);
}

int64_t sys_memory_slice(uint64_t h, uint64_t offset, uint64_t size)
{
    HANDLE(struct memory, m, h, OBJECT_MEMORY, R_DUP);
    struct memory *slice;

    if (!page_aligned(offset | size))
        return E_ALIGN;
    if (size == 0 || offset > m->size || size > m->size - offset)
        return E_RANGE;
    slice = object_new(OBJECT_MEMORY);
    if (!slice)
        return E_NOMEM;
    slice->size = size;
    /* of the whole object, not of another slice: chains stay short */
    slice->parent = m->parent ? m->parent : m;
    slice->parent_offset = offset + (m->parent ? m->parent_offset : 0);
    object_get(&slice->parent->object);
    return handle_publish(slice,
                          handle_find(&current_process()->table, h)->rights);
}

int64_t sys_memory_size(uint64_t h)
{
    HANDLE(struct memory, m, h, OBJECT_MEMORY, 0);

    return (int64_t)m->size;
}

int64_t sys_memory_phys(uint64_t h, uint64_t offset)
{
    HANDLE(struct memory, m, h, OBJECT_MEMORY, R_PHYS);

    if (offset >= m->size)
        return E_RANGE;
    return (int64_t)(memory_page(m, offset & ~(PAGE_SIZE - 1)) +
                     offset % PAGE_SIZE);
}
