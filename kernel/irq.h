/*
 * Interrupt sources as objects: each has one owner at a time, and is enabled
 * in exactly one PLIC context. Kernel lock held.
 *
 *   user    the owner takes user interrupts; the source is enabled in the U
 *           context of the hart whose CSRs hold the owner's state, or, while
 *           no hart does, in an S context: then the kernel claims it, does not
 *           complete it, and leaves it to the owner (uintr_take)
 *   notify  the kernel claims, rings a doorbell, completes on irq_ack
 */
#pragma once

#include "abi/uintr.h"
#include "kernel/object.h"

enum irq_mode { IRQ_FREE, IRQ_USER, IRQ_NOTIFY };

struct irq {
    struct object object;
    uint32_t source;
    uint32_t mode; /* enum irq_mode */
    struct process *owner;
    struct list of_process;
    struct thread *thread; /* IRQ_USER */
    struct doorbell *bell; /* IRQ_NOTIFY */
    bool claimed;          /* by the kernel, not yet handed on or acked */
    int32_t context;       /* where it is enabled, -1 = nowhere */
    uint32_t hart;         /* index of that context's hart */
    uint64_t kernel_count, masked_count; /* claims for it; for nobody */
};

extern struct irq irqs[SOURCES_MAX]; /* by source; they never go */
void irq_init(void);

struct hart;
/* Enable the source in this hart's U or S context, and in no other. */
void irq_route(struct irq *irq, struct hart *h, bool user);

/* Give it up: completed if in flight, disabled everywhere. */
void irq_drop(struct irq *irq);

/* This hart's S external interrupt. */
void irq_interrupt(void);
/* A source claimed in this hart's S context: to its owner. */
void irq_claimed(uint32_t source);

/*
 * Where S-mode gets no external interrupts (K210) the firmware hands them over
 * with SSIP: relay.c. docs/design/relay.md has the story.
 */
/* On the hart itself, once: ask the firmware for its relay, if it has one. */
void relay_hart_enable(struct hart *h);
/* SSIP was raised and is cleared: by another hart, or for a device? */
void relay_interrupt(void);

/*
 * The platform-level interrupt controller [RISC-V PLIC 1.0]: plic.c. Contexts
 * are numbered as the device tree says, never by a formula.
 */
void plic_init(uint64_t base, uint32_t sources);
/* Everything disabled in this context, threshold 0. */
void plic_context_init(uint32_t context);
void plic_set_priority(uint32_t source, uint32_t priority);
void plic_enable(uint32_t context, uint32_t source, bool on);
uint32_t plic_claim(uint32_t context); /* 0 = nothing pending */
void plic_complete(uint32_t context, uint32_t source);
/* Physical address of a context's page (threshold, claim/complete). */
uint64_t plic_context_page(uint32_t context);
