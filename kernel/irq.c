/* Who owns a source, where it is enabled, and what the kernel does with it. */
#include "kernel/irq.h"
#include "kernel/log.h"
#include "kernel/notification.h"
#include "kernel/uintr.h"

struct irq irqs[SOURCES_MAX];

void irq_init(void)
{
    for (uint32_t s = 0; s < SOURCES_MAX; s++) {
        irqs[s] = (struct irq){.object = {.type = OBJECT_IRQ, .refs = 1},
                               .source = s};
        list_init(&irqs[s].of_process);
    }
}

/*
 * Disable it in the old context first: a source enabled in two contexts can be
 * claimed by either, and the other claimant would see source 0 [plic 9].
 */
static inline void route(struct irq *irq, const struct plic_context *c)
{
    if (irq->context == c)
        return;
    if (irq->context)
        plic_disable(irq->context, irq->source);
    plic_enable(c, irq->source);
    irq->context = c;
    irq->hart = this_hart->index;
}

HOT void irq_route_all(struct thread *t, bool user)
{
    struct hart *h = this_hart;

    list_each_entry(struct irq, irq, &t->process->irqs, of_process)
        if (irq->thread == t)
            route(irq, user ? &h->plic_u : &h->plic_s);
}

static int64_t own(struct irq *irq, enum irq_mode mode)
{
    if (irq->mode != IRQ_FREE)
        return E_BUSY;
    irq->mode = mode;
    irq->owner = current_process();
    list_push(&irq->owner->irqs, &irq->of_process);
    plic_set_priority(irq->source, 1);
    return OK;
}

void irq_drop(struct irq *irq)
{
    /*
     * Whether the owner had claimed it only the owner knew: complete it once.
     * A gateway that waits for no completion ignores it [plic 10], and a
     * PLIC takes it only where the source is enabled.
     */
    route(irq, &this_hart->plic_s);
    plic_complete(irq->context, irq->source);
    plic_disable(irq->context, irq->source);
    irq->context = NULL;
    irq->hart = 0;
    plic_set_priority(irq->source, 0);
    doorbell_keep(&irq->bell, NULL);
    if (irq->claimed && irq->thread)
        uintr_taken(irq->thread);
    irq->thread = NULL;
    irq->owner = NULL;
    irq->claimed = false;
    irq->mode = IRQ_FREE;
    list_remove(&irq->of_process);
}

void irq_claimed(uint32_t source)
{
    struct irq *irq = &irqs[source % SOURCES_MAX];

    if (irq->mode == IRQ_FREE || source >= SOURCES_MAX) {
        plic_complete(&this_hart->plic_s, source);
        plic_disable(&this_hart->plic_s, source);
        irq->masked_count++;
        log_print("irq: source %u has no owner, masked\n", source);
        return;
    }
    irq->claimed = true;
    irq->kernel_count++;
    if (irq->mode == IRQ_NOTIFY)
        doorbell_ring(irq->bell);
    else
        uintr_record(irq->thread);
}

void irq_interrupt(void)
{
    uint32_t source;

    do {
        source = plic_claim(&this_hart->plic_s);
        if (source)
            irq_claimed(source);
    } while (source && csr_read(CSR_SIP) & 1 << IRQ_S_EXT);
}

int64_t sys_irq_attach(uint64_t h)
{
    HANDLE(struct irq, irq, h, OBJECT_IRQ, R_ATTACH);
    DRIVER(t);

    TRY(own(irq, IRQ_USER));
    irq->thread = t;
    route(irq, &this_hart->plic_u);
    return OK;
}

int64_t sys_irq_bind(uint64_t h, uint64_t hd)
{
    HANDLE(struct irq, irq, h, OBJECT_IRQ, R_ATTACH);
    HANDLE(struct doorbell, bell, hd, OBJECT_DOORBELL, R_RING);

    TRY(own(irq, IRQ_NOTIFY));
    doorbell_keep(&irq->bell, bell);
    route(irq, &this_hart->plic_s);
    return OK;
}

int64_t sys_irq_ack(uint64_t h)
{
    HANDLE(struct irq, irq, h, OBJECT_IRQ, R_ATTACH);

    if (irq->owner != current_process() || irq->mode != IRQ_NOTIFY ||
        !irq->claimed)
        return E_STATE;
    irq->claimed = false;
    plic_complete(irq->context, irq->source);
    route(irq, &this_hart->plic_s); /* it follows the driver, too */
    return OK;
}

int64_t sys_irq_release(uint64_t h)
{
    HANDLE(struct irq, irq, h, OBJECT_IRQ, R_ATTACH);

    if (irq->owner != current_process())
        return E_STATE;
    irq_drop(irq);
    return OK;
}
