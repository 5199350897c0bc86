/* bench [NAME [ARG...]]: lists the measurements in /bench, or runs one. */
#include <dirent.h>
#include <errno.h>
#include <sys/wait.h>
#include <uinta/spawn.h>
#include "tool.h"

static int list(void)
{
    DIR *dir = opendir("/bench");
    if (!dir) {
        fprintf(stderr, "bench: there is no /bench\n");
        return 1;
    }
    struct dirent *entry;
    while ((entry = readdir(dir)))
        puts(entry->d_name);
    closedir(dir);
    return 0;
}

int main(int argc, char **argv)
{
    help_if_asked(argc, argv, "bench [NAME [ARG...]]");
    if (argc == 1)
        return list();
    char path[64];
    snprintf(path, sizeof(path), "/bench/%s", argv[1]);
    const struct spawn_handle handles[] = {
        {"system", need_handle("system"), 0},
        {"machine", need_handle("machine"), 0},
    };
    const struct spawn_options options = {
        .handles = handles,
        .handle_count = 2,
        .max_priority = PRIORITIES - 1,
    };
    int64_t pid = spawn_program(path, argv + 1, NULL, &options);
    if (pid < 0) {
        fprintf(stderr, "bench: %s: %s; these are there:\n", path,
                error_text(pid));
        list();
        return 1;
    }
    int status;
    if (waitpid(pid, &status, 0) < 0) {
        fprintf(stderr, "bench: wait: %s\n", strerror(errno));
        return 1;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
