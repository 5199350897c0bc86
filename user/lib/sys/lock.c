/*
 * Mutexes, and the locks that newlib takes around malloc and each FILE. A lock
 * is one word: taken by an atomic swap, and when it is not free: a few tries, then
 * give way to equals, then sleep a little. Sleeping is what gets a holder of
 * lower priority onto the hart.
 */
#include <stdlib.h>
#include <sys/lock.h>
#include <uinta/clock.h>
#include <uinta/thread.h>
#include "gen/syscalls.h"

enum { TRIES = 16, YIELDS = 16, NAP_NS = 50000 };

int mutex_try(struct mutex *m)
{
    return __atomic_exchange_n(&m->held, 1, __ATOMIC_ACQUIRE) == 0;
}

void mutex_lock(struct mutex *m)
{
    for (unsigned i = 0; !mutex_try(m); i++) {
        if (i < TRIES)
            continue;
        if (i < TRIES + YIELDS)
            sys_thread_yield();
        else
            clock_sleep_ns(NAP_NS);
    }
}

void mutex_unlock(struct mutex *m)
{
    __atomic_store_n(&m->held, 0, __ATOMIC_RELEASE);
}

/*
 * newlib's locks. The owner is known by its tp, which thread_start makes
 * unique and which is 0 in the first thread.
 */
struct __lock {
    struct mutex mutex;
    uint32_t depth;
    uintptr_t owner;
};

enum { NOBODY = 1 }; /* an odd tp: no thread has it */

#define STATIC_LOCK(name) struct __lock name = {.owner = NOBODY}
STATIC_LOCK(__lock___sinit_recursive_mutex);
STATIC_LOCK(__lock___sfp_recursive_mutex);
STATIC_LOCK(__lock___atexit_recursive_mutex);
STATIC_LOCK(__lock___at_quick_exit_mutex);
STATIC_LOCK(__lock___malloc_recursive_mutex);
STATIC_LOCK(__lock___env_recursive_mutex);
STATIC_LOCK(__lock___tz_mutex);
STATIC_LOCK(__lock___dd_hash_mutex);
STATIC_LOCK(__lock___arc4random_mutex);

static uintptr_t self(void)
{
    uintptr_t tp;
    __asm__ volatile("mv %0, tp" : "=r"(tp));
    return tp;
}

/* Without memory for it a FILE shares one lock, which is slow but right. */
static STATIC_LOCK(spare);

void __retarget_lock_init_recursive(_LOCK_T *lock)
{
    struct __lock *made = malloc(sizeof(*made));
    if (made)
        *made = (struct __lock){.owner = NOBODY};
    *lock = made ? made : &spare;
}

void __retarget_lock_init(_LOCK_T *lock)
{
    __retarget_lock_init_recursive(lock);
}

void __retarget_lock_close_recursive(_LOCK_T lock)
{
    if (lock != &spare)
        free(lock);
}

void __retarget_lock_close(_LOCK_T lock)
{
    __retarget_lock_close_recursive(lock);
}

void __retarget_lock_acquire_recursive(_LOCK_T lock)
{
    if (__atomic_load_n(&lock->owner, __ATOMIC_RELAXED) != self()) {
        mutex_lock(&lock->mutex);
        __atomic_store_n(&lock->owner, self(), __ATOMIC_RELAXED);
    }
    lock->depth++;
}

void __retarget_lock_acquire(_LOCK_T lock)
{
    __retarget_lock_acquire_recursive(lock);
}

int __retarget_lock_try_acquire_recursive(_LOCK_T lock)
{
    if (__atomic_load_n(&lock->owner, __ATOMIC_RELAXED) != self()) {
        if (!mutex_try(&lock->mutex))
            return 0;
        __atomic_store_n(&lock->owner, self(), __ATOMIC_RELAXED);
    }
    lock->depth++;
    return 1;
}

int __retarget_lock_try_acquire(_LOCK_T lock)
{
    return __retarget_lock_try_acquire_recursive(lock);
}

void __retarget_lock_release_recursive(_LOCK_T lock)
{
    if (--lock->depth)
        return;
    __atomic_store_n(&lock->owner, NOBODY, __ATOMIC_RELAXED);
    mutex_unlock(&lock->mutex);
}

void __retarget_lock_release(_LOCK_T lock)
{
    __retarget_lock_release_recursive(lock);
}
