/* System calls on processes and handles: decode, check, commit. */
#include "gen/syscall_table.h"
#include "kernel/memory.h"
#include "kernel/notification.h"
#include "kernel/process.h"
#include "kernel/thread.h"

/* The process behind h (0 = the caller's) if it can still be changed. */
static struct process *target(uint64_t h, int64_t *error)
{
    struct process *p = current_process();

    if (h)
        p = handle_object(&p->table, h, OBJECT_PROCESS, R_MANAGE, error);
    if (p && p->ending) {
        *error = E_DEAD;
        return NULL;
    }
    return p;
}

int64_t sys_process_create(uint64_t name0, uint64_t name1, uint64_t priority)
{
    uint64_t name[2] = {name0, name1};
    struct process *p;
    int64_t error;

    if (priority >= PRIORITIES)
        return E_ARG;
    if (priority > current_process()->max_priority)
        return E_RIGHTS;
    error = handle_reserve(&current_process()->table, 1);
    if (error)
        return error;
    p = process_new((char *)name, (uint32_t)priority);
    if (!p)
        return E_NOMEM;
    return handle_publish(p, R_MANAGE | R_STATUS | R_DUP);
}

int64_t sys_process_map(uint64_t hp, uint64_t hm, uint64_t address,
                        uint64_t offset, uint64_t size, uint64_t prot)
{
    struct memory *m;
    int64_t error;
    struct process *p = target(hp, &error);

    if (!p)
        return error;
    if (prot == 0 || (prot & ~7UL) || !(prot & PROT_R) ||
        (prot & (PROT_W | PROT_X)) == (PROT_W | PROT_X))
        return E_ARG;
    static_assert((int)PROT_R == R_READ && (int)PROT_W == R_WRITE &&
                      (int)PROT_X == R_EXEC,
                  "protections are rights");
    m = handle_object(&current_process()->table, hm, OBJECT_MEMORY,
                      (uint32_t)prot, &error);
    if (!m)
        return error;
    return space_map(&p->space, m, address, offset, size, (uint32_t)prot);
}

int64_t sys_process_unmap(uint64_t hp, uint64_t address, uint64_t size)
{
    int64_t error;
    struct process *p = target(hp, &error);

    return p ? space_unmap(&p->space, address, size) : error;
}

int64_t sys_process_give(uint64_t hp, uint64_t h, uint64_t rights)
{
    int64_t error;
    struct process *p = target(hp, &error);
    struct handle *e = handle_find(&current_process()->table, h);

    if (!p)
        return error;
    if (!e)
        return E_BADHANDLE;
    if (!(e->rights & R_DUP) || (rights & ~(uint64_t)e->rights))
        return E_RIGHTS;
    return handle_add(&p->table, e->object, (uint32_t)rights, e->badge);
}

int64_t sys_process_watch(uint64_t hp, uint64_t hd)
{
    struct handle_table *table = &current_process()->table;
    int64_t error;
    struct process *p =
        handle_object(table, hp, OBJECT_PROCESS, R_STATUS, &error);
    struct doorbell *d =
        p ? handle_object(table, hd, OBJECT_DOORBELL, R_RING, &error) : NULL;

    if (!d)
        return error;
    if (p->status.reason != EXIT_RUNNING) {
        doorbell_ring(d);
        return OK;
    }
    if (p->watcher)
        return E_BUSY;
    p->watcher = d;
    object_get(&d->object);
    return OK;
}

int64_t sys_process_status(uint64_t hp, uint64_t out)
{
    int64_t error;
    struct process *p = handle_object(&current_process()->table, hp,
                                      OBJECT_PROCESS, R_STATUS, &error);

    if (!p)
        return error;
    return copy_to_user(current_process(), out, &p->status, sizeof(p->status));
}

int64_t sys_process_kill(uint64_t hp, uint64_t code)
{
    int64_t error;
    struct process *p = handle_object(&current_process()->table, hp,
                                      OBJECT_PROCESS, R_MANAGE, &error);

    if (!p)
        return error;
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
    int64_t error;
    struct process *p = current_process();

    if (hp)
        p = handle_object(&p->table, hp, OBJECT_PROCESS, 0, &error);
    return p ? (int64_t)p->pid : error;
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
    struct handle_table *table = &current_process()->table;
    struct handle *e = handle_find(table, h);

    if (!e)
        return E_BADHANDLE;
    if (!(e->rights & R_DUP) || (rights & ~(uint64_t)e->rights))
        return E_RIGHTS;
    if (badge && (e->object->type != OBJECT_ENDPOINT || e->badge))
        return E_ARG;
    if (badge && !(e->rights & R_RECEIVE))
        return E_RIGHTS;
    return handle_add(table, e->object, (uint32_t)rights,
                      badge ? badge : e->badge);
}

int64_t sys_handle_type(uint64_t h)
{
    struct handle *e = handle_find(&current_process()->table, h);

    if (!e)
        return E_BADHANDLE;
    return (int64_t)((uint64_t)e->object->type << 32 | e->rights);
}
