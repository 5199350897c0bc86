/*
 * The kernel's half of the trace. Only build/trace/kernel.elf has it: the
 * kernel's own objects, unchanged, and this directory. The linker leads calls
 * from one of them to another through the functions below (--wrap), which
 * write a record and go on; so the kernel without it is the same to the byte.
 *
 * A record goes to the ring of the hart that it is written on. Kernel lock
 * held, interrupts off: nobody comes in between. The rings are nobody's
 * memory but the kernel's. A program's ring is memory of its own, of which the
 * kernel only notes where it is, for tools/trace: it reads nothing there.
 */
#include "abi/trace.h"
#include "kernel/irq.h"
#include "kernel/memory.h"
#include "kernel/notification.h"
#include "kernel/offsets.h"
#include "kernel/phys.h"
#include "kernel/sched.h"
#include "kernel/trace/trace.h"
#include "kernel/uintr.h"

struct trace_writer trace_writers[HARTS_MAX];
struct trace_ring trace_table[TRACE_RINGS];
static struct memory *process_rings[TRACE_RINGS]; /* outlive the process */

static_assert(sizeof(struct trace_writer) == 1 << TRACE_WRITER_SHIFT &&
                  offsetof(struct trace_writer, end) == TRACE_WRITER_END &&
                  offsetof(struct trace_writer, start) == TRACE_WRITER_START &&
                  offsetof(struct hart, index) == TRACE_HART_INDEX &&
                  sizeof(struct trace_record) == TRACE_RECORD_SIZE,
              "kernel/trace/trace.h");

static inline void record(uint64_t event, uint64_t a, uint64_t b)
{
    struct trace_writer *w = &trace_writers[this_hart->index];
    __asm__("" : "+r"(w)); /* or it is computed twice */
    struct trace_record *r = w->next, *next = r + 1;

    *(volatile uint64_t *)&r->event = 0; /* no old event with a new time */
    r->time = csr_read(CSR_CYCLE);
    r->a = a;
    r->b = b;
    *(volatile uint64_t *)&r->event = event;
    w->next = next < w->end ? next : w->start;
}

static uint64_t id(struct thread *t)
{
    return (uint64_t)t->process->pid << 32 | t->object.id;
}

static uint64_t name(struct thread *t)
{
    return *(const uint64_t *)t->process->name;
}

/* Declares the wrapper and what it goes on to. */
#define WRAP(result, function, ...)        \
    result __real_##function(__VA_ARGS__); \
    result __wrap_##function(__VA_ARGS__); \
    result __wrap_##function(__VA_ARGS__)

/* Boot, when there is memory and before there is anything to record. */
WRAP(void, irq_init, void)
{
    for (uint32_t i = 0; i < hart_count; i++) {
        struct memory *m = memory_new(TRACE_RING_SIZE, true);
        struct trace_writer *w = &trace_writers[i];

        if (!m)
            panic("trace: no memory for the rings of %u harts; give the "
                  "machine more (make trace MEM=256M)",
                  hart_count);
        trace_table[i] = (struct trace_ring){.base = m->base, .pid = i};
        w->next = w->start = phys_to_virt(m->base);
        w->end = w->start + TRACE_RING_SIZE / TRACE_RECORD_SIZE;
    }
    __real_irq_init();
}

WRAP(void, trap_user, uint64_t cause, uint64_t address)
{
    record(TRACE_TRAP, cause, address);
    __real_trap_user(cause, address);
}

/* A nap is a system call that does not come by syscall.S, and idle time. */
WRAP(bool, uintr_nap, uint64_t deadline)
{
    record(TRACE_SYSCALL, SYS_uintr_wait, deadline);
    record(TRACE_IDLE, 0, 0);
    bool due = __real_uintr_nap(deadline);
    record(TRACE_SYSCALL_DONE, SYS_uintr_wait, OK);
    return due;
}

WRAP(void, trap_interrupts, void)
{
    record(TRACE_WAKE_UP, csr_read(CSR_SIP), 0);
    __real_trap_interrupts();
}

WRAP(struct thread *, sched_resume, void)
{
    struct thread *t;

    if (!this_hart->current)
        record(TRACE_IDLE, this_hart->ready_map, 0);
    t = __real_sched_resume();
    record(TRACE_RUN, id(t), name(t));
    return t;
}

WRAP(uint32_t, plic_claim, const struct plic_context *c)
{
    uint32_t source = __real_plic_claim(c);

    if (source)
        record(TRACE_KERNEL_CLAIM, source, this_hart->index);
    return source;
}

WRAP(void, uintr_record, struct thread *t)
{
    record(TRACE_RECORDED, id(t), 0);
    __real_uintr_record(t);
}

WRAP(void, uintr_load, struct hart *h, struct thread *t)
{
    record(TRACE_LOAD, id(t), 0);
    __real_uintr_load(h, t);
}

WRAP(void, uintr_unload, struct hart *h)
{
    record(TRACE_UNLOAD, id(h->uthread), 0);
    __real_uintr_unload(h);
}

WRAP(void, uintr_post, struct thread *t, uint64_t bits)
{
    record(TRACE_POST, id(t), bits);
    __real_uintr_post(t, bits);
}

WRAP(void, thread_wake, struct thread *t, int64_t result)
{
    record(TRACE_WAKE, id(t), name(t));
    __real_thread_wake(t, result);
}

WRAP(void, doorbell_ring, struct doorbell *d)
{
    record(TRACE_BELL, d->badge, 0);
    __real_doorbell_ring(d);
}

/* The caller's ring is this contiguous memory, from its beginning. */
static int64_t sys_trace_ring(uint64_t h)
{
    HANDLE(struct memory, m, h, OBJECT_MEMORY, R_READ);
    uint32_t i = 0;

    if (!m->owned || !m->base || m->size != TRACE_RING_SIZE)
        return E_ARG;
    while (i < TRACE_RINGS && trace_table[i].base)
        i++;
    if (i == TRACE_RINGS)
        return E_LIMIT;
    object_get(&m->object);
    process_rings[i] = m;
    trace_table[i] =
        (struct trace_ring){.base = m->base, .pid = current_process()->pid};
    memcpy(trace_table[i].name, current_process()->name, NAME_SIZE);
    return OK;
}

int64_t sys_unknown(void);

/* What syscall.S goes on to, in place of the kernel's own table. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wcast-function-type"
#pragma GCC diagnostic ignored "-Woverride-init"
const syscall_fn trace_calls[SYSCALL_SLOTS] = {
    [0 ... SYSCALL_SLOTS - 1] = (syscall_fn)sys_unknown,
    SYSCALL_TABLE[TRACE_CALL] = (syscall_fn)sys_trace_ring};
#pragma GCC diagnostic pop
