/*
 * What a new process finds in memory. The first thread starts with a0 = the
 * address of a struct startup (a child, filled by its spawner) or of a struct
 * bootinfo (init, filled by the kernel); the magic tells which.
 */
#ifndef ABI_STARTUP_H
#define ABI_STARTUP_H

#include "abi/object.h"

enum { DELIVERY_NONE, DELIVERY_EMULATED, DELIVERY_NATIVE };

#define BOOTINFO_MAGIC 0x746f6f6261746e69UL /* "intaboot" */
#define STARTUP_MAGIC  0x747261746161746eUL

struct bootinfo {
    uint64_t magic;
    uint32_t delivery; /* DELIVERY_* in force, from the firmware */
    uint32_t harts;
    uint64_t timebase; /* Hz */
    handle_t system;   /* OBJECT_SYSTEM, all rights */
    handle_t process;  /* init itself */
    handle_t archive;  /* boot archive (newc cpio): read and execute; 0: none */
    handle_t tree;     /* the pages of the device tree, read only */
    uint64_t archive_size; /* bytes */
    uint64_t tree_offset;  /* of the tree in its first page */
};

/* A handle the spawner passed on, found by name (user/lib: startup_handle). */
struct startup_handle {
    char name[12];
    handle_t handle;
};

enum { STARTUP_HANDLES_MAX = 16, STARTUP_FDS_MAX = 16, STARTUP_SIZE = 16384 };

/* An inherited file descriptor; kinds and handles are user/lib's affair. */
struct startup_fd {
    int32_t fd;
    uint32_t kind;
    handle_t handles[4];
    uint64_t data[2];
};

struct startup {
    uint64_t magic;
    uint64_t timebase; /* Hz */
    uint32_t delivery;
    uint32_t argc;
    uint32_t argv; /* byte offset in this block of argc packed strings */
    uint32_t envc;
    uint32_t envp; /* byte offset of envc packed strings */
    uint32_t handle_count;
    uint32_t fd_count;
    uint32_t pid;
    struct startup_handle handles[STARTUP_HANDLES_MAX];
    struct startup_fd fds[STARTUP_FDS_MAX];
    /* the strings follow, up to STARTUP_SIZE */
};

#endif
