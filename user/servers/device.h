/*
 * How init tells a driver which device is its own. Handles by name (see
 * startup_handle): "mmio", "irq", "service" (the endpoint that clients call;
 * init keeps it over restarts). The rest as arguments: offset= reg_shift=
 * source= clock= in C's notation of numbers, and delivery=uintr or notify.
 */
#ifndef SERVERS_DEVICE_H
#define SERVERS_DEVICE_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <uinta/map.h>
#include <uinta/process.h>
#include "abi/errors.h"
#include "gen/syscalls.h"

struct device {
    volatile void *registers; /* mapped */
    unsigned reg_shift;
    uint32_t source;       /* PLIC source, 0 = none */
    uint32_t clock;        /* Hz, 0 = unknown */
    bool notify;           /* the kernel takes the interrupt and rings */
    handle_t irq, service; /* 0 = none */
};

/* The value of argument `name`= , or 0. */
static inline uint64_t device_argument(int argc, char **argv, const char *name)
{
    size_t length = strlen(name);
    for (int i = 1; i < argc; i++)
        if (!strncmp(argv[i], name, length) && argv[i][length] == '=')
            return strtoul(argv[i] + length + 1, NULL, 0);
    return 0;
}

/* Is this one of those arguments? For a driver that has words of its own. */
static inline bool device_word(const char *word)
{
    static const char *const names[] = {
        "offset=", "reg_shift=", "source=", "clock=", "delivery="};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (!strncmp(word, names[i], strlen(names[i])))
            return true;
    return false;
}

/* Fills `d` and maps the registers. Negative error: not started by init. */
static inline int64_t device_open(struct device *d, int argc, char **argv)
{
    handle_t mmio = startup_handle("mmio");
    int64_t size = sys_memory_size(mmio);
    if (size < 0)
        return size;
    char *page = map_memory(mmio, size, PROT_R | PROT_W);
    if (!page)
        return E_NOMEM;
    d->registers = page + device_argument(argc, argv, "offset");
    d->reg_shift = device_argument(argc, argv, "reg_shift");
    d->source = device_argument(argc, argv, "source");
    d->clock = device_argument(argc, argv, "clock");
    d->irq = startup_handle("irq");
    d->service = startup_handle("service");
    d->notify = false;
    for (int i = 1; i < argc; i++)
        if (!strcmp(argv[i], "delivery=notify"))
            d->notify = true;
    return OK;
}

#endif
