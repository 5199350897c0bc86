/* System calls on processes and handles: decode, check, commit. */
#include "kernel/memory.h"
#include "kernel/notification.h"
#include "kernel/thread.h"

/* The process behind h (0 = the caller's) if it can still be changed. */
static int64_t target(uint64_t h, struct process **p)
{
    HANDLE_OR_SELF(struct process, found, current_process(), h, OBJECT_PROCESS,
                   R_MANAGE);
    *p = found;
    return found->ending ? E_DEAD : OK;
}

/* The caller's handle h, if it may be duplicated with these rights. */
static int64_t duplicable(uint64_t h, uint64_t rights, struct handle **e)
{
    *e = handle_find(&current_process()->table, h);
    if (!*e)
        return E_BADHANDLE;
    if (!((*e)->rights & R_DUP) || (rights & ~(uint64_t)(*e)->rights))
        return E_RIGHTS;
    return OK;
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
    TRY(duplicable(h, rights, &e));
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

int64_t sys_handle_close(uint64_t h)
{
    struct handle_table *table = &current_process()->table;

    if (!handle_find(table, h))
        return E_BADHANDLE;
    handle_remove(table, h);
    return OK;
}

int64_t sys_handle_dup(uint64_t h, uint64_t rights, uint64_t badge)
{
    struct handle *e;

    TRY(duplicable(h, rights, &e));
    if (badge && (e->object->type != OBJECT_ENDPOINT || e->badge))
        return E_ARG;
    if (badge && !(e->rights & R_RECEIVE))
        return E_RIGHTS;
    return handle_add(&current_process()->table, e->object, (uint32_t)rights,
                      badge ? badge : e->badge);
}

int64_t sys_handle_type(uint64_t h)
{
    struct handle *e = handle_find(&current_process()->table, h);

    if (!e)
        return E_BADHANDLE;
    return (int64_t)((uint64_t)e->object->type << 32 | e->rights);
}
