/*
 * As much of a kernel as stream.c uses, for host tests: two processes whose
 * handle tables name memory, notifications and doorbells; calls that go
 * straight to the server. Reference counts are exact, so that a test sees what
 * is left behind. Included once, before the code under test.
 */
#ifndef TESTS_FAKE_KERNEL_H
#define TESTS_FAKE_KERNEL_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "abi/errors.h"
#include "abi/object.h"

/* Stand in for the real headers, which are all inline RISC-V assembly. */
#define UINTA_IPC_H
#define GEN_SYSCALLS_H
#define UINTA_MAP_H

enum { HANDLES = 200, PROCESSES = 2 };

struct object {
    enum object_type type;
    int references;
    void *memory; /* memory: bytes */
    uint64_t size;
    uint64_t word; /* notification */
    pthread_cond_t bell;
    struct object *notification; /* doorbell */
    uint64_t badge;
};

static struct {
    struct object *object;
    uint64_t rights;
} table[PROCESSES][HANDLES];
static pthread_mutex_t kernel_lock = PTHREAD_MUTEX_INITIALIZER;
static int objects_live;
static __thread int self; /* the process this thread runs in */
static uint64_t doorbells_rung;

static struct object *find(handle_t h)
{
    return h > 0 && h < HANDLES ? table[self][h].object : NULL;
}

static handle_t give(int process, struct object *o, uint64_t rights)
{
    for (handle_t h = 1; h < HANDLES; h++)
        if (!table[process][h].object) {
            table[process][h].object = o;
            table[process][h].rights = rights;
            o->references++;
            return h;
        }
    abort();
}

static struct object *new_object(enum object_type type)
{
    struct object *o = calloc(1, sizeof(*o));
    o->type = type;
    pthread_cond_init(&o->bell, NULL);
    objects_live++;
    return o;
}

static void set_bits(struct object *notification, uint64_t bits)
{
    notification->word |= bits;
    pthread_cond_broadcast(&notification->bell);
}

static void put(struct object *o)
{
    if (--o->references)
        return;
    if (o->type == OBJECT_DOORBELL) {
        set_bits(o->notification, o->badge | EVENT_PEER_CLOSED);
        put(o->notification);
    }
    free(o->memory);
    free(o);
    objects_live--;
}

static int64_t sys_handle_close(uint64_t h)
{
    pthread_mutex_lock(&kernel_lock);
    struct object *o = find(h);
    if (o) {
        table[self][h].object = NULL;
        put(o);
    }
    pthread_mutex_unlock(&kernel_lock);
    if (!o)
        abort(); /* closing what is not there is a bug of the code tested */
    return OK;
}

static int64_t sys_handle_dup(uint64_t h, uint64_t rights, uint64_t badge)
{
    (void)badge;
    pthread_mutex_lock(&kernel_lock);
    struct object *o = find(h);
    int64_t result = o ? give(self, o, rights & table[self][h].rights)
                       : (int64_t)E_BADHANDLE;
    pthread_mutex_unlock(&kernel_lock);
    return result;
}

static int64_t sys_handle_type(uint64_t h)
{
    struct object *o = find(h);
    return o ? (int64_t)((uint64_t)o->type << 32 | table[self][h].rights)
             : (int64_t)E_BADHANDLE;
}

static int64_t publish_object(struct object *o, uint64_t rights)
{
    pthread_mutex_lock(&kernel_lock);
    handle_t h = give(self, o, rights | R_DUP);
    pthread_mutex_unlock(&kernel_lock);
    return h;
}

static int64_t sys_memory_create(uint64_t size, uint64_t flags)
{
    (void)flags;
    struct object *o = new_object(OBJECT_MEMORY);
    o->memory = aligned_alloc(4096, size);
    memset(o->memory, 0, size);
    o->size = size;
    return publish_object(o, R_READ | R_WRITE | R_EXEC | R_PHYS);
}

static int64_t sys_memory_size(uint64_t h)
{
    struct object *o = find(h);
    return !o                         ? (int64_t)E_BADHANDLE
           : o->type == OBJECT_MEMORY ? (int64_t)o->size
                                      : (int64_t)E_TYPE;
}

static int64_t sys_notification_create(void)
{
    return publish_object(new_object(OBJECT_NOTIFICATION), R_WAIT);
}

static int64_t sys_doorbell_create(uint64_t notification, uint64_t badge)
{
    struct object *n = find(notification);
    if (!n)
        return E_BADHANDLE;
    if (n->type != OBJECT_NOTIFICATION)
        return E_TYPE;
    if (!badge || badge >> BADGE_BITS)
        return E_ARG;
    struct object *o = new_object(OBJECT_DOORBELL);
    o->notification = n;
    o->badge = badge;
    pthread_mutex_lock(&kernel_lock);
    n->references++;
    pthread_mutex_unlock(&kernel_lock);
    return publish_object(o, R_RING);
}

static int64_t sys_doorbell_ring(uint64_t h)
{
    pthread_mutex_lock(&kernel_lock);
    struct object *o = find(h);
    int64_t result = !o                           ? E_BADHANDLE
                     : o->type == OBJECT_DOORBELL ? OK
                                                  : E_TYPE;
    if (result == OK) {
        set_bits(o->notification, o->badge);
        doorbells_rung++;
    }
    pthread_mutex_unlock(&kernel_lock);
    return result;
}

static int64_t sys_notification_poll(uint64_t h, uint64_t mask)
{
    pthread_mutex_lock(&kernel_lock);
    struct object *n = find(h);
    int64_t result = n ? (int64_t)(n->word & mask) : (int64_t)E_BADHANDLE;
    if (n)
        n->word &= ~mask;
    pthread_mutex_unlock(&kernel_lock);
    return result;
}

/* Deadlines are in ms of the monotonic clock here; never = 20 s, a failure. */
static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * 1000UL + t.tv_nsec / 1000000;
}

static int64_t sys_notification_wait(uint64_t h, uint64_t mask,
                                     uint64_t deadline)
{
    uint64_t end = deadline == DEADLINE_NEVER ? now_ms() + 20000 : deadline;
    struct timespec t = {end / 1000, end % 1000 * 1000000};
    pthread_mutex_lock(&kernel_lock);
    struct object *n = find(h);
    int late = 0;
    while (n && !(n->word & mask) && !late)
        late = pthread_cond_timedwait(&n->bell, &kernel_lock, &t);
    int64_t result = !n ? (int64_t)E_BADHANDLE : (int64_t)(n->word & mask);
    if (n)
        n->word &= ~mask;
    pthread_mutex_unlock(&kernel_lock);
    if (result == 0 && deadline == DEADLINE_NEVER)
        abort(); /* asleep for ever */
    return result ? result : E_TIMEDOUT;
}

/* Mappings: a reference to the memory each, by owner. */
static struct {
    struct object *object;
    int owner;
} maps[64];

static void *map_memory(handle_t h, size_t size, int prot)
{
    struct object *o = find(h);
    (void)prot;
    if (!o || o->size < size)
        return NULL;
    pthread_mutex_lock(&kernel_lock);
    int i = 0;
    while (maps[i].object)
        i++;
    maps[i].object = o;
    maps[i].owner = self;
    o->references++;
    pthread_mutex_unlock(&kernel_lock);
    return o->memory;
}

static int unmap_memory(void *address, size_t size)
{
    (void)size;
    pthread_mutex_lock(&kernel_lock);
    int i = 0;
    while (!maps[i].object || maps[i].object->memory != address ||
           maps[i].owner != self)
        i++;
    put(maps[i].object);
    maps[i].object = NULL;
    pthread_mutex_unlock(&kernel_lock);
    return OK;
}

static size_t page_round(size_t size)
{
    return (size + 4095) & ~4095UL;
}

/* Process `p` dies: its mappings and handles go. */
static void kill_process(int p)
{
    int was = self;
    self = p;
    for (int i = 0; i < 64; i++)
        if (maps[i].object && maps[i].owner == p)
            unmap_memory(maps[i].object->memory, 0);
    for (handle_t h = 1; h < HANDLES; h++)
        if (table[p][h].object)
            sys_handle_close(h);
    self = was;
}

/* Messages */

struct message {
    uint64_t word[MESSAGE_WORDS];
    handle_t handle[MESSAGE_HANDLES];
    uint64_t token, badge;
    uint32_t give;
};

/* What the server does with a call, run as process 1; set by the test. */
static int64_t (*serve)(struct message *message);

static void move_handles(struct message *message, int from, int to)
{
    pthread_mutex_lock(&kernel_lock);
    for (int i = 0; i < MESSAGE_HANDLES; i++) {
        handle_t h = message->handle[i];
        if (h)
            message->handle[i] =
                give(to, table[from][h].object, table[from][h].rights);
    }
    pthread_mutex_unlock(&kernel_lock);
}

static int64_t ipc_call(handle_t endpoint, struct message *message)
{
    (void)endpoint;
    if (!serve)
        return E_DEAD;
    int caller = self;
    move_handles(message, caller, 1);
    self = 1;
    int64_t result = serve(message);
    handle_t mine[MESSAGE_HANDLES];
    memcpy(mine, message->handle, sizeof(mine));
    move_handles(message, 1, caller);
    for (int i = 0; i < MESSAGE_HANDLES; i++)
        if (mine[i] && (message->give >> i & 1))
            sys_handle_close(mine[i]);
    self = caller;
    return result;
}

static void message_close(struct message *message, int keep)
{
    for (int i = keep; i < MESSAGE_HANDLES; i++) {
        if (message->handle[i])
            sys_handle_close(message->handle[i]);
        message->handle[i] = 0;
    }
}

#endif
