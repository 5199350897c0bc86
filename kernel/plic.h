/*
 * The platform-level interrupt controller [RISC-V PLIC 1.0]. Kernel lock held.
 * Contexts are numbered as the device tree says, never by a formula.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

void plic_init(uint64_t base, uint32_t sources);
/* Everything disabled in this context, threshold 0. */
void plic_context_init(uint32_t context);
void plic_set_priority(uint32_t source, uint32_t priority);
void plic_enable(uint32_t context, uint32_t source, bool on);
uint32_t plic_claim(uint32_t context); /* 0 = nothing pending */
void plic_complete(uint32_t context, uint32_t source);
/* Physical address of a context's page (threshold, claim/complete). */
uint64_t plic_context_page(uint32_t context);
