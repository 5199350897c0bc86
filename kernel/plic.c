/* PLIC registers [plic 3..7]. */
#include "kernel/irq.h"
#include "kernel/phys.h"

/* 4 bytes a source [plic 4], then a stride a context [plic 6, 7, 8] */
enum { PRIORITY = 0x0, ENABLE = 0x2000, CONTEXT = 0x200000 };
enum { ENABLE_STRIDE = 0x80, CONTEXT_STRIDE = 0x1000 };

static uint64_t plic_base;
static uint32_t plic_sources;

static volatile uint32_t *reg(uint64_t offset)
{
    return phys_to_virt(plic_base + offset);
}

static volatile uint32_t *enable_word(uint32_t context, uint32_t word)
{
    return reg(ENABLE + context * ENABLE_STRIDE + word * 4);
}

/*
 * Writing an enable bit does not make QEMU 7.2 look at its lines again;
 * writing the threshold does. On hardware it changes nothing.
 */
static void reevaluate(uint32_t context)
{
    *reg(CONTEXT + context * CONTEXT_STRIDE + PLIC_THRESHOLD) = 0;
}

void plic_init(uint64_t base, uint32_t sources)
{
    plic_base = base;
    plic_sources = sources;
    for (uint32_t s = 1; s <= sources; s++)
        plic_set_priority(s, 0);
}

void plic_context_init(uint32_t context)
{
    for (uint32_t word = 0; word <= plic_sources / 32; word++)
        *enable_word(context, word) = 0;
    reevaluate(context);
}

void plic_set_priority(uint32_t source, uint32_t priority)
{
    *reg(PRIORITY + source * 4) = priority;
}

void plic_enable(uint32_t context, uint32_t source, bool on)
{
    volatile uint32_t *word = enable_word(context, source / 32);

    *word = (*word & ~(1u << source % 32)) | (uint32_t)on << source % 32;
    reevaluate(context);
}

uint32_t plic_claim(uint32_t context)
{
    return *reg(CONTEXT + context * CONTEXT_STRIDE + PLIC_CLAIM);
}

void plic_complete(uint32_t context, uint32_t source)
{
    *reg(CONTEXT + context * CONTEXT_STRIDE + PLIC_CLAIM) = source;
}

uint64_t plic_context_page(uint32_t context)
{
    return plic_base + CONTEXT + context * CONTEXT_STRIDE;
}
