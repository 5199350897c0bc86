/*
 * For the tests of every error of every system call: one handle of each type,
 * and the errors that all calls with a handle have in common.
 */
#ifndef TEST_REFUSED_H
#define TEST_REFUSED_H

#include "child.h"

enum { NO_HANDLE = 900, HUGE = 0x7fffffff };

#define FAR_HANDLE     0xffffffffffffffffUL
#define BAD_ADDRESS    0x3e000000UL /* nothing is mapped there */
#define KERNEL_ADDRESS 0xffffffc080200000UL

/* One handle of each type, made once and kept. */
static handle_t process, thread, endpoint, notification, doorbell, memory;

static __attribute__((unused)) void park(void)
{
    for (;;)
        sys_notification_wait(0, 0, DEADLINE_NEVER);
}

static __attribute__((unused)) void handles(void)
{
    static char stack[4096] __attribute__((aligned(16)));
    if (memory)
        return;
    process = MUST(sys_process_create(0x6d6d7564, 0, 3));
    thread = MUST(sys_thread_create(0, (uint64_t)park,
                                    (uint64_t)stack + sizeof(stack), 0, 3, 0));
    endpoint = MUST(sys_endpoint_create());
    notification = MUST(sys_notification_create());
    doorbell = MUST(sys_doorbell_create(notification, 1));
    memory = MUST(sys_memory_create(2 * PAGE_SIZE, 0));
}

/* The same object with these rights only. */
static __attribute__((unused)) handle_t weak(handle_t h, uint64_t rights)
{
    return MUST(sys_handle_dup(h, rights, 0));
}

/* A call that wants handle type `good`: bad numbers and other types. */
#define BAD_HANDLES(good, call)                                              \
    do {                                                                     \
        handles();                                                           \
        const handle_t all_[] = {process,  thread, endpoint,   notification, \
                                 doorbell, memory, test_system};             \
        uint64_t H = NO_HANDLE;                                              \
        REFUSED(call, E_BADHANDLE);                                          \
        H = FAR_HANDLE;                                                      \
        REFUSED(call, E_BADHANDLE);                                          \
        H = HANDLES_MAX;                                                     \
        REFUSED(call, E_BADHANDLE);                                          \
        for (unsigned i_ = 0; i_ < 7; i_++) {                                \
            H = all_[i_];                                                    \
            if (H != (good))                                                 \
                REFUSED(call, E_TYPE);                                       \
        }                                                                    \
    } while (0)

/* ... and a handle without the right. */
#define BAD_RIGHTS(good, right, call)                                  \
    do {                                                               \
        uint64_t type_ = MUST(sys_handle_type(good));                  \
        uint64_t H = weak(good, (uint32_t)type_ & ~(uint64_t)(right)); \
        REFUSED(call, E_RIGHTS);                                       \
        MUST(sys_handle_close(H));                                     \
    } while (0)

#endif
