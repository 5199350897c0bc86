/*
 * Physical page frames. Owns all RAM above the kernel image. Called with the
 * kernel lock held (or before other harts run). A frame has one owner at a
 * time; freed frames are filled with junk so that a stale use shows.
 */
#pragma once

#include "kernel/lib.h"
#include "kernel/phys.h"

/*
 * Begin with RAM [base, end), all of it in use; the allocator's own bitmap is
 * placed at `bitmap`. Returns the bitmap's bytes.
 */
uint64_t frame_init(uint64_t base, uint64_t end, uint64_t bitmap);

/* Make the frames of [start, end) free, whatever lies outside RAM ignored. */
void frame_release(uint64_t start, uint64_t end);

/* Physical address of a frame, 0 if there is none. */
uint64_t frame_alloc(void);               /* content undefined */
uint64_t frame_alloc_zero(void);          /* zeroed */
uint64_t frame_alloc_run(uint64_t count); /* contiguous, undefined content */
void frame_free(uint64_t frame);

uint64_t frame_count_free(void);
bool frame_is_ram(uint64_t start, uint64_t size);
