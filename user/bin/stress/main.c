/*
 * stress [-c GROUPS] [-t SECONDS]: keeps all harts busy and checks every
 * result. A group is five processes: one that computes, two that push bytes
 * through a pipe, two that call each other. One group a hart unless told. They
 * run below what a person types, so that one can work meanwhile.
 */
#include <fcntl.h>
#include <unistd.h>
#include <uinta/child.h>
#include <uinta/spawn.h>
#include "abi/info.h"
#include "../tool.h"
#include "workers.h"

enum { GROUPS_MAX = 8, PROCESSES = 5 }; /* processes a group */

static const char text[] = "stress [-c GROUPS (1..8)] [-t SECONDS]";
static char seconds_text[16] = "10";

/* `endpoint` 0: none; in, out -1: as ours. */
static int64_t start(const char *kind, int seed, handle_t endpoint, int in,
                     int out)
{
    char seed_text[16];
    snprintf(seed_text, sizeof(seed_text), "%d", seed);
    char *argv[] = {"stress",  "--worker",   (char *)kind,
                    seed_text, seconds_text, NULL};
    const struct spawn_handle handle = {"peer", endpoint, 0};
    const struct spawn_action actions[] = {
        {.kind = SPAWN_DUP2, .fd = in >= 0 ? 0 : 1, .from = in >= 0 ? in : out},
    };
    const struct spawn_options options = {
        .handles = &handle,
        .handle_count = endpoint != 0,
        .actions = actions,
        .priority = PRIORITY_NORMAL - 1, /* what people type comes first */
        .action_count = in >= 0 || out >= 0,
    };
    return spawn_program("/bin/stress", argv, NULL, &options);
}

static int start_group(int seed, int64_t pids[PROCESSES])
{
    int ends[2];
    int64_t endpoint = sys_endpoint_create();
    if (endpoint < 0 || pipe(ends) < 0) {
        fprintf(stderr, "stress: cannot make a pipe or an endpoint\n");
        return 1;
    }
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    pids[0] = start("compute", seed, 0, -1, -1);
    pids[1] = start("produce", seed, 0, -1, ends[1]);
    pids[2] = start("consume", seed, 0, ends[0], -1);
    pids[3] = start("serve", seed, endpoint, -1, -1);
    pids[4] = start("call", seed, endpoint, -1, -1);
    close(ends[0]);
    close(ends[1]);
    sys_handle_close(endpoint);
    for (int i = 0; i < PROCESSES; i++)
        if (pids[i] < 0) {
            fprintf(stderr, "stress: worker %d: %s\n", i, error_text(pids[i]));
            return 1;
        }
    return 0;
}

static int wait_for(int64_t pid)
{
    struct process_status end;
    char how[96];
    if (pid < 0 || child_wait(pid, 0, &end) < 0)
        return 1;
    if (end.reason == EXIT_EXITED && end.code == 0)
        return 0;
    child_describe(how, sizeof(how), &end);
    printf("stress: worker %ld: %s\n", (long)pid, how);
    return 1;
}

static int harts(void)
{
    struct hart_info hart;
    handle_t system = startup_handle("system");
    int count = 0;
    while (sys_system_info(system, INFO_HART, count, (uint64_t)&hart,
                           sizeof(hart)) == 0)
        count++;
    return count ? count : 1;
}

int main(int argc, char **argv)
{
    if (argc == 5 && !strcmp(argv[1], "--worker"))
        return work(argv[2], atoi(argv[3]), atoi(argv[4]));
    help_if_asked(argc, argv, text);
    int groups = harts();
    for (int i = 1; i < argc; i += 2) {
        long value = i + 1 < argc ? number(argv[i + 1]) : -1;
        if (!strcmp(argv[i], "-c") && value >= 1 && value <= GROUPS_MAX)
            groups = value;
        else if (!strcmp(argv[i], "-t") && value >= 1 && value <= 86400)
            snprintf(seconds_text, sizeof(seconds_text), "%ld", value);
        else
            return usage(text);
    }
    static int64_t pids[GROUPS_MAX][PROCESSES];
    int failed = 0;
    for (int i = 0; i < groups; i++)
        failed += start_group(i + 1, pids[i]);
    printf("stress: %d processes, %s s\n", groups * PROCESSES, seconds_text);
    fflush(stdout);
    for (int i = 0; i < groups; i++)
        for (int k = 0; k < PROCESSES; k++)
            failed += wait_for(pids[i][k]);
    printf("stress: %d processes, %d failed\n", groups * PROCESSES, failed);
    return failed ? 1 : 0;
}
