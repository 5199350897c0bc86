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
#include "kernel/thread.h"

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
    const struct plic_context *context;  /* where it is enabled, or NULL */
    uint32_t hart;                       /* index of that context's hart */
    uint64_t kernel_count, masked_count; /* claims for it; for nobody */
};

extern struct irq irqs[SOURCES_MAX]; /* by source; they never go */
void irq_init(void);

/* Enable t's sources in this hart's U or S context, and in no other. */
void irq_route_all(struct thread *t, bool user);
static inline bool irq_any(struct thread *t)
{
    return !list_empty(&t->process->irqs);
}

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
/*
 * SSIP was raised and is cleared: by another hart, or for a device? RELAY_*: not
 * 0 where the firmware may raise it at any time.
 */
uint32_t relay_interrupt(void);
