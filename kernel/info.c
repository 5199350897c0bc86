/* system_*: what the holder of the system handle may see and do. */
#include "abi/info.h"
#include "abi/uintr.h"
#include "abi/startup.h"
#include "gen/syscall_table.h"
#include "kernel/frame.h"
#include "kernel/irq.h"
#include "kernel/log.h"
#include "kernel/machine.h"
#include "kernel/memory.h"
#include "kernel/panic.h"
#include "kernel/phys.h"
#include "kernel/process.h"
#include "kernel/riscv.h"
#include "kernel/sbi.h"
#include "kernel/thread.h"
#include "kernel/uintr.h"

extern char kernel_start[], kernel_end[];

enum { RESET_OFF, RESET_REBOOT, RESET_FAILED };

static bool fill_memory(uint64_t index, struct memory_info *out)
{
    if (index > 0)
        return false;
    out->total = machine.ram_end - machine.ram;
    out->free = frame_count_free() * PAGE_SIZE;
    out->kernel = (uint64_t)(kernel_end - kernel_start);
    for (int type = 0; type < OBJECT_TYPES; type++)
        out->objects[type] = object_count((enum object_type)type);
    return true;
}

static bool fill_hart(uint64_t index, struct hart_info *out)
{
    struct hart *h = &harts[index];

    if (index >= hart_count)
        return false;
    out->hartid = h->id;
    out->idle = h->idle_ticks;
    out->switches = h->switches;
    out->interrupts = h->interrupts;
    out->pid = h->current ? h->current->process->pid : 0;
    out->tid = h->current ? h->current->object.id : 0;
    out->uintr_tid = h->uthread ? h->uthread->object.id : 0;
    return true;
}

/* Node `index` of a list, NULL past the end. */
static struct list *nth(struct list *head, uint64_t index)
{
    list_each(n, head)
    {
        if (index-- == 0)
            return n;
    }
    return NULL;
}

/* Used so far, also by one that runs right now on this hart. */
static uint64_t instructions(struct thread *t)
{
    uint64_t n = t->instructions;

    if (t == this_hart->current)
        n += csr_read(CSR_INSTRET) - this_hart->instret;
    return n;
}

static bool fill_process(uint64_t index, struct process_info *out)
{
    struct list *n = nth(&all_processes, index);
    struct process *p = container_of(n, struct process, of_all);

    if (!n)
        return false;
    out->pid = p->pid;
    out->parent = p->parent;
    memcpy(out->name, p->name, NAME_SIZE);
    out->threads = p->thread_count;
    out->handles = p->table.count;
    out->memory = p->space.mapped;
    out->instructions = p->instructions;
    out->status = p->status;
    list_each(m, &p->threads) out->instructions +=
        instructions(container_of(m, struct thread, of_process));
    return true;
}

static bool fill_thread(uint64_t index, struct thread_info *out)
{
    struct list *n = nth(&all_threads, index);
    struct thread *t = container_of(n, struct thread, of_all);

    if (!n)
        return false;
    out->tid = t->object.id;
    out->pid = t->process->pid;
    out->state = t->state;
    out->hart = t->hart->index;
    out->priority = t->priority;
    out->hart_mask = t->hart_mask & ((1u << hart_count) - 1);
    out->instructions = instructions(t);
    out->pc = t->x[X_PC];
    out->uintr_hart = t->uhart ? t->uhart->index : ~0u;
    if (t->uintr) {
        out->uintr = 1;
        out->utvec = t->uintr->utvec;
        out->uip = t->uintr->uip;
        out->uie = t->uintr->uie;
    }
    return true;
}

static bool fill_irq(uint64_t index, struct irq_info *out)
{
    for (uint32_t s = 1; s < SOURCES_MAX; s++) {
        struct irq *irq = irq_of_source(s);

        if (!(irq && (irq->mode || irq->kernel_count)) && !irq_masked_count(s))
            continue;
        if (index-- > 0)
            continue;
        out->source = s;
        out->masked = irq_masked_count(s);
        if (!irq)
            return true;
        out->pid = irq->owner ? irq->owner->pid : 0;
        out->mode = irq->mode;
        out->hart = irq->hart;
        out->kernel = irq->kernel_count;
        if (irq->thread) {
            struct uintr_stats *stats =
                phys_to_virt(memory_page(irq->thread->uintr->stats, 0));

            out->direct = stats->direct[s];
        }
        return true;
    }
    return false;
}

static bool fill_handle(uint64_t index, struct handle_info *out)
{
    struct process *p = process_by_id((uint32_t)(index >> 16));
    uint64_t h = index & 0xffff;
    struct handle *e;

    if (!p || h >= HANDLES_MAX)
        return false;
    e = handle_find(&p->table, h);
    out->handle = (uint32_t)h;
    if (e) {
        out->type = e->object->type;
        out->rights = e->rights;
        out->object = e->object->id;
        out->badge = e->badge;
    }
    return true;
}

static int64_t system_handle(uint64_t h, uint32_t right)
{
    int64_t error;

    return handle_object(&current_process()->table, h, OBJECT_SYSTEM, right,
                         &error)
               ? OK
               : error;
}

int64_t sys_system_info(uint64_t h, uint64_t kind, uint64_t index, uint64_t out,
                        uint64_t size)
{
    union {
        struct memory_info memory;
        struct hart_info hart;
        struct process_info process;
        struct thread_info thread;
        struct irq_info irq;
        struct handle_info handle;
    } info;
    static const uint32_t sizes[] = {
        [INFO_MEMORY] = sizeof(info.memory),
        [INFO_HART] = sizeof(info.hart),
        [INFO_PROCESS] = sizeof(info.process),
        [INFO_THREAD] = sizeof(info.thread),
        [INFO_IRQ] = sizeof(info.irq),
        [INFO_HANDLE] = sizeof(info.handle),
    };
    int64_t error = system_handle(h, R_INSPECT);
    bool found = false;

    if (error)
        return error;
    if (kind > INFO_HANDLE || size != sizes[kind])
        return E_ARG;
    memset(&info, 0, sizeof(info));
    switch ((enum info_kind)kind) {
    case INFO_MEMORY:
        found = fill_memory(index, &info.memory);
        break;
    case INFO_HART:
        found = fill_hart(index, &info.hart);
        break;
    case INFO_PROCESS:
        found = fill_process(index, &info.process);
        break;
    case INFO_THREAD:
        found = fill_thread(index, &info.thread);
        break;
    case INFO_IRQ:
        found = fill_irq(index, &info.irq);
        break;
    case INFO_HANDLE:
        found = fill_handle(index, &info.handle);
        break;
    }
    if (!found)
        return E_NOENT;
    return copy_to_user(current_process(), out, &info, size);
}

int64_t sys_system_log_read(uint64_t h, uint64_t from, uint64_t out,
                            uint64_t size)
{
    struct {
        uint64_t next;
        char text[504];
    } buffer;
    int64_t error = system_handle(h, R_READ);
    size_t n;

    if (error)
        return error;
    if (size <= sizeof(buffer.next))
        return E_ARG;
    buffer.next = from;
    n = log_read(&buffer.next, buffer.text,
                 min(size - sizeof(buffer.next), sizeof(buffer.text)));
    error =
        copy_to_user(current_process(), out, &buffer, sizeof(buffer.next) + n);
    return error ? error : (int64_t)n;
}

int64_t sys_system_log_write(uint64_t h, uint64_t text, uint64_t size)
{
    char line[256];
    int64_t error = system_handle(h, R_WRITE);

    if (error)
        return error;
    if (size > sizeof(line))
        return E_RANGE;
    error = copy_from_user(current_process(), line, text, size);
    if (!error)
        log_write(line, size);
    return error;
}

int64_t sys_system_kill(uint64_t h, uint64_t pid, uint64_t code)
{
    int64_t error = system_handle(h, R_KILL);
    struct process *p = error ? NULL : process_by_id((uint32_t)pid);

    if (error)
        return error;
    if (!p || p->status.reason != EXIT_RUNNING)
        return E_NOENT;
    process_end(p, EXIT_KILLED, (int32_t)code);
    return OK;
}

/* The last lines of the log, for a person without a console. */
static void print_log(void)
{
    char c;

    for (uint64_t at = 0; log_read(&at, &c, 1) == 1;) {
        if (c == '\n')
            sbi_putchar('\r');
        sbi_putchar(c);
    }
}

int64_t sys_system_reset(uint64_t h, uint64_t kind)
{
    int64_t error = system_handle(h, R_RESET);

    if (error)
        return error;
    if (kind > RESET_FAILED)
        return E_ARG;
    if (kind == RESET_FAILED)
        print_log();
    sbi_reset(kind == RESET_REBOOT ? SBI_RESET_COLD : SBI_RESET_SHUTDOWN,
              kind == RESET_FAILED);
    return E_UNSUPPORTED; /* the firmware came back */
}
