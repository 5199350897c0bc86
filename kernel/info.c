/* system_*: what the holder of the system handle may see and do. */
#include "kernel/frame.h"
#include "kernel/irq.h"
#include "kernel/log.h"
#include "kernel/memory.h"
#include "kernel/sbi.h"
#include "kernel/sched.h"
#include "kernel/uintr.h"

extern char kernel_start[], kernel_end[];

enum { RESET_OFF, RESET_REBOOT, RESET_FAILED };

/*
 * Each fill_ function writes element `index` of its kind to a zeroed
 * structure; false past the end.
 */
static bool fill_memory(uint64_t index, void *info)
{
    struct memory_info *out = info;

    out->total = machine.ram.end - machine.ram.start;
    out->free = frame_count_free() * PAGE_SIZE;
    out->kernel = (uint64_t)(kernel_end - kernel_start);
    for (int type = 0; type < OBJECT_TYPES; type++)
        out->objects[type] = object_count((enum object_type)type);
    return index == 0;
}

static bool fill_hart(uint64_t index, void *info)
{
    struct hart *h = &harts[index];

    if (index >= hart_count)
        return false;
    uint64_t idle = h->idle_since ? rdtime() - h->idle_since : 0;
    struct thread *t = h->current;
    *(struct hart_info *)info = (struct hart_info){
        h->id,         h->idle_ticks + idle,    h->switches,
        h->interrupts, t ? t->process->pid : 0, t ? t->object.id : 0};
    return true;
}

/* Node `index` of a list, NULL past the end. */
static struct list *nth(struct list *head, uint64_t index)
{
    struct list *n = head->next;

    while (n != head && index-- > 0)
        n = n->next;
    return n == head ? NULL : n;
}

static bool fill_process(uint64_t index, void *info)
{
    struct process_info *out = info;
    struct list *n = nth(&all_processes, index);
    struct process *p = container_of(n, struct process, of_all);

    if (!n)
        return false;
    *out = (struct process_info){.pid = p->pid,
                                 .parent = p->parent,
                                 .threads = p->thread_count,
                                 .handles = p->table.count,
                                 .memory = p->space.mapped,
                                 .status = p->status,
                                 .instructions = p->instructions};
    memcpy(out->name, p->name, NAME_SIZE);
    list_each_entry(struct thread, t, &p->threads, of_process)
        out->instructions += t->instructions;
    return true;
}

static bool fill_thread(uint64_t index, void *info)
{
    struct list *n = nth(&all_threads, index);
    struct thread *t = container_of(n, struct thread, of_all);

    if (!n)
        return false;
    *(struct thread_info *)info = (struct thread_info){
        t->object.id,     t->process->pid,
        t->state,         t->hart->index,
        t->priority,      t->hart_mask & ((1u << hart_count) - 1),
        t->instructions,  t->x[X_PC],
        t->uintr != NULL, t->uhart ? t->uhart->index : ~0u};
    if (t->hart->idle_since && t == t->hart->current) /* naps (uintr.c) */
        ((struct thread_info *)info)->state = THREAD_UINTR;
    return true;
}

/* Has the source an owner, or ever been claimed by the kernel? */
static bool irq_seen(struct irq *irq)
{
    return irq->mode != IRQ_FREE || irq->kernel_count || irq->masked_count;
}

static bool fill_irq(uint64_t index, void *info)
{
    struct irq_info *out = info;
    struct irq *irq = irqs, *end = irqs + SOURCES_MAX;

    while (irq < end && (!irq_seen(irq) || index-- > 0))
        irq++;
    if (irq == end)
        return false;
    *out = (struct irq_info){.source = irq->source,
                             .mode = irq->mode,
                             .hart = irq->hart,
                             .kernel = irq->kernel_count,
                             .masked = irq->masked_count};
    if (irq->owner)
        out->pid = irq->owner->pid;
    if (irq->thread)
        out->direct = irq->thread->uintr->stats->direct[irq->source];
    return true;
}

static const struct {
    uint32_t size;
    bool (*fill)(uint64_t index, void *info);
} kinds[INFO_KINDS] = {
    [INFO_MEMORY] = {sizeof(struct memory_info), fill_memory},
    [INFO_HART] = {sizeof(struct hart_info), fill_hart},
    [INFO_PROCESS] = {sizeof(struct process_info), fill_process},
    [INFO_THREAD] = {sizeof(struct thread_info), fill_thread},
    [INFO_IRQ] = {sizeof(struct irq_info), fill_irq},
};

static int64_t check_system(uint64_t h, uint32_t right)
{
    HANDLE(struct object, system, h, OBJECT_SYSTEM, right);

    return OK;
}

int64_t sys_system_info(uint64_t h, uint64_t kind, uint64_t index, uint64_t out,
                        uint64_t size)
{
    uint64_t info[16] = {0};

    TRY(check_system(h, R_INSPECT));
    if (kind >= INFO_KINDS || size != kinds[kind].size)
        return E_ARG;
    assert(size <= sizeof(info));
    sched_account(this_hart);
    if (!kinds[kind].fill(index, info))
        return E_NOENT;
    return copy_to_user(out, info, size);
}

int64_t sys_system_log_read(uint64_t h, uint64_t from, uint64_t out,
                            uint64_t size)
{
    struct {
        uint64_t next;
        char text[504];
    } buffer;
    size_t n;

    TRY(check_system(h, R_READ));
    if (size <= sizeof(buffer.next))
        return E_ARG;
    size = min(size, sizeof(buffer));
    buffer.next = from;
    n = log_read(&buffer.next, buffer.text, size - sizeof(buffer.next));
    TRY(copy_to_user(out, &buffer, sizeof(buffer.next) + n));
    return (int64_t)n;
}

int64_t sys_system_log_write(uint64_t h, uint64_t text, uint64_t size)
{
    char line[256];

    TRY(check_system(h, R_WRITE));
    if (size > sizeof(line))
        return E_RANGE;
    TRY(copy_from_user(line, text, size));
    log_write(line, size);
    return OK;
}

int64_t sys_system_kill(uint64_t h, uint64_t pid, uint64_t code)
{
    TRY(check_system(h, R_KILL));
    list_each_entry(struct process, p, &all_processes, of_all) {
        if (p->pid == pid && p->status.reason == EXIT_RUNNING) {
            process_end(p, EXIT_KILLED, (int32_t)code);
            return OK;
        }
    }
    return E_NOENT;
}

/* Registers of devices: nothing that the kernel itself uses. */
int64_t sys_system_device(uint64_t h, uint64_t base, uint64_t size)
{
    TRY(check_system(h, R_DEVICE));
    if (!page_aligned(base | size))
        return E_ALIGN;
    if (size == 0 || size > PHYSICAL_END || base > PHYSICAL_END - size)
        return E_RANGE;
    if (frame_is_ram(base, size) ||
        (base < machine.plic.end && machine.plic.start < base + size) ||
        (base < machine.sswi.end && machine.sswi.start < base + size))
        return E_OVERLAP;
    return handle_publish(memory_new_fixed(base, size),
                          R_READ | R_WRITE | R_PHYS | R_DUP);
}

int64_t sys_system_irq(uint64_t h, uint64_t source)
{
    TRY(check_system(h, R_DEVICE));
    if (source == 0 || source > machine.plic_sources)
        return E_RANGE;
    return handle_add(&current_process()->table, &irqs[source].object,
                      R_ATTACH | R_DUP, 0);
}

int64_t sys_system_reset(uint64_t h, uint64_t kind)
{
    char c;

    TRY(check_system(h, R_RESET));
    if (kind > RESET_FAILED)
        return E_ARG;
    /* the last lines of the log, for a person without a console */
    for (uint64_t at = 0; kind == RESET_FAILED && log_read(&at, &c, 1) == 1;)
        sbi_putchar(c);
    sbi_reset(kind == RESET_REBOOT ? SBI_RESET_COLD : SBI_RESET_SHUTDOWN,
              kind == RESET_FAILED);
    return E_UNSUPPORTED; /* the firmware came back */
}
