/*
 * The platform-level interrupt controller [RISC-V PLIC 1.0]. Kernel lock held.
 * Contexts are numbered as the device tree says, never by a formula.
 */
#pragma once

#include "abi/uintr.h"

/* One context's registers, as the kernel sees them. */
struct plic_context {
    volatile uint32_t *enable; /* a bit a source [plic 5] */
    volatile uint32_t *page;   /* threshold, claim and completion [plic 6..9] */
};

/* Every source's priority 0: none can interrupt. */
void plic_reset(void);
struct plic_context plic_context(uint32_t number);
/* Everything disabled in this context, threshold 0. */
void plic_context_reset(const struct plic_context *c);
void plic_set_priority(uint32_t source, uint32_t priority);
/* Physical address of a context's page. */
uint64_t plic_context_page(const struct plic_context *c);
uint32_t plic_claim(const struct plic_context *c); /* 0 = nothing pending */

static inline void plic_complete(const struct plic_context *c, uint32_t source)
{
    c->page[PLIC_CLAIM / 4] = source;
}

/*
 * Writing an enable bit does not make QEMU 7.2 look at its lines again; writing
 * the threshold does. On hardware it changes nothing.
 */
static inline void plic_enable(const struct plic_context *c, uint64_t source)
{
    c->enable[source / 32] |= 1u << source % 32;
    c->page[PLIC_THRESHOLD / 4] = 0;
}

static inline void plic_disable(const struct plic_context *c, uint64_t source)
{
    c->enable[source / 32] &= ~(1u << source % 32);
    c->page[PLIC_THRESHOLD / 4] = 0;
}
