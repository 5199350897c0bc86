/* PLIC registers [plic 3..7]. */
#include "kernel/plic.h"
#include "kernel/machine.h"
#include "kernel/phys.h"

/* 4 bytes a source [plic 4], then a stride a context [plic 6, 7, 8] */
enum { PRIORITY = 0x0, ENABLE = 0x2000, CONTEXT = 0x200000 };
enum { ENABLE_STRIDE = 0x80, CONTEXT_STRIDE = 0x1000 };

static volatile uint32_t *reg(uint64_t offset)
{
    return phys_to_virt(machine.plic.start + offset);
}

void plic_reset(void)
{
    for (uint32_t s = 1; s <= machine.plic_sources; s++)
        plic_set_priority(s, 0);
}

struct plic_context plic_context(uint32_t number)
{
    return (struct plic_context){
        .enable = reg(ENABLE + (uint64_t)number * ENABLE_STRIDE),
        .page = reg(CONTEXT + (uint64_t)number * CONTEXT_STRIDE)};
}

void plic_context_reset(const struct plic_context *c)
{
    for (uint32_t word = 0; word <= machine.plic_sources / 32; word++)
        c->enable[word] = 0;
    c->page[PLIC_THRESHOLD / 4] = 0;
}

void plic_set_priority(uint32_t source, uint32_t priority)
{
    *reg(PRIORITY + source * 4) = priority;
}

HOT uint32_t plic_claim(const struct plic_context *c)
{
    return c->page[PLIC_CLAIM / 4];
}

uint64_t plic_context_page(const struct plic_context *c)
{
    return virt_to_phys((const void *)(uintptr_t)c->page);
}
