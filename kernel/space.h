/*
 * Address spaces (Sv39 [priv 4.4]). The upper half of every root is the
 * kernel's, shared and global; the lower half holds regions, each a part of a
 * memory object. No page is ever writable and executable.
 *
 * TLB: a mapping that appears needs nothing (a fault on a valid entry just
 * fences); one that goes is shot down on every hart that ran the space. A
 * hart that runs a space for the first time fences first: that covers
 * recycled ASIDs and code put into recycled pages (fence.i).
 */
#pragma once

#include "kernel/hart.h"
#include "kernel/machine.h"
#include "kernel/riscv.h"

struct memory;

struct region {
    struct list node;
    uint64_t start, size; /* bytes */
    struct memory *memory;
};

struct space {
    uint64_t satp;
    uint64_t *root;
    struct list regions;
    uint32_t asid;
    uint32_t fence_harts; /* must fence before they run it */
    uint32_t ran_harts;   /* may hold translations */
    uint64_t mapped;      /* bytes */
};

/* Kernel half: RAM and the PLIC, kernel image by section. Boot hart only. */
void space_kernel_init(struct range ram);
/* Map RAM or device registers for the kernel itself, 2 MiB at a time. */
void space_kernel_map(struct range physical);
void space_kernel_enter(void); /* this hart: no process's space */

int64_t space_init(struct space *s);
void space_free(struct space *s);

/* Contract of process_map and process_unmap (docs/abi.md). */
int64_t space_map(struct space *s, struct memory *m, uint64_t address,
                  uint64_t offset, uint64_t size, uint32_t prot);
int64_t space_unmap(struct space *s, uint64_t address, uint64_t size);

/* After entries were cleared: no hart uses a stale translation from now on. */
void space_shoot_down(struct space *s, uint64_t address, uint64_t size);

/* Leaf entry for a lower-half address, NULL without its table. */
uint64_t *space_entry(struct space *s, uint64_t address, bool create);

/* Leaf entry of a page that a user may read and write. */
static inline uint64_t space_user_page(uint64_t physical)
{
    return physical >> 12 << 10 | PTE_V | PTE_R | PTE_W | PTE_U | PTE_A | PTE_D;
}
/* The entry of a mapped page that has all these bits, else NULL. */
uint64_t *space_mapped(struct space *s, uint64_t address, uint64_t bits);

/* Run s on this hart from now on: fenced if it has not run here before. */
void space_enter_fenced(struct space *s);
static inline void space_enter(struct space *s)
{
    csr_write(CSR_SATP, s->satp);
    if (s->fence_harts & 1u << this_hart->index)
        space_enter_fenced(s);
}

/* A fault that was only a stale translation: fenced, true. */
bool space_spurious(struct space *s, uint64_t address, uint64_t cause);
