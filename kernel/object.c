/* Object life cycle, and the handle tables of processes. */
#include "kernel/object.h"
#include "kernel/endpoint.h"
#include "kernel/frame.h"
#include "kernel/memory.h"
#include "kernel/notification.h"
#include "kernel/pool.h"
#include "kernel/thread.h"

/* What each type needs at the end of its life. */
static struct object_class {
    struct pool pool;
    void (*closed)(struct object *, uint32_t rights); /* one handle closed */
    void (*hangup)(struct object *);                  /* the last one */
    void (*destroy)(struct object *);
} classes[OBJECT_TYPES] = {
    [OBJECT_PROCESS] = {{sizeof(struct process)},
                        .hangup = process_hangup,
                        .destroy = process_destroy},
    [OBJECT_THREAD] = {{sizeof(struct thread)}},
    [OBJECT_ENDPOINT] = {{sizeof(struct endpoint)},
                         .closed = endpoint_closed,
                         .destroy = endpoint_destroy},
    [OBJECT_NOTIFICATION] = {{sizeof(struct notification)},
                             .destroy = notification_destroy},
    [OBJECT_DOORBELL] = {{sizeof(struct doorbell)},
                         .hangup = doorbell_hangup,
                         .destroy = doorbell_destroy},
    [OBJECT_MEMORY] = {{sizeof(struct memory)}, .destroy = memory_destroy},
    [OBJECT_SYSTEM] = {{sizeof(struct object)}},
};

static uint32_t next_id;

void *object_new(enum object_type type)
{
    struct object *object = pool_alloc(&classes[type].pool);

    if (!object)
        return NULL;
    object->type = type;
    object->id = ++next_id;
    object->refs = 1;
    return object;
}

void object_put(struct object *object)
{
    assert(object->refs > 0);
    if (--object->refs > 0)
        return;
    if (classes[object->type].destroy)
        classes[object->type].destroy(object);
    pool_free(&classes[object->type].pool, object);
}

uint64_t object_count(enum object_type type)
{
    return classes[type].pool.live;
}

int64_t handle_error(struct handle_table *t, uint64_t h, enum object_type type)
{
    struct handle *e = handle_find(t, h);

    return !e ? E_BADHANDLE : e->object->type != type ? E_TYPE : E_RIGHTS;
}

/* The lowest free slot, with its page in place; E_LIMIT or E_NOMEM. */
static int64_t free_slot(struct handle_table *t, uint32_t from)
{
    for (uint32_t h = max(from, 1u); h < HANDLES_MAX; h++) {
        struct handle **page = &t->page[h / HANDLES_PER_PAGE];

        if (!*page) {
            uint64_t frame = frame_alloc_zero();

            if (!frame)
                return E_NOMEM;
            *page = phys_to_virt(frame);
        }
        if (!(*page)[h % HANDLES_PER_PAGE].object)
            return h;
    }
    return E_LIMIT;
}

int64_t handle_add(struct handle_table *t, struct object *object,
                   uint32_t rights, uint64_t badge)
{
    int64_t h = free_slot(t, t->hint);

    if (h < 0)
        return h;
    t->page[h / HANDLES_PER_PAGE][h % HANDLES_PER_PAGE] =
        (struct handle){.object = object, .rights = rights, .badge = badge};
    t->hint = (uint32_t)h + 1;
    t->count++;
    object->refs++;
    object->handles++;
    if (object->type == OBJECT_ENDPOINT && (rights & R_RECEIVE))
        ((struct endpoint *)object)->receivers++;
    return h;
}

int64_t handle_reserve(struct handle_table *t, uint32_t count)
{
    int64_t h = t->hint;

    for (; count > 0; count--, h++) {
        h = free_slot(t, (uint32_t)h);
        if (h < 0)
            return h;
    }
    return OK;
}

void handle_remove(struct handle_table *t, uint64_t h)
{
    struct handle *e = handle_find(t, h);
    struct object *object = e->object;
    uint32_t rights = e->rights;

    *e = (struct handle){0};
    t->count--;
    t->hint = min(t->hint, (uint32_t)h);
    object->handles--;
    if (classes[object->type].closed)
        classes[object->type].closed(object, rights);
    if (object->handles == 0 && classes[object->type].hangup)
        classes[object->type].hangup(object);
    object_put(object);
}

void handle_remove_all(struct handle_table *t)
{
    for (uint32_t p = 0; p < HANDLE_PAGES; p++) {
        if (!t->page[p])
            continue;
        for (uint32_t i = 0; i < HANDLES_PER_PAGE; i++) {
            if (t->page[p][i].object)
                handle_remove(t, p * HANDLES_PER_PAGE + i);
        }
        frame_free(virt_to_phys(t->page[p]));
        t->page[p] = NULL;
    }
}

int64_t handle_publish(void *object, uint32_t rights)
{
    int64_t h;

    if (!object)
        return E_NOMEM;
    h = handle_add(&current_process()->table, object, rights, 0);
    object_put(object);
    return h;
}

int64_t handle_duplicable(uint64_t h, uint64_t rights, struct handle **e)
{
    *e = handle_find(&current_process()->table, h);
    if (!*e)
        return E_BADHANDLE;
    if (!((*e)->rights & R_DUP) || (rights & ~(uint64_t)(*e)->rights))
        return E_RIGHTS;
    return OK;
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

    TRY(handle_duplicable(h, rights, &e));
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
