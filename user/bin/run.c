/*
 * run [--halt] PROGRAM [ARG...]: runs a program and says how it ended. init
 * starts it as `run --halt` for the boot argument run=: then the machine ends
 * too, and QEMU's status is the program's (255 for a fault or a kill).
 */
#include <uinta/child.h>
#include <uinta/clock.h>
#include <uinta/fd.h>
#include <uinta/spawn.h>
#include "gen/console_client.h"
#include "gen/name_client.h"
#include "tool.h"
#include "user/servers/init/power.h"

enum { SETTLE_NS = 20 * 1000 * 1000, STATUS_BAD_END = 255 };

/* The program gets what we have: init gives us more than the shell. */
static int64_t start(char **argv)
{
    const struct startup *s = startup_get();
    struct spawn_handle handles[STARTUP_HANDLES_MAX];
    char names[STARTUP_HANDLES_MAX][sizeof(s->handles[0].name) + 1];
    size_t count = 0;
    for (uint32_t i = 0; i < s->handle_count; i++) {
        memset(names[i], 0, sizeof(names[i]));
        memcpy(names[i], s->handles[i].name, sizeof(s->handles[i].name));
        if (strcmp(names[i], "name")) /* it goes to every child anyway */
            handles[count++] =
                (struct spawn_handle){names[i], s->handles[i].handle, 0};
    }
    const struct spawn_options options = {
        .handles = handles,
        .handle_count = count,
        .max_priority = PRIORITIES - 1,
    };
    return spawn_program(argv[0], argv, NULL, &options);
}

static int run(char **argv)
{
    int64_t pid = start(argv);
    if (pid < 0) {
        printf("run: %s: cannot start: %s\n", argv[0], spawn_reason());
        return STATUS_BAD_END;
    }
    struct process_status end;
    int64_t waited = child_wait(pid, 0, &end);
    if (waited < 0) {
        printf("run: %s: wait: %s\n", argv[0], error_text(waited));
        return STATUS_BAD_END;
    }
    char how[96];
    child_describe(how, sizeof(how), &end);
    printf("run: %s: %s\n", argv[0], how);
    return end.reason == EXIT_EXITED ? end.code & 0xff : STATUS_BAD_END;
}

int main(int argc, char **argv)
{
    static const char text[] = "run [--halt] PROGRAM [ARG...]";
    help_if_asked(argc, argv, text);
    bool halt = argc > 1 && strcmp(argv[1], "--halt") == 0;
    if (argc < (halt ? 3 : 2))
        return usage(text);
    const char *notice = halt ? getenv("BOOT_NOTICE") : NULL; /* from init */
    if (notice)
        printf("%s\n", notice);
    int status = run(argv + (halt ? 2 : 1));
    fflush(stdout);
    if (halt) {
        int64_t console = fd_endpoint(1);
        if (console > 0)
            console_drain(console);
        clock_sleep_ns(SETTLE_NS); /* the UART's own FIFO */
        name_power(need_handle("machine"), POWER_STATUS, status);
    }
    return status;
}
