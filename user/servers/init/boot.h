/*
 * What the kernel handed to init and what the person asked for: the archive,
 * the boot arguments, the log, and the ways to end the machine.
 */
#ifndef INIT_BOOT_H
#define INIT_BOOT_H

#include <stdbool.h>
#include <stdint.h>
#include "abi/startup.h"

enum { RUN_ARGS_MAX = 16 };

struct device_node;

struct boot_options {
    bool notify;                       /* drivers: delivery=notify */
    const struct device_node *console; /* the serial port for people */
    char *run[RUN_ARGS_MAX + 1]; /* run=PROGRAM ARG...; [0] NULL: the shell */
};

/*
 * Reads the device tree and the boot arguments, and checks that what init
 * cannot do without is there (archive, a serial port). Ends the machine with a message if not.
 */
void boot_init(struct boot_options *options);

/* Environment of the first program: BOOT_NOTICE if there is something to say. */
extern char *const boot_notice[];

/* A program in the archive. False: not there. */
bool boot_find(const char *path, uint64_t *offset, uint64_t *size);

/* A line for the kernel's log, as printf. */
void boot_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same for what nobody can work around: shows the log and ends QEMU. */
_Noreturn void boot_fail(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* kind: enum power_kind. Returns only with an error. */
int64_t boot_power(uint64_t kind, uint64_t code);

#endif
