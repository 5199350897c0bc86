/*
 * A traced program's ring: memory of its own at USER_TRACE, made before
 * anything else runs, and shown to the kernel so that tools/trace finds it.
 */
#ifdef UINTA_TRACE
#include "uinta/trace.h"
#include "abi/errors.h"
#include "abi/object.h"
#include "gen/syscalls.h"

uint64_t trace_next;

static int64_t show_kernel(uint64_t memory)
{
    register uint64_t a0 __asm__("a0") = memory;
    register uint64_t a7 __asm__("a7") = TRACE_CALL;
    __asm__ volatile("ecall"
                     : "+r"(a0), "+r"(a7)
                     :
                     : "a1", "a2", "a3", "a4", "a5", "a6", "t0", "t1", "t2",
                       "t3", "t4", "t5", "t6", "memory");
    return (int64_t)a0;
}

/*
 * Before main, constructors and the first record. Without memory there is no
 * way to go on: a record is written without a look whether it can be. A kernel
 * that refuses (not a traced one, or TRACE_RINGS processes are noted already)
 * leaves a ring that nobody reads.
 */
static void begin(void)
{
    int64_t m = sys_memory_create(TRACE_RING_SIZE, MEMORY_CONTIGUOUS);
    if (m < 0)
        sys_process_exit((uint64_t)m);
    int64_t error =
        sys_process_map(0, m, USER_TRACE, 0, TRACE_RING_SIZE, PROT_R | PROT_W);
    if (error)
        sys_process_exit((uint64_t)error);
    show_kernel(m);
    sys_handle_close(m);
}

static void (*const first)(void)
    __attribute__((section(".preinit_array"), used)) = begin;
#endif
