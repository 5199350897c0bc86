/*
 * Kernel objects as a process sees them: handle types, rights, limits, and
 * the small structures that system calls fill in. A handle is a small positive
 * integer, valid in one process; 0 is never a handle and means "none" or
 * "self" where a call says so.
 */
#ifndef ABI_OBJECT_H
#define ABI_OBJECT_H

#include <stdint.h>

typedef uint32_t handle_t;

enum object_type {
    OBJECT_NONE,
    OBJECT_PROCESS,
    OBJECT_THREAD,
    OBJECT_ENDPOINT,     /* synchronous call/reply */
    OBJECT_NOTIFICATION, /* 64-bit event word, waited for */
    OBJECT_DOORBELL,     /* sets its badge bits in one notification */
    OBJECT_MEMORY,       /* pages of RAM, or a device's registers */
    OBJECT_IRQ,          /* one PLIC source */
    OBJECT_SYSTEM,       /* inspect, kill by id, log, reset, devices */
    OBJECT_TYPES
};

/* Rights of a handle. A handle can be duplicated with fewer, never more. */
enum right {
    R_READ = 1 << 0,      /* memory: map readable; system: read the log */
    R_WRITE = 1 << 1,     /* memory: map writable; system: write the log */
    R_EXEC = 1 << 2,      /* memory: map executable */
    R_PHYS = 1 << 3,      /* memory: learn the physical address */
    R_RING = 1 << 4,      /* doorbell: ring it */
    R_WAIT = 1 << 5,      /* notification: wait, poll, make doorbells */
    R_CALL = 1 << 6,      /* endpoint: call */
    R_RECEIVE = 1 << 7,   /* endpoint: receive, reply, bind, badge */
    R_MANAGE = 1 << 8,    /* process, thread: map, give, start, kill, set */
    R_STATUS = 1 << 9,    /* process: status and watch */
    R_ATTACH = 1 << 10,   /* irq: become its owner */
    R_INSPECT = 1 << 11,  /* system: info calls */
    R_KILL = 1 << 12,     /* system: kill a process by id */
    R_RESET = 1 << 13,    /* system: power off, reboot */
    R_DUP = 1 << 14,      /* any: duplicate, give, send in a message */
    R_DEVICE = 1 << 15,   /* system: make handles to devices */
    R_CONTEXTS = 1 << 16, /* system: reach the U contexts of all harts */
    R_ALL = (1 << 17) - 1
};

/* Protections of process_map; writable and executable together is refused. */
enum prot { PROT_R = 1, PROT_W = 2, PROT_X = 4 };

enum memory_flag { MEMORY_CONTIGUOUS = 1 };

enum {
    PRIORITIES = 8,      /* 0 lowest .. 7 highest */
    PRIORITY_IDLE = 0,   /* background work */
    PRIORITY_NORMAL = 3, /* programs a person types */
    PRIORITY_SHELL = 4,
    PRIORITY_SERVER = 5,
    PRIORITY_DRIVER = 6,
    HARTS_MAX = 8,
    HANDLES_MAX = 1024, /* a process */
    MESSAGE_WORDS = 8,
    MESSAGE_HANDLES = 4,       /* 16 bits each, packed in one register */
    MEMORY_SIZE_MAX = 2 << 20, /* bytes, one memory object of RAM */
    NAME_SIZE = 16             /* bytes of a process name, NUL-padded */
};

/*
 * Bit of an event word that the kernel sets, together with the doorbell's
 * badge, when the last handle to that doorbell is closed (its holder died or
 * hung up). Badges use bits 0..61; bit 63 is the sign of an error.
 */
#define EVENT_PEER_CLOSED (1UL << 62)
#define BADGE_BITS        62

/* Absolute time in timebase ticks (rdtime); never is "no deadline". */
#define DEADLINE_NEVER (~0UL)

/* How a process ended. */
enum exit_reason { EXIT_RUNNING, EXIT_EXITED, EXIT_KILLED, EXIT_FAULT };

struct process_status {
    uint32_t reason;  /* enum exit_reason */
    int32_t code;     /* argument of exit or kill */
    uint64_t cause;   /* EXIT_FAULT: scause [priv 4.1.8] */
    uint64_t pc;      /* ... address of the instruction */
    uint64_t address; /* ... stval [priv 4.1.9] */
};

#endif
