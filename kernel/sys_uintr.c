/* System calls of a driver that takes user interrupts. */
#include "abi/startup.h"
#include "abi/uintr.h"
#include "gen/syscall_table.h"
#include "kernel/irq.h"
#include "kernel/notification.h"
#include "kernel/uintr.h"

int64_t sys_uintr_register(uint64_t hs)
{
    struct thread *t = current_thread();
    int64_t error;

    if (uintr_delivery == DELIVERY_NONE)
        return E_UNSUPPORTED;
    if (t->process->uintr_thread)
        return E_BUSY;
    if (hs && !handle_object(&t->process->table, hs, OBJECT_SYSTEM, R_CONTEXTS))
        return handle_error(&t->process->table, hs, OBJECT_SYSTEM);
    error = uintr_make(t, hs != 0);
    return error ? error : (int64_t)uintr_delivery;
}

int64_t sys_uintr_wait(uint64_t deadline)
{
    struct thread *t = current_thread();

    if (!t->uintr)
        return E_STATE;
    t->uintr->uie = csr_read(CSR_UIE);
    if (csr_read(CSR_UIP) & t->uintr->uie)
        return OK;
    if (deadline <= rdtime())
        return E_TIMEDOUT;
    timer_arm(&t->timer, deadline);
    thread_block(THREAD_UINTR);
    return OK;
}

int64_t sys_uintr_take(void)
{
    struct thread *t = current_thread();
    struct irq *lowest = NULL;

    if (!t->uintr)
        return E_STATE;
    list_each_entry(struct irq, irq, &t->process->irqs, of_process) {
        if (irq->thread == t && irq->claimed &&
            (!lowest || irq->source < lowest->source))
            lowest = irq;
    }
    if (!lowest) {
        csr_clear(CSR_UIP, UIRQ_EXT); /* a sibling released the last */
        return 0;
    }
    lowest->claimed = false;
    uintr_taken(t);
    return lowest->source;
}

int64_t sys_uintr_timer(uint64_t deadline)
{
    struct thread *t = current_thread();

    if (!t->uintr)
        return E_STATE;
    csr_clear(CSR_UIP, UIRQ_TIMER);
    timer_arm(&t->uintr->timer, deadline);
    return OK;
}

static void bind(struct thread *t, struct notification *n)
{
    if (t->uintr->notification)
        t->uintr->notification->uthread = NULL;
    t->uintr->notification = n;
    if (!n)
        return;
    n->uthread = t;
    if (n->word)
        csr_set(CSR_UIP, UIRQ_SOFT);
}

int64_t sys_uintr_bind(uint64_t h)
{
    struct thread *t = current_thread();

    if (!t->uintr)
        return E_STATE;
    if (!h) {
        bind(t, NULL);
        return OK;
    }
    HANDLE(struct notification, n, h, OBJECT_NOTIFICATION, R_WAIT);
    if (n->uthread && n->uthread != t)
        return E_BUSY;
    bind(t, n);
    return OK;
}
