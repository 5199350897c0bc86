/*
 * A free list threaded through the free frames gives one frame in constant
 * time; a bitmap beside it finds contiguous runs (DMA) and catches double
 * frees. Both agree at all times.
 */
#include "kernel/frame.h"

enum { JUNK = 0xa5 };

static struct {
    uint64_t base, end; /* physical, page-aligned */
    uint64_t *used;     /* one bit a frame */
    struct list free;
    uint64_t free_count;
} frames;

static uint64_t index_of(uint64_t frame)
{
    return (frame - frames.base) / PAGE_SIZE;
}

static bool is_used(uint64_t i)
{
    return frames.used[i / 64] >> (i % 64) & 1;
}

static void take(uint64_t i)
{
    struct list *node = phys_to_virt(frames.base + i * PAGE_SIZE);

    frames.used[i / 64] |= 1UL << (i % 64);
    list_remove(node);
    frames.free_count--;
}

static void give(uint64_t i)
{
    struct list *node = phys_to_virt(frames.base + i * PAGE_SIZE);

    frames.used[i / 64] &= ~(1UL << (i % 64));
    list_push_front(&frames.free, node);
    frames.free_count++;
}

/* Eight words a turn: this is most of what a new process costs. */
static void fill(uint64_t frame, uint64_t word)
{
    uint64_t *at = phys_to_virt(frame), *end = at + PAGE_SIZE / sizeof(*at);

    for (; at < end; at += 8) {
        at[0] = at[1] = at[2] = at[3] = word;
        at[4] = at[5] = at[6] = at[7] = word;
    }
}

uint64_t frame_init(uint64_t base, uint64_t end, uint64_t bitmap)
{
    uint64_t count = (end - base) / PAGE_SIZE;
    uint64_t size = page_round((count + 7) / 8);

    frames.base = base;
    frames.end = end;
    frames.used = phys_to_virt(bitmap);
    frames.free_count = 0;
    list_init(&frames.free);
    memset(frames.used, 0xff, size);
    return size;
}

void frame_release(uint64_t start, uint64_t end)
{
    start = max(page_round(start), frames.base);
    end = min(end & ~(PAGE_SIZE - 1), frames.end);
    /* downwards, so that allocation goes upwards */
    for (uint64_t f = end; f > start; f -= PAGE_SIZE) {
        if (is_used(index_of(f - PAGE_SIZE)))
            give(index_of(f - PAGE_SIZE));
    }
}

uint64_t frame_alloc(void)
{
    if (list_empty(&frames.free))
        return 0;
    uint64_t frame = virt_to_phys(frames.free.next);
    take(index_of(frame));
    return frame;
}

uint64_t frame_alloc_zero(void)
{
    uint64_t frame = frame_alloc();

    if (frame)
        fill(frame, 0);
    return frame;
}

/* First fit: contiguous memory is for DMA, and rare. */
uint64_t frame_alloc_run(uint64_t count)
{
    uint64_t length = 0, end = 0;

    if (count == 0 || count > frames.free_count)
        return 0;
    for (; length < count; end++) {
        if (end == index_of(frames.end))
            return 0;
        length = is_used(end) ? 0 : length + 1;
    }
    for (uint64_t i = end - count; i < end; i++)
        take(i);
    return frames.base + (end - count) * PAGE_SIZE;
}

void frame_free(uint64_t frame)
{
    assert(page_aligned(frame) && frame >= frames.base && frame < frames.end);
    assert(is_used(index_of(frame)));
    fill(frame, JUNK * 0x0101010101010101UL);
    give(index_of(frame));
}

uint64_t frame_count_free(void)
{
    return frames.free_count;
}

bool frame_is_ram(uint64_t start, uint64_t size)
{
    /* no sum: a range that goes round 2^64 reaches RAM as well */
    return start < frames.end &&
           (start >= frames.base || size > frames.base - start);
}
