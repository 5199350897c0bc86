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
                               .source = s,
                               .context = -1};
        list_init(&irqs[s].of_process);
    }
}

/*
 * Disable the old context first: a source enabled in two contexts can be
 * claimed by either, and the other claimant would see source 0 [plic 9].
 */
void irq_route(struct irq *irq, struct hart *h, bool user)
{
    int32_t context = (int32_t)(user ? h->plic_u : h->plic_s);

    if (irq->context == context)
        return;
    if (irq->context >= 0)
        plic_enable((uint32_t)irq->context, irq->source, false);
    irq->context = context;
    irq->hart = h->index;
    plic_enable((uint32_t)context, irq->source, true);
}

static void own(struct irq *irq, enum irq_mode mode)
{
    irq->mode = mode;
    irq->owner = current_process();
    list_push(&irq->owner->irqs, &irq->of_process);
    plic_set_priority(irq->source, 1);
}

void irq_drop(struct irq *irq)
{
    /*
     * Whether the owner had claimed it only the owner knew: complete it once.
     * A gateway that waits for no completion ignores it [plic 10], and a
     * PLIC takes it only where the source is enabled.
     */
    irq_route(irq, this_hart, false);
    plic_complete(this_hart->plic_s, irq->source);
    plic_enable(this_hart->plic_s, irq->source, false);
    irq->context = -1;
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
        plic_complete(this_hart->plic_s, source);
        plic_enable(this_hart->plic_s, source, false);
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
        source = plic_claim(this_hart->plic_s);
        if (source)
            irq_claimed(source);
    } while (source && csr_read(CSR_SIP) & 1 << IRQ_S_EXT);
}

int64_t sys_irq_attach(uint64_t h)
{
    HANDLE(struct irq, irq, h, OBJECT_IRQ, R_ATTACH);
    struct thread *t = current_thread();

    if (!t->uintr)
        return E_STATE;
    if (irq->mode != IRQ_FREE)
        return E_BUSY;
    own(irq, IRQ_USER);
    irq->thread = t;
    irq_route(irq, this_hart, true);
    return OK;
}

int64_t sys_irq_bind(uint64_t h, uint64_t hd)
{
    HANDLE(struct irq, irq, h, OBJECT_IRQ, R_ATTACH);
    HANDLE(struct doorbell, bell, hd, OBJECT_DOORBELL, R_RING);

    if (irq->mode != IRQ_FREE)
        return E_BUSY;
    own(irq, IRQ_NOTIFY);
    doorbell_keep(&irq->bell, bell);
    irq_route(irq, this_hart, false);
    return OK;
}

int64_t sys_irq_ack(uint64_t h)
{
    HANDLE(struct irq, irq, h, OBJECT_IRQ, R_ATTACH);

    if (irq->owner != current_process() || irq->mode != IRQ_NOTIFY ||
        !irq->claimed)
        return E_STATE;
    irq->claimed = false;
    plic_complete((uint32_t)irq->context, irq->source);
    irq_route(irq, this_hart, false); /* it follows the driver, too */
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
