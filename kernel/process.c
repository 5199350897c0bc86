/*
 * Processes: birth, death, copying to and from their memory, and their system
 * calls: decode, check, commit.
 */
#include "kernel/process.h"
#include "kernel/endpoint.h"
#include "kernel/frame.h"
#include "kernel/irq.h"
#include "kernel/memory.h"
#include "kernel/notification.h"
#include "kernel/sched.h"

struct list all_processes = {&all_processes, &all_processes};
static uint32_t next_pid = 1;

struct process *process_new(const char name[NAME_SIZE], uint32_t max_priority)
{
    struct process *p = object_new(OBJECT_PROCESS);

    if (!p)
        return NULL;
    list_init(&p->threads);
    list_init(&p->irqs);
    list_init(&p->of_all);
    if (space_init(&p->space) != OK) {
        object_put(&p->object);
        return NULL;
    }
    memcpy(p->name, name, NAME_SIZE);
    p->name[NAME_SIZE - 1] = 0;
    p->pid = next_pid++;
    p->parent = this_hart->space ? this_hart->space->pid : 0;
    p->max_priority = max_priority;
    list_push(&all_processes, &p->of_all);
    return p;
}

void process_destroy(struct object *object)
{
    list_remove(&((struct process *)object)->of_all);
}

/* The last handle is gone: who has no thread will never have one. */
void process_hangup(struct object *object)
{
    struct process *p = (struct process *)object;

    if (p->thread_count == 0)
        process_end(p, EXIT_KILLED, 0);
}

void process_end(struct process *p, enum exit_reason reason, int32_t code)
{
    if (p->ending)
        return;
    p->ending = true;
    p->end_reason = reason;
    p->status.code = code;
    object_get(&p->object); /* the last thread may drop the last reference */
    if (p->thread_count == 0)
        process_finish(p);
    list_each_entry(struct thread, t, &p->threads, of_process)
        thread_kill(t);
    object_put(&p->object);
}

static void finish(struct process *p)
{
    list_each_entry(struct irq, irq, &p->irqs, of_process)
        irq_drop(irq);
    endpoint_server_died(p);
    if (this_hart->space == p)
        space_kernel_enter();
    handle_remove_all(&p->table);
    space_free(&p->space);
    p->status.reason = p->end_reason ? p->end_reason : EXIT_EXITED;
    if (p->watcher)
        doorbell_ring(p->watcher);
    doorbell_keep(&p->watcher, NULL);
    /* what it made and never started may hold itself: nobody else ends it */
    list_each_entry(struct process, child, &all_processes, of_all) {
        if (child->parent == p->pid && child->thread_count == 0)
            process_end(child, EXIT_KILLED, 0);
    }
}

/*
 * One after the other: the handles of one process may be the last ones to the
 * next, and a chain of them must not fill the kernel stack.
 */
void process_finish(struct process *p)
{
    static struct list doomed = {&doomed, &doomed};
    static bool busy;

    p->ending = true;
    object_get(&p->object);
    list_push(&doomed, &p->doomed);
    if (busy)
        return;
    busy = true;
    while (!list_empty(&doomed)) {
        p = list_first(&doomed, struct process, doomed);
        list_remove(&p->doomed);
        finish(p);
        object_put(&p->object);
    }
    busy = false;
}

/* Kernel address of a user byte, NULL unless mapped with these bits. */
static char *user_byte(uint64_t address, uint64_t bits)
{
    struct space *s = &current_process()->space;
    uint64_t *entry = space_mapped(s, address, bits | PTE_U);
    uint64_t frame = entry ? *entry >> 10 << 12 : 0;

    if (!entry || !frame_is_ram(frame, PAGE_SIZE))
        return NULL; /* of a device's registers the kernel has no page */
    return (char *)phys_to_virt(frame) + address % PAGE_SIZE;
}

static int64_t copy(uint64_t user, char *kernel, uint64_t size, bool to_user)
{
    uint64_t bits = to_user ? PTE_R | PTE_W : PTE_R;

    if (size > USER_END || user > USER_END - size)
        return E_FAULT;
    for (uint64_t a = user; a < user + size; a = (a | (PAGE_SIZE - 1)) + 1) {
        if (!user_byte(a, bits))
            return E_FAULT;
    }
    for (uint64_t n; size > 0; user += n, kernel += n, size -= n) {
        char *at = user_byte(user, bits);

        n = min(size, PAGE_SIZE - user % PAGE_SIZE);
        memcpy(to_user ? at : kernel, to_user ? kernel : at, n);
    }
    return OK;
}

int64_t copy_to_user(uint64_t to, const void *from, uint64_t size)
{
    return copy(to, (char *)(uintptr_t)from, size, true);
}

int64_t copy_from_user(void *to, uint64_t from, uint64_t size)
{
    return copy(from, to, size, false);
}

/* The process behind h (0 = the caller's) if it can still be changed. */
static int64_t target(uint64_t h, struct process **p)
{
    HANDLE_OR_SELF(struct process, found, current_process(), h, OBJECT_PROCESS,
                   R_MANAGE);
    *p = found;
    return found->ending ? E_DEAD : OK;
}

int64_t sys_process_create(uint64_t name0, uint64_t name1, uint64_t priority)
{
    uint64_t name[2] = {name0, name1};
    struct process *p;

    TRY(check_priority(current_process(), priority));
    TRY(handle_reserve(&current_process()->table, 1));
    p = process_new((char *)name, (uint32_t)priority);
    if (!p)
        return E_NOMEM;
    return handle_publish(p, R_MANAGE | R_STATUS | R_DUP);
}

int64_t sys_process_map(uint64_t hp, uint64_t hm, uint64_t address,
                        uint64_t offset, uint64_t size, uint64_t prot)
{
    struct process *p;

    TRY(target(hp, &p));
    if (prot == 0 || (prot & ~7UL) || !(prot & PROT_R) ||
        (prot & (PROT_W | PROT_X)) == (PROT_W | PROT_X))
        return E_ARG;
    static_assert((int)PROT_R == R_READ && (int)PROT_W == R_WRITE &&
                      (int)PROT_X == R_EXEC,
                  "protections are rights");
    HANDLE(struct memory, m, hm, OBJECT_MEMORY, (uint32_t)prot);
    return space_map(&p->space, m, address, offset, size, (uint32_t)prot);
}

int64_t sys_process_unmap(uint64_t hp, uint64_t address, uint64_t size)
{
    struct process *p;

    TRY(target(hp, &p));
    return space_unmap(&p->space, address, size);
}

int64_t sys_process_give(uint64_t hp, uint64_t h, uint64_t rights)
{
    struct handle *e;
    struct process *p;

    TRY(target(hp, &p));
    TRY(handle_duplicable(h, rights, &e));
    return handle_add(&p->table, e->object, (uint32_t)rights, e->badge);
}

int64_t sys_process_watch(uint64_t hp, uint64_t hd)
{
    HANDLE(struct process, p, hp, OBJECT_PROCESS, R_STATUS);
    HANDLE(struct doorbell, d, hd, OBJECT_DOORBELL, R_RING);

    if (p->status.reason != EXIT_RUNNING) {
        doorbell_ring(d);
        return OK;
    }
    if (p->watcher)
        return E_BUSY;
    doorbell_keep(&p->watcher, d);
    return OK;
}

int64_t sys_process_status(uint64_t hp, uint64_t out)
{
    HANDLE(struct process, p, hp, OBJECT_PROCESS, R_STATUS);

    return copy_to_user(out, &p->status, sizeof(p->status));
}

int64_t sys_process_kill(uint64_t hp, uint64_t code)
{
    HANDLE(struct process, p, hp, OBJECT_PROCESS, R_MANAGE);

    process_end(p, EXIT_KILLED, (int32_t)code);
    return OK;
}

int64_t sys_process_exit(uint64_t code)
{
    process_end(current_process(), EXIT_EXITED, (int32_t)code);
    return OK;
}

int64_t sys_process_id(uint64_t hp)
{
    HANDLE_OR_SELF(struct process, p, current_process(), hp, OBJECT_PROCESS, 0);

    return (int64_t)p->pid;
}
