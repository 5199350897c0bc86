/* Per-hart sorted lists of deadlines; the comparator holds the earliest. */
#include "kernel/timer.h"
#include "kernel/hart.h"
#include "kernel/machine.h"
#include "kernel/riscv.h"
#include "kernel/sbi.h"

void timer_init(struct timer *t, void (*fire)(struct timer *))
{
    list_init(&t->node);
    t->fire = fire;
}

void timer_arm(struct timer *t, uint64_t deadline)
{
    list_remove(&t->node);
    t->deadline = deadline;
    if (deadline == DEADLINE_NEVER)
        return;
    struct list *at = this_hart->timers.next; /* t may have been the first */
    while (at != &this_hart->timers &&
           container_of(at, struct timer, node)->deadline <= deadline)
        at = at->next;
    list_push(at, &t->node);
    timer_program(this_hart);
}

void timer_program(struct hart *h)
{
    uint64_t next = h->slice_end;

    if (!list_empty(&h->timers))
        next = min(next, list_first(&h->timers, struct timer, node)->deadline);
    if (next == h->programmed)
        return;
    h->programmed = next;
    if (machine.sstc)
        csr_write(CSR_STIMECMP, next);
    else
        sbi_set_timer(next);
}

void timer_interrupt(void)
{
    struct hart *h = this_hart;

    while (!list_empty(&h->timers)) {
        struct timer *t = list_first(&h->timers, struct timer, node);

        if (t->deadline > rdtime())
            break;
        list_remove(&t->node);
        t->fire(t);
    }
    if (h->slice_end <= rdtime()) {
        h->slice_end = DEADLINE_NEVER;
        h->resched = 2; /* to the back of its queue */
    }
    /* the pending bit stays until the comparator is written */
    h->programmed = 0;
    timer_program(h);
}
