/*
 * Loading, unloading and raising user interrupts, and the system calls of a
 * driver that takes them.
 */
#include "kernel/uintr.h"
#include "abi/startup.h"
#include "kernel/frame.h"
#include "kernel/irq.h"
#include "kernel/notification.h"
#include "kernel/pool.h"
#include "kernel/sched.h"

uint32_t uintr_delivery;

/* What is saved and loaded just so; uip and uie want more care. */
#define UINTR_REGISTERS(DO)    \
    DO(utvec, CSR_UTVEC)       \
    DO(uscratch, CSR_USCRATCH) \
    DO(uepc, CSR_UEPC)         \
    DO(ucause, CSR_UCAUSE) DO(utval, CSR_UTVAL) DO(ustatus, CSR_USTATUS)

/*
 * The entries of a driver's pages, which lie side by side in one table: the U
 * contexts by hart, the virtual PLIC page, the counters.
 */
enum { PLIC_ENTRY = HARTS_MAX, STATS_ENTRY, ENTRIES };

/* What is pending when its state is loaded. */
static inline uint64_t pending(struct uintr *u)
{
    return u->uip | (__builtin_expect(u->recorded, 0) ? UIRQ_EXT : 0);
}

HOT void uintr_load(struct hart *h, struct thread *t)
{
    struct uintr *u = t->uintr;

    if (!u->contexts) {
        u->entries[PLIC_ENTRY] = h->plic_page;
        sfence_page(USER_UINTR_PLIC);
    }
    u->stats->hart = h->index;
    csr_write(CSR_SIDELEG, UIRQ_ALL);
#define LOAD(field, csr) csr_write(csr, u->field);
    UINTR_REGISTERS(LOAD)
    csr_write(CSR_UIP, pending(u));
    csr_write(CSR_UIE, u->uie);
    h->uthread = t;
    t->uhart = h;
    if (irq_any(t))
        irq_route_all(t, true);
}

/* An interrupt ends the wait if t is in one and the bits are enabled. */
static void wake_if_pending(struct thread *t)
{
    if (t->state == THREAD_UINTR && !t->uhart && !t->dying &&
        (pending(t->uintr) & t->uintr->uie))
        thread_wake(t, OK);
}

/*
 * Reading and clearing in one go: the next process sees zeros. uip and uie
 * before sideleg, which masks them. UEIP is not kept: what the kernel
 * recorded sets it again, what the PLIC holds shows on its own.
 */
HOT void uintr_unload(struct hart *h)
{
    struct thread *t = h->uthread;
    struct uintr *u = t->uintr;

    u->uie = csr_swap(CSR_UIE, 0);
    u->uip =
        (csr_swap(CSR_UIP, 0) | h->uthread_post) & (UIRQ_SOFT | UIRQ_TIMER);
#define SAVE(field, csr) u->field = csr_swap(csr, 0);
    UINTR_REGISTERS(SAVE)
    csr_write(CSR_SIDELEG, 0);
    h->uthread_post = 0;
    h->uthread = NULL;
    t->uhart = NULL;
    if (irq_any(t))
        irq_route_all(t, false);
    /* no sibling thread may reach the context of whoever comes next */
    u->entries[PLIC_ENTRY] = 0;
    if (t->process->thread_count > 1 && !u->contexts)
        space_shoot_down(&t->process->space, USER_UINTR_PLIC, PAGE_SIZE);
    if (t->state == THREAD_READY) {
        if (hart_count > 1 && !t->dying) {
            /* no longer bound to this hart: another may be free */
            sched_remove(t);
            sched_ready(t);
        }
    } else if (t->state == THREAD_DEAD) {
        thread_reap(t); /* it only waited for these CSRs */
    } else {
        wake_if_pending(t);
    }
}

void uintr_leave(struct thread *t)
{
    if (t->uhart == this_hart)
        uintr_unload(this_hart);
    else if (t->uhart)
        hart_kick(t->uhart);
}

void uintr_post(struct thread *t, uint64_t bits)
{
    struct uintr *u = t->uintr;

    if (t->uhart == this_hart) {
        csr_set(CSR_UIP, bits);
    } else if (t->uhart) {
        t->uhart->uthread_post |= bits;
        hart_kick(t->uhart);
    } else {
        u->uip |= bits;
        wake_if_pending(t);
    }
}

HOT void uintr_record(struct thread *t)
{
    t->uintr->recorded++;
    if (t->uhart)
        return uintr_post(t, UIRQ_EXT);
    sched_boost(t);
    wake_if_pending(t);
}

void uintr_taken(struct thread *t)
{
    if (--t->uintr->recorded == 0 && t->uhart == this_hart)
        csr_clear(CSR_UIP, UIRQ_EXT);
}

static void unbind(struct thread *t)
{
    if (t->uintr->notification)
        t->uintr->notification->uthread = NULL;
    t->uintr->notification = NULL;
}

void uintr_kicked(void)
{
    struct hart *h = this_hart;
    struct thread *t = h->uthread;

    if (t && (t->dying || !(t->hart_mask >> h->index & 1))) {
        uintr_unload(h);
    } else if (t && h->uthread_post) {
        csr_set(CSR_UIP, h->uthread_post);
        h->uthread_post = 0;
    }
}

void uintr_abandon(struct thread *t)
{
    list_each_entry(struct irq, irq, &t->process->irqs, of_process)
        if (irq->thread == t)
            irq_drop(irq);
    timer_cancel(&t->uintr->timer);
    unbind(t);
    t->process->uintr_thread = NULL;
    uintr_leave(t);
}

static struct pool uintr_pool = {.size = sizeof(struct uintr)};

void uintr_free(struct thread *t)
{
    memset(t->uintr->entries, 0, ENTRIES * sizeof(uint64_t));
    if (t->process->thread_count > 1)
        space_shoot_down(&t->process->space, USER_UINTR_CONTEXTS,
                         ENTRIES * PAGE_SIZE);
    frame_free(virt_to_phys(t->uintr->stats));
    pool_free(&uintr_pool, t->uintr);
    t->uintr = NULL;
    t->switch_work &= ~(uint32_t)SWITCH_UINTR;
}

static void timer_fired(struct timer *timer)
{
    uintr_post(container_of(timer, struct uintr, timer)->thread, UIRQ_TIMER);
}

int64_t sys_uintr_register(uint64_t hs)
{
    struct thread *t = current_thread();
    struct space *s = &t->process->space;
    struct uintr *u;
    uint64_t frame;

    if (uintr_delivery == DELIVERY_NONE)
        return E_UNSUPPORTED;
    if (t->process->uintr_thread)
        return E_BUSY;
    if (hs && !handle_object(&t->process->table, hs, OBJECT_SYSTEM, R_CONTEXTS))
        return handle_error(&t->process->table, hs, OBJECT_SYSTEM);
    u = pool_alloc(&uintr_pool);
    if (!u)
        return E_NOMEM;
    u->entries = space_entry(s, USER_UINTR_CONTEXTS, true);
    frame = u->entries ? frame_alloc_zero() : 0;
    if (!frame) {
        pool_free(&uintr_pool, u);
        return E_NOMEM;
    }
    u->stats = phys_to_virt(frame);
    u->entries[STATS_ENTRY] = space_user_page(frame);
    u->contexts = hs != 0;
    for (uint32_t i = 0; hs && i < hart_count; i++)
        u->entries[i] = harts[i].plic_page;
    u->thread = t;
    timer_init(&u->timer, timer_fired);
    t->uintr = u;
    t->switch_work |= SWITCH_UINTR;
    t->process->uintr_thread = t;
    uintr_load(this_hart, t);
    return (int64_t)uintr_delivery;
}

/*
 * Is a thread queued for this hart, or where it must wait? One on its way to
 * an idle hart is neither: that hart has been kicked. Looked at without the lock.
 */
static bool other_work(const struct hart *me)
{
    for (uint32_t i = 0; sched_queued && i < hart_count; i++)
        if (harts[i].ready_map && (&harts[i] == me || !harts[i].idle_since))
            return true;
    return false;
}

/*
 * uintr_wait as trap.S tries it first, without the lock: if nothing else is to
 * run here the driver sleeps on the spot, still the hart's current thread,
 * until an interrupt. For other harts this one is idle (running_priority); who
 * queues a thread or kills this one kicks. False: the kernel has something to
 * do. If it has not, uip & uie ended the wfi: reading them costs two traps if
 * emulated, and a thread that has not registered may have no such CSRs.
 */
HOT bool uintr_nap(uint64_t deadline)
{
    struct hart *h = this_hart;
    uint64_t instret = csr_read(CSR_INSTRET);

    if (deadline != DEADLINE_NEVER || h->uthread != h->current)
        return false;
    h->idle_since = rdtime();
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* the other half is place() */
    if (!other_work(h) && !(csr_read(CSR_SIP) & S_IRQS))
        __asm__ volatile("wfi" : : : "memory");
    h->idle_ticks += rdtime() - h->idle_since;
    h->idle_since = 0;
    h->instret += csr_read(CSR_INSTRET) - instret;
    return !other_work(h) && !(csr_read(CSR_SIP) & S_IRQS);
}

int64_t sys_uintr_wait(uint64_t deadline)
{
    DRIVER(t);
    t->uintr->uie = csr_read(CSR_UIE);
    return csr_read(CSR_UIP) & t->uintr->uie
               ? OK
               : thread_sleep(THREAD_UINTR, deadline);
}

int64_t sys_uintr_take(void)
{
    DRIVER(t);
    struct irq *lowest = NULL;

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
    DRIVER(t);
    csr_clear(CSR_UIP, UIRQ_TIMER);
    timer_arm(&t->uintr->timer, deadline);
    return OK;
}

int64_t sys_uintr_bind(uint64_t h)
{
    DRIVER(t);
    if (!h) {
        unbind(t);
        return OK;
    }
    HANDLE(struct notification, n, h, OBJECT_NOTIFICATION, R_WAIT);
    if (n->uthread && n->uthread != t)
        return E_BUSY;
    unbind(t);
    t->uintr->notification = n;
    n->uthread = t;
    if (n->word)
        csr_set(CSR_UIP, UIRQ_SOFT);
    return OK;
}
