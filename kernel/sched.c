/* Per-hart priority queues, time slices, stealing, and the idle loop. */
#include "kernel/sched.h"
#include "kernel/irq.h"
#include "kernel/sbi.h"
#include "kernel/uintr.h"

enum { SLICES_PER_SECOND = 100 };

struct hart harts[HARTS_MAX];
uint32_t hart_count, harts_started, sched_queued;
static uint64_t slice_ticks;

void sched_init(struct hart *h)
{
    slice_ticks = machine.timebase / SLICES_PER_SECOND;
    for (int p = 0; p < PRIORITIES; p++)
        list_init(&h->ready[p]);
    list_init(&h->timers);
    h->slice_end = DEADLINE_NEVER;
    h->programmed = 0;
}

void hart_kick(struct hart *h)
{
    volatile uint32_t *sswi = machine.hart[h->index].sswi;

    h->kicked = 1;
    if (sswi)
        *sswi = 1; /* [aclint 4] */
    else
        sbi_send_ipi(h->id);
}

static bool allowed(struct thread *t, struct hart *h)
{
    if (t->uhart)
        return t->uhart == h; /* its state sits in that hart's CSRs */
    return h->online && (t->hart_mask >> h->index & 1);
}

/* -1: idle, or a driver naps there (uintr.c) */
static int running_priority(struct hart *h)
{
    return h->current && !h->idle_since ? (int)h->current->priority : -1;
}

static struct hart *choose(struct thread *t)
{
    struct hart *best = allowed(t, t->hart) ? t->hart : NULL;

    if (best && (hart_count == 1 || running_priority(best) < 0))
        return best;
    for (uint32_t i = 0; i < hart_count; i++) {
        struct hart *h = &harts[i];

        if (!allowed(t, h) || h == best)
            continue;
        /* idle beats everything; a less urgent hart beats waiting at home */
        if (!best || (running_priority(h) < running_priority(best) &&
                      (running_priority(h) < 0 ||
                       running_priority(best) >= (int)t->priority)))
            best = h;
    }
    return best;
}

/*
 * Let the thread that h runs end its turn some time. One that was preempted
 * goes on with the rest of its turn, or frequent interrupts would renew it
 * for ever and its equals would starve. Only on h itself: its comparator.
 */
static void start_slice(struct hart *h)
{
    uint64_t left = h->current->slice_left;

    if (h->slice_end == DEADLINE_NEVER)
        h->slice_end = rdtime() + (left ? left : slice_ticks);
    timer_program(h);
}

/* The current thread leaves with this much of its turn unused. */
static void keep_slice(struct hart *h)
{
    uint64_t now = rdtime();

    if (h->slice_end != DEADLINE_NEVER)
        h->current->slice_left = h->slice_end > now ? h->slice_end - now : 1;
}

static void enqueue(struct hart *h, struct thread *t, bool front)
{
    t->state = THREAD_READY;
    t->hart = h;
    if (front)
        list_push_front(&h->ready[t->priority], &t->queue);
    else
        list_push(&h->ready[t->priority], &t->queue);
    h->ready_map |= 1u << t->priority;
    sched_queued++;
}

/*
 * t may only run on harts that are still on their way up. Not in line, or its
 * registers are saved each time: 36 instructions of every wake-up.
 */
COLD static void place_ahead(struct thread *t, bool front)
{
    enqueue(&harts[__builtin_ctz(t->hart_mask & harts_started)], t, front);
}

/* Queue t where it runs soonest and make that hart look. */
static void place(struct thread *t, bool front)
{
    struct hart *h = choose(t);

    if (__builtin_expect(!h, 0))
        return place_ahead(t, front);
    enqueue(h, t, front);
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* the other half is nap() */
    int running = running_priority(h);
    if ((int)t->priority < running)
        return;
    if ((int)t->priority == running) {
        if (h->slice_end != DEADLINE_NEVER)
            return;
        if (h == this_hart)
            return start_slice(h);
    }
    if (h == this_hart)
        h->resched = max(h->resched, 1u);
    else
        hart_kick(h);
}

void sched_ready(struct thread *t)
{
    place(t, t->priority > t->base_priority);
}

void sched_remove(struct thread *t)
{
    struct list *queue = &t->hart->ready[t->priority];

    sched_queued--;
    list_remove(&t->queue);
    if (list_empty(queue))
        t->hart->ready_map &= ~(1u << t->priority);
}

HOT void sched_boost(struct thread *t)
{
    bool queued = t->state == THREAD_READY;
    struct thread *now = this_hart->uthread;
    bool handler = now && now == this_hart->current &&
                   now->base_priority >= t->base_priority &&
                   !(csr_read(CSR_USTATUS) & USTATUS_UIE);

    if (queued)
        sched_remove(t);
    /* two drivers that cut in on each other do nothing else */
    t->priority = handler ? max(t->priority, now->priority) : PRIORITIES - 1;
    if (queued)
        sched_ready(t);
}

/* The most urgent thread of this hart's own queues, which are not empty. */
static struct thread *take_own(struct hart *h)
{
    h->slice_end = DEADLINE_NEVER; /* a new turn begins */
    h->turn_over = false;
    struct thread *t;
    int p = PRIORITIES - 1;

    while (!(h->ready_map >> p & 1))
        p--;
    t = list_first(&h->ready[p], struct thread, queue);
    sched_remove(t);
    return t;
}

/* The most urgent thread queued on another hart that may run here. */
static struct thread *steal(struct hart *thief)
{
    if (!sched_queued)
        return NULL;
    for (int p = PRIORITIES - 1; p >= 0; p--) {
        for (uint32_t i = 0; i < hart_count; i++) {
            list_each_entry(struct thread, t, &harts[i].ready[p], queue) {
                if (!allowed(t, thief))
                    continue;
                sched_remove(t);
                return t;
            }
        }
    }
    return NULL;
}

/* Something more urgent, or an equal whose turn it is, takes the hart. */
COLD static void reschedule(struct hart *h)
{
    struct thread *t = h->current;
    bool expired = h->resched == 2;

    h->resched = 0;
    if (!t)
        return;
    if (expired) {
        t->priority = t->base_priority;
        t->slice_left = 0;
    }
    uint32_t above = h->ready_map >> t->priority;
    if (above > 1 || (above == 1 && expired)) {
        if (!expired)
            keep_slice(h);
        sched_switch(take_own(h));
        place(t, !expired);
    } else if (expired) {
        h->turn_over = true; /* of the one who called this more urgent one */
    } else if (above) {
        start_slice(h); /* an equal came from elsewhere, or t sank to it */
    }
}

/* The driver that waits in uintr_wait with its state loaded, if it is due. */
static inline struct thread *driver_due(struct hart *h)
{
    struct thread *t = h->uthread;

    if (!t || t->state != THREAD_UINTR || t->dying ||
        !(csr_read(CSR_UIP) & t->uintr->uie))
        return NULL;
    timer_cancel(&t->timer); /* it is in no queue */
    t->x[X_A0] = OK;
    return t;
}

/*
 * Nothing to run. The driver that waits here for a user interrupt stays
 * loaded, its sources routed to this hart, until something else must run.
 */
HOT COLD static struct thread *idle(struct hart *h)
{
    struct thread *t;

    h->idle_since = rdtime();
    h->slice_end = DEADLINE_NEVER;
    h->turn_over = false;
    /* one that waits for something else is not to be woken by its device */
    if (h->uthread && h->uthread->state != THREAD_UINTR)
        uintr_unload(h);
    for (;;) {
        t = h->ready_map ? take_own(h) : driver_due(h);
        if (!t)
            t = steal(h);
        if (t)
            break;
        timer_program(h);
        /* without the lock, its process and its page table may go away */
        if (!h->uthread && h->space)
            space_kernel_enter();
        kernel_lock_release();
        __asm__ volatile("wfi" : : : "memory");
        kernel_lock_acquire();
        if (csr_read(CSR_SIP) & csr_read(CSR_SIE) & S_IRQS)
            trap_interrupts();
    }
    h->resched = 0;
    h->idle_ticks += rdtime() - h->idle_since;
    h->idle_since = 0;
    sched_switch(t);
    return t;
}

/*
 * t waits for nothing and runs here next: its turn must end if equals wait, or
 * if it is boosted. A turn goes on across call and reply, or two processes
 * that call each other would take new turns for ever.
 */
COLD static void begin_slice(struct hart *h)
{
    if (h->turn_over && h->ready_map >> h->current->priority) {
        h->resched = 2;
        reschedule(h);
    }
    start_slice(h);
}

HOT COLD static struct thread *resume_slow(struct hart *h)
{
    struct thread *t = h->current;

    if (t && t->dying) {
        thread_leave();
    } else if (t && !(t->hart_mask >> h->index & 1)) {
        h->current = NULL; /* it goes on elsewhere */
        sched_ready(t);
    }
    if (h->resched)
        reschedule(h);
    if (!h->current && h->ready_map)
        sched_switch(take_own(h));
    t = h->current;
    if (t && t == h->trapped) {
        t->reload = 0;
        return t;
    }
    sched_account(h);
    h->switches++;
    if (!t) {
        h->trapped = h->sink;
        t = idle(h);
        h->instret = csr_read(CSR_INSTRET);
    }
    if (h->slice_end == DEADLINE_NEVER &&
        (h->ready_map >> t->priority || t->priority != t->base_priority)) {
        begin_slice(h);
        t = h->current;
    }
    h->space = t->process;
    space_enter(&t->process->space);
    if (h->uthread || t->switch_work) {
        if (h->uthread != t) {
            if (h->uthread)
                uintr_unload(h);
            if (t->uintr)
                uintr_load(h, t);
        }
        if (t->x[X_PC] - t->rseq_start < t->rseq_size) {
            /* it was taken off inside its sequence; t6: how far it came */
            t->x[X_T6] = t->x[X_PC];
            t->x[X_PC] = t->rseq_abort;
        }
    }
    h->trapped = t;
    t->reload = 0;
    return t;
}

/*
 * The plain case of resume_slow, as a leaf: one thread handed the hart to
 * another, nobody competes, nobody takes user interrupts.
 */
HOT struct thread *sched_resume(void)
{
    struct hart *h = this_hart;
    struct thread *t = h->current;

    if (h->resched || !t || h->uthread || t->switch_work ||
        h->slice_end != DEADLINE_NEVER || h->ready_map >> t->priority ||
        t->priority != t->base_priority ||
        (t->process->space.fence_harts & 1u << h->index))
        return resume_slow(h);
    sched_account(h);
    h->switches++;
    h->space = t->process;
    csr_write(CSR_SATP, t->process->space.satp);
    h->trapped = t;
    t->reload = 0;
    return t;
}
