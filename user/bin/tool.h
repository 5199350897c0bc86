/*
 * What the programs of this folder share: how they say "you called me wrong"
 * and how they get at the machine. Exit codes: 0 done, 1 it failed, 2 called
 * wrong.
 */
#ifndef BIN_TOOL_H
#define BIN_TOOL_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uinta/process.h>
#include "abi/errors.h"
#include "abi/object.h"
#include "gen/syscalls.h"

/* For main: return usage("cat [FILE...]"); */
static inline int usage(const char *text)
{
    fprintf(stderr, "usage: %s\n", text);
    return 2;
}

/* --help and -h are answered on standard output, and are no error. */
static inline void help_if_asked(int argc, char **argv, const char *text)
{
    if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
        printf("usage: %s\n", text);
        exit(0);
    }
}

/* A whole number >= 0, or -1 if `text` is not one. */
static inline long number(const char *text)
{
    char *end;
    long value = strtol(text, &end, 0);
    return *text && !*end && value >= 0 ? value : -1;
}

/* A handle that the shell passes to the tools that need it; or says so. */
static inline handle_t need_handle(const char *name)
{
    handle_t handle = startup_handle(name);
    if (!handle) {
        fprintf(stderr, "no '%s' handle: start this from the shell\n", name);
        exit(1);
    }
    return handle;
}

#endif
