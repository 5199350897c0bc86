/*
 * From the startup block to main and from its end to the kernel. Lean on
 * purpose: every program pays for this. stdio, descriptors and services set
 * themselves up when first used.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uinta/process.h>
#include "abi/errors.h"
#include "gen/syscalls.h"
#include "user/lib/sys/internal.h"

typedef void (*constructor)(void);
extern constructor __preinit_array_start[], __preinit_array_end[];
extern constructor __init_array_start[], __init_array_end[];
extern constructor __fini_array_start[], __fini_array_end[];

int main(int argc, char **argv, char **envp);

static const struct startup *startup;
static const struct bootinfo *bootinfo;

const struct startup *startup_get(void)
{
    return startup;
}

const struct bootinfo *startup_bootinfo(void)
{
    return bootinfo;
}

handle_t startup_handle(const char *name)
{
    for (uint32_t i = 0; i < startup->handle_count; i++) {
        const struct startup_handle *h = &startup->handles[i];
        if (strncmp(h->name, name, sizeof(h->name)) == 0)
            return h->handle;
    }
    return 0;
}

static void run(constructor *from, constructor *to)
{
    for (; from < to; from++)
        (*from)();
}

static void destruct(void)
{
    run(__fini_array_start, __fini_array_end);
}

/* `count` packed strings become pointers; returns behind the last NUL. */
static char *unpack(char **out, uint32_t count, char *text)
{
    for (uint32_t i = 0; i < count; i++) {
        out[i] = text;
        text += strlen(text) + 1;
    }
    out[count] = NULL;
    return text;
}

/* s: our own page, filled by our spawner, who can do to us what it likes. */
static _Noreturn void start(struct startup *s)
{
    char *vectors[s->argc + s->envc + 2];
    char **argv = vectors, **envp = vectors + s->argc + 1;
    unpack(argv, s->argc, (char *)s + s->argv);
    unpack(envp, s->envc, (char *)s + s->envp);
    startup = s;
    environ = envp;
    run(__preinit_array_start, __preinit_array_end);
    run(__init_array_start, __init_array_end);
    if (&__fini_array_start[0] != &__fini_array_end[0])
        atexit(destruct);
    exit(main((int)s->argc, argv, envp));
}

/* init has no spawner: what the kernel says, as a startup block. */
static _Noreturn void start_init(struct bootinfo *boot)
{
    struct {
        struct startup s;
        char arguments[8];
    } block = {
        .s =
            {
                .magic = STARTUP_MAGIC,
                .timebase = boot->timebase,
                .delivery = boot->delivery,
                .argc = 1,
                .argv = sizeof(struct startup),
                .handle_count = 2,
                .handles = {{"system", boot->system},
                            {"process", boot->process}},
                .pid = (uint32_t)sys_process_id(0),
            },
        .arguments = "init",
    };
    block.s.envp = block.s.argv + sizeof("init");
    bootinfo = boot;
    start(&block.s);
}

_Noreturn void start_process(uint64_t *block)
{
    if (block && *block == STARTUP_MAGIC)
        start((struct startup *)block);
    if (block && *block == BOOTINFO_MAGIC)
        start_init((struct bootinfo *)block);
    sys_process_exit((uint64_t)E_FORMAT);
    __builtin_unreachable();
}

_Noreturn void _exit(int code)
{
    if (fd_at_exit)
        fd_at_exit();
    sys_process_exit((uint64_t)code);
    __builtin_unreachable();
}
