/*
 * Starts /server/uart with the words of each argument, which commas separate,
 * on UART 1 of the native machine, and prints how it ended; what it says
 * itself comes before that. One that still runs after RUNS_MS keeps running.
 *
 *   words --mode=fast --flow=v2,--trigger=14 ...
 *   words: --mode=fast: exited 2
 */
#include <stdio.h>
#include <string.h>
#include <uinta/child.h>
#include <uinta/clock.h>
#include <uinta/process.h>
#include <uinta/spawn.h>
#include "abi/errors.h"
#include "gen/syscalls.h"

#define MS 1000000UL /* ns */
enum { RUNS_MS = 200, WORDS_MAX = 8 };

static int64_t start(char *words, handle_t service)
{
    char *argv[WORDS_MAX + 1] = {"uart"};
    int n = 1;
    for (char *w = strtok(words, ","); w && n < WORDS_MAX;
         w = strtok(NULL, ","))
        argv[n++] = w;
    const struct spawn_handle handles[] = {
        {"mmio", startup_handle("mmio12"), 0},
        {"irq", startup_handle("irq12"), 0},
        {"service", service, 0}};
    const struct spawn_options options = {
        .priority = PRIORITY_DRIVER, .handles = handles, .handle_count = 3};
    return spawn_program("/server/uart", argv, NULL, &options);
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 512);
    for (int i = 1; i < argc; i++) {
        struct process_status status = {.reason = EXIT_RUNNING};
        char how[96] = "runs", words[128];
        snprintf(words, sizeof(words), "%s", argv[i]);
        int64_t service = sys_endpoint_create();
        int64_t pid = start(words, service);
        if (pid < 0) {
            printf("words: %s: %s\n", argv[i], spawn_reason());
            return 1;
        }
        for (int ms = 0; ms < RUNS_MS && status.reason == EXIT_RUNNING; ms++) {
            clock_sleep_ns(MS);
            child_status(pid, &status);
        }
        if (status.reason != EXIT_RUNNING)
            child_describe(how, sizeof(how), &status);
        printf("words: %s: %s\n", argv[i], how);
    }
    return 0;
}
