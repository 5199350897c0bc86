/* System calls that stay in their own process, and what an emulated CSR costs. */
#include <uinta/map.h>
#include <uinta/thread.h>
#include <uinta/uintr.h>
#include "micro.h"

static void null(void)
{
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t start = count();
        sys_null();
        samples[i] = count() - start - COUNT_COST;
    }
    row("null", "-", "instructions", 1);
}

/* An unmapped page is mapped, and unmapped again. */
static void map(void)
{
    static uint64_t unmap_samples[ROUNDS];
    char *address = (char *)(USER_MAPS_END - 16 * PAGE_SIZE);
    handle_t memory = must(sys_memory_create(PAGE_SIZE, 0), "memory");

    for (int i = 0; i < ROUNDS; i++) {
        uint64_t start = count();
        int64_t result = sys_process_map(0, memory, (uint64_t)address, 0,
                                         PAGE_SIZE, PROT_R | PROT_W);
        samples[i] = count() - start - COUNT_COST;
        must(result, "map");
        *(volatile char *)address = 1;
        start = count();
        result = sys_process_unmap(0, (uint64_t)address, PAGE_SIZE);
        unmap_samples[i] = count() - start - COUNT_COST;
        must(result, "unmap");
    }
    row("page-map", "-", "instructions", 1);
    for (int i = 0; i < ROUNDS; i++)
        samples[i] = unmap_samples[i];
    row("page-unmap", "-", "instructions", 1);
    sys_handle_close(memory);
}

static void memory(void)
{
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t start = count();
        int64_t memory = sys_memory_create(PAGE_SIZE, 0);
        sys_handle_close(memory);
        samples[i] = count() - start - COUNT_COST;
        must(memory, "memory");
    }
    row("memory-create-close", "-", "instructions", 1);
}

static void bell_self(void)
{
    handle_t n = must(sys_notification_create(), "notification");
    handle_t bell = must(sys_doorbell_create(n, 1), "doorbell");

    for (int i = 0; i < ROUNDS; i++) {
        uint64_t start = count();
        sys_doorbell_ring(bell);
        sys_notification_poll(n, 1);
        samples[i] = count() - start - COUNT_COST;
    }
    row("ring-poll-self", "-", "instructions", 1);
    sys_handle_close(bell);
    sys_handle_close(n);
}

static int64_t nothing(void *argument)
{
    return (int64_t)argument;
}

/* Stack, guard page, thread, its run, its end, and all of it given back. */
static void thread(void)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct thread t;
        uint64_t start = count();
        must(thread_start(&t, nothing, NULL, PRIORITY_MAIN), "thread");
        thread_join(&t);
        samples[i] = count() - start - COUNT_COST;
    }
    row("thread-create-join", "-", "instructions", 1);
}

void measure_calls(void)
{
    null();
    bell_self();
    map();
    memory();
    thread();
}
