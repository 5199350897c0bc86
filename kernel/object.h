/*
 * Kernel objects and the handles that name them.
 *
 * An object lives while refs > 0: one for each handle, one for each kernel
 * structure that points to it. When the last *handle* closes, its type's
 * `hangup` runs (peers learn of it); when the last reference goes, `destroy`.
 */
#pragma once

#include "abi/object.h"
#include "kernel/lib.h"

struct process;

struct object {
    uint32_t type; /* enum object_type */
    uint32_t id;
    uint32_t refs;
    uint32_t handles;
};

struct handle {
    struct object *object; /* NULL = free */
    uint64_t badge;
    uint32_t rights;
    uint32_t reserved[3];
};

enum { HANDLES_PER_PAGE = 128, HANDLE_PAGES = HANDLES_MAX / HANDLES_PER_PAGE };
static_assert(sizeof(struct handle) * HANDLES_PER_PAGE == PAGE_SIZE,
              "a page of handles");

/* A process's table: pages appear as they are needed. Slot 0 is never used. */
struct handle_table {
    struct handle *page[HANDLE_PAGES];
    uint32_t count;
    uint32_t hint; /* no free slot below it */
};

/* Zeroed object of `type` with no handle and one reference; NULL: no memory. */
void *object_new(enum object_type type);
void object_put(struct object *object); /* drops a reference */
static inline void object_get(struct object *object)
{
    object->refs++;
}
uint64_t object_count(enum object_type type);

/* The entry of handle h, NULL if there is none. */
static inline struct handle *handle_find(struct handle_table *t, uint64_t h)
{
    if (h >= HANDLES_MAX || !t->page[h / HANDLES_PER_PAGE])
        return NULL;
    struct handle *e = &t->page[h / HANDLES_PER_PAGE][h % HANDLES_PER_PAGE];
    return e->object ? e : NULL;
}

/* The object behind h if it is of that type and held with these rights. */
static inline void *handle_object(struct handle_table *t, uint64_t h,
                                  enum object_type type, uint32_t rights)
{
    struct handle *e = handle_find(t, h);

    return e && e->object->type == type && (e->rights & rights) == rights
               ? e->object
               : NULL;
}
/* Which of the three it was that made handle_object say NULL. */
int64_t handle_error(struct handle_table *t, uint64_t h, enum object_type type);

/*
 * At the head of a system call: declare `var`, the object behind handle h of
 * the calling process, or `self` if h is 0, or return what is wrong with h.
 */
#define HANDLE_OR_SELF(struct_type, var, self, h, type, rights)    \
    struct_type *var =                                             \
        handle_object(&current_process()->table, h, type, rights); \
    if (!var && !(h))                                              \
        var = (self);                                              \
    if (!var)                                                      \
    return handle_error(&current_process()->table, h, type)
#define HANDLE(struct_type, var, h, type, rights) \
    HANDLE_OR_SELF(struct_type, var, NULL, h, type, rights)

/* Number of a new handle, or E_LIMIT, E_NOMEM. Takes a reference. */
int64_t handle_add(struct handle_table *t, struct object *object,
                   uint32_t rights, uint64_t badge);
/* 0 if `count` more handles fit, so that handle_add cannot fail. */
int64_t handle_reserve(struct handle_table *t, uint32_t count);
/* The caller's handle h, if it may be duplicated with these rights. */
int64_t handle_duplicable(uint64_t h, uint64_t rights, struct handle **e);
void handle_remove(struct handle_table *t, uint64_t h);
void handle_remove_all(struct handle_table *t);

/* A new object's first handle in the current process; consumes the reference
 * of object_new whatever happens. */
int64_t handle_publish(void *object, uint32_t rights);
