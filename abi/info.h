/*
 * What system_info() tells the holder of a system handle with R_INSPECT.
 * system_info(system, kind, index, out, size): index counts from 0 and ends
 * with E_NOENT; times are in timebase ticks, instructions from instret.
 */
#ifndef ABI_INFO_H
#define ABI_INFO_H

#include "abi/object.h"

enum info_kind {
    INFO_MEMORY,  /* struct memory_info, index 0 */
    INFO_HART,    /* struct hart_info */
    INFO_PROCESS, /* struct process_info */
    INFO_THREAD,  /* struct thread_info */
    INFO_IRQ,     /* struct irq_info: sources with an owner or a count */
    INFO_KINDS
};

struct memory_info {
    uint64_t total, free, kernel;   /* bytes; kernel = image and static data */
    uint64_t objects[OBJECT_TYPES]; /* live objects by type */
};

struct hart_info {
    uint64_t hartid;
    uint64_t idle;       /* ticks spent idle */
    uint64_t switches;   /* context switches */
    uint64_t interrupts; /* S-mode interrupts taken */
    uint32_t pid, tid;   /* running now, 0 = idle */
};

struct process_info {
    uint32_t pid, parent;
    char name[NAME_SIZE];
    uint32_t threads, handles;
    uint64_t memory;       /* bytes mapped */
    uint64_t instructions; /* used, all threads */
    struct process_status status;
};

enum thread_state {
    THREAD_READY,
    THREAD_RUNNING,
    THREAD_CALLING,   /* queued at an endpoint */
    THREAD_REPLY,     /* waiting for a reply */
    THREAD_RECEIVING, /* waiting for a message */
    THREAD_WAITING,   /* on a notification, or asleep */
    THREAD_UINTR,     /* in uintr_wait */
    THREAD_DEAD
};

struct thread_info {
    uint32_t tid, pid;
    uint32_t state; /* enum thread_state */
    uint32_t hart;  /* running on, or last ran on */
    uint32_t priority;
    uint32_t hart_mask;
    uint64_t instructions;
    uint64_t pc;
    uint32_t uintr;      /* 1: has user-interrupt state */
    uint32_t uintr_hart; /* hart it is loaded on, ~0 = none */
};

struct irq_info {
    uint32_t source;
    uint32_t pid;    /* owner, 0 = none */
    uint32_t mode;   /* 0 none, 1 user interrupt, 2 notification */
    uint32_t hart;   /* whose context it is routed to */
    uint64_t direct; /* claims by the driver itself */
    uint64_t kernel; /* claims by the kernel */
    uint64_t masked; /* times masked because nobody owned it */
};

#endif
