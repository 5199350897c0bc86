/*
 * Small processes for tests, made by hand from the kernel's own calls: one
 * function of this program, copied to pages of their own, and two pages of
 * data that parent and child share. The child has no handle but those that
 * child_give() gives it, no library, no gp: BLOB functions use only their
 * argument, their stack, other BLOB functions and inlined system calls; no
 * constant wider than 32 bits, which the compiler would keep elsewhere.
 */
#ifndef TEST_CHILD_H
#define TEST_CHILD_H

#include "guest.h"

#define BLOB                                  \
    __attribute__((                           \
        section("blob_text"), noinline, used, \
        optimize("no-jump-tables", "no-tree-loop-distribute-patterns")))

enum {
    CHILD_TEXT = 0x10000,
    CHILD_DATA = 0x800000,
    CHILD_DATA_SIZE = 2 * PAGE_SIZE,
    CHILD_STACK = CHILD_DATA + CHILD_DATA_SIZE, /* its top */
    CHILD_ENDED = 1
};

struct child {
    handle_t process, thread, memory;
    volatile uint64_t *data; /* the shared pages, at CHILD_DATA in the child */
};

extern char __start_blob_text[], __stop_blob_text[];

static uint64_t child_text_size(void)
{
    return page_round(__stop_blob_text - __start_blob_text);
}

/* Made once; the handle stays. */
static handle_t child_text(void)
{
    static handle_t text;
    if (text)
        return text;
    handle_t memory = MUST(sys_memory_create(child_text_size(), 0));
    void *at = map_memory(memory, child_text_size(), PROT_R | PROT_W);
    CHECK(at);
    memcpy(at, __start_blob_text, __stop_blob_text - __start_blob_text);
    unmap_memory(at, child_text_size());
    return text = memory;
}

static uint64_t child_address(void (*fn)(volatile uint64_t *))
{
    return CHILD_TEXT + ((uint64_t)fn - (uint64_t)__start_blob_text);
}

/* The process with its memory, and no thread yet. */
static __attribute__((unused)) void child_make_at(struct child *c,
                                                  int max_priority)
{
    *c = (struct child){0};
    c->process = MUST(sys_process_create(0x646c696863, 0, max_priority));
    c->memory = MUST(sys_memory_create(CHILD_DATA_SIZE, 0));
    c->data = map_memory(c->memory, CHILD_DATA_SIZE, PROT_R | PROT_W);
    CHECK(c->data);
    MUST(sys_process_map(c->process, child_text(), CHILD_TEXT, 0,
                         child_text_size(), PROT_R | PROT_X));
    MUST(sys_process_map(c->process, c->memory, CHILD_DATA, 0, CHILD_DATA_SIZE,
                         PROT_R | PROT_W));
}

static __attribute__((unused)) void child_make(struct child *c)
{
    child_make_at(c, PRIORITIES - 1);
}

static __attribute__((unused)) handle_t child_give(struct child *c,
                                                   handle_t handle)
{
    int64_t type = MUST(sys_handle_type(handle));
    return MUST(sys_process_give(c->process, handle, (uint32_t)type));
}

/* Runs fn(data) there. */
static __attribute__((unused)) void
child_run(struct child *c, void (*fn)(volatile uint64_t *), int priority)
{
    c->thread = MUST(sys_thread_create(c->process, child_address(fn),
                                       CHILD_STACK, CHILD_DATA, priority, 0));
}

static __attribute__((unused)) void child_close(struct child *c)
{
    if (c->thread)
        sys_handle_close(c->thread);
    unmap_memory((void *)c->data, CHILD_DATA_SIZE);
    sys_handle_close(c->memory);
    sys_handle_close(c->process);
}

/* What its (first) thread does now. */
static __attribute__((unused)) struct thread_info child_thread(struct child *c)
{
    return thread_of(MUST(sys_process_id(c->process)), -1);
}

static __attribute__((unused)) int child_state(struct child *c)
{
    return child_thread(c).state;
}

static _Noreturn void child_stuck(struct child *c, uint64_t ms)
{
    struct thread_info t = child_thread(c);
    FAIL("a child did not end in %lu ms: its thread is in state %u on hart "
         "%u, priority %u, mask 0x%x, uintr hart %d, pc 0x%lx",
         ms, t.state, t.hart, t.priority, t.hart_mask, (int)t.uintr_hart, t.pc);
}

/* Wait for its end, at most `ms`; its status. Handles stay. */
static __attribute__((unused)) struct process_status
child_wait_end(struct child *c, uint64_t ms)
{
    struct process_status status;
    handle_t n = MUST(sys_notification_create());
    handle_t bell = MUST(sys_doorbell_create(n, CHILD_ENDED));
    MUST(sys_process_watch(c->process, bell));
    int64_t event =
        sys_notification_wait(n, CHILD_ENDED, clock_deadline(ms * MS));
    sys_handle_close(bell);
    sys_handle_close(n);
    if (event != CHILD_ENDED)
        child_stuck(c, ms);
    MUST(sys_process_status(c->process, (uint64_t)&status));
    return status;
}

static __attribute__((unused)) void child_kill(struct child *c)
{
    MUST(sys_process_kill(c->process, 9));
    struct process_status status = child_wait_end(c, 2000);
    EXPECT(status.reason, EXIT_KILLED);
    EXPECT(status.code, 9);
    child_close(c);
}

/*
 * Children that make a list of system calls: records of eight words, number,
 * a0..a5, and place for the result (a0 afterwards). It ends with a number
 * that is no call: SCRIPT_SPIN, SCRIPT_EXIT or SCRIPT_AGAIN.
 */
#define SCRIPT_SPIN  1001
#define SCRIPT_EXIT  1002
#define SCRIPT_SKIP  1003 /* goes on when word 1 becomes other than 0 */
#define SCRIPT_AGAIN 1004 /* the call before it, which may return for nothing */

static inline __attribute__((always_inline)) uint64_t
blob_call(uint64_t n, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
          uint64_t e, uint64_t f)
{
    register uint64_t a0 __asm__("a0") = a, a1 __asm__("a1") = b;
    register uint64_t a2 __asm__("a2") = c, a3 __asm__("a3") = d;
    register uint64_t a4 __asm__("a4") = e, a5 __asm__("a5") = f;
    register uint64_t a7 __asm__("a7") = n;
    register uint64_t t3 __asm__("t3") = c; /* ipc_reply_receive's endpoint */
    __asm__ volatile("ecall"
                     : "+r"(a0), "+r"(a1), "+r"(a2), "+r"(a3), "+r"(a4),
                       "+r"(a5), "+r"(a7), "+r"(t3)
                     :
                     : "a6", "t0", "t1", "t2", "t4", "t5", "t6", "memory");
    return a0;
}

static __attribute__((unused)) BLOB void child_script(volatile uint64_t *data)
{
    for (;; data += 8) {
        uint64_t n = data[0];
        if (n == SCRIPT_SPIN)
            for (;;)
                data[7]++;
        if (n == SCRIPT_SKIP) {
            while (data[1] == 0)
                ;
            data[7] = 1;
            continue;
        }
        if (n == SCRIPT_AGAIN) {
            data -= 2 * 8;
            continue;
        }
        if (n == SCRIPT_EXIT)
            n = SYS_process_exit;
        data[7] =
            blob_call(n, data[1], data[2], data[3], data[4], data[5], data[6]);
    }
}

/* Fills record i of a script. */
static __attribute__((unused)) void script(struct child *c, int i, uint64_t n,
                                           uint64_t a, uint64_t b, uint64_t d,
                                           uint64_t e, uint64_t f, uint64_t g)
{
    volatile uint64_t *r = c->data + 8 * i;
    r[0] = n;
    r[1] = a;
    r[2] = b;
    r[3] = d;
    r[4] = e;
    r[5] = f;
    r[6] = g;
    r[7] = 0x5ca1ab1e; /* not made yet */
}

#endif
