/*
 * Records of the trace, written only in the build of `make trace`: by the
 * kernel to a ring a hart, by each program to a ring of its own. Read from the
 * machine's memory by tools/trace, which also reads this file.
 * docs/design/trace.md tells the whole story.
 */
#ifndef ABI_TRACE_H
#define ABI_TRACE_H

#define TRACE_RECORD_SIZE 32
#define TRACE_RING_SIZE   0x100000 /* bytes, a power of two: 32,768 records */
#define TRACE_RINGS       32       /* one a hart, then one a process */
#define TRACE_CALL        127      /* system call: my ring is this memory */

/* Offsets in a record: 64-bit words. An event of 0: empty, or not complete. */
#define TRACE_TIME  0 /* rdcycle: ns under -icount */
#define TRACE_EVENT 8
#define TRACE_A     16
#define TRACE_B     24

/*
 * Of the kernel, with a and b. "name" is the first 8 bytes of a process's name,
 * "thread" is pid << 32 | thread id.
 */
#define TRACE_SYSCALL      1 /* number, first argument */
#define TRACE_SYSCALL_DONE 2 /* number, result */
#define TRACE_TRAP         3 /* scause, stval: interrupt or fault of a program */
#define TRACE_WAKE_UP      4 /* scause-like pending bits: the idle hart wakes */
#define TRACE_IDLE         5 /* ready_map: 0, or not idle but switching */
#define TRACE_RUN          6 /* thread, name: it goes on from here */
#define TRACE_KERNEL_CLAIM 7 /* source, hart */
#define TRACE_RECORDED     8 /* thread: a claimed source waits for this driver */
#define TRACE_WAKE         9  /* thread, name: its wait ends */
#define TRACE_BELL         10 /* badge: the kernel rings for an interrupt */
#define TRACE_POST         11 /* thread, bits of uip */
#define TRACE_LOAD         12 /* thread: its state goes into the CSRs */
#define TRACE_UNLOAD       13 /* thread: out of them */

/* Of programs. Source 0 is the software interrupt, -1 the timer. */
#define TRACE_CLAIM      32 /* source, 1: by this driver; 0: by the kernel */
#define TRACE_ENTER      33 /* source: a handler */
#define TRACE_EXIT       34 /* source */
#define TRACE_COMPLETE   35 /* source */
#define TRACE_RING_FULL  36 /* ring, units waited for */
#define TRACE_RING_EMPTY 37 /* ring, units waited for */
#define TRACE_DOORBELL   38 /* handle */
#define TRACE_UART_IN    39 /* bytes before, bytes from the FIFO */
#define TRACE_UART_OUT   40 /* bytes before, bytes to the FIFO */
#define TRACE_READ       41 /* position, bytes taken by a stream's reader */
#define TRACE_WRITE      42 /* position, bytes */
#define TRACE_RAISED     43 /* source, ns: when the device raised its line */
#define TRACE_USER       44 /* whatever a program under study wants to say */
#define TRACE_TASK_READY 45 /* bits: these tasks (uinta/async.h) look again */
#define TRACE_TASK_RUN   46 /* slot: a task goes on */
#define TRACE_TASK_STOP  47 /* slot, 1: it has ended; 0: it waits */
#define TRACE_COPIED     48 /* position, bytes: from one ring into another */

#ifndef __ASSEMBLER__
#include <stdint.h>

struct trace_record {
    uint64_t time, event, a, b;
};

/* At `trace_table` of the kernel image; an unused entry is zeros. */
struct trace_ring {
    uint64_t base; /* physical address */
    uint64_t pid;  /* of the process; a hart's ring: its index */
    char name[16]; /* of the process; empty: a hart */
};
#endif
#endif
