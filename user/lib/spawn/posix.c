/*
 * <spawn.h> over uinta/spawn.h. Functions return an errno, as POSIX has it.
 * Attributes: the priority (POSIX_SPAWN_SETSCHEDPARAM); process groups and
 * signal masks do not exist here, and asking for them is refused.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <uinta/file.h>
#include <uinta/process.h>
#include <uinta/spawn.h>
#include "abi/errors.h"

struct __posix_spawn_file_actions {
    struct spawn_action *list; /* paths are copies */
    size_t count;
};

struct __posix_spawnattr {
    short flags;
    int priority;
};

static int spawn_errno(int64_t error)
{
    return error == E_RANGE   ? ENAMETOOLONG
           : error == E_LIMIT ? E2BIG
                              : error_to_errno(error);
}

int posix_spawn(pid_t *__restrict pid, const char *__restrict path,
                const posix_spawn_file_actions_t *actions,
                const posix_spawnattr_t *__restrict attributes,
                char *const argv[], char *const envp[])
{
    struct spawn_options options = {0};
    if (actions && *actions) {
        options.actions = (*actions)->list;
        options.action_count = (*actions)->count;
    }
    if (attributes && *attributes &&
        ((*attributes)->flags & POSIX_SPAWN_SETSCHEDPARAM))
        options.priority = (*attributes)->priority;
    char clean[PATH_SIZE + 1];
    int64_t child = file_path(clean, path);
    if (child >= 0)
        child = spawn_program(clean, argv, envp, &options);
    if (child < 0)
        return spawn_errno(child);
    if (pid)
        *pid = (pid_t)child;
    return 0;
}

/* PATH, or /bin without one. */
int posix_spawnp(pid_t *__restrict pid, const char *__restrict name,
                 const posix_spawn_file_actions_t *actions,
                 const posix_spawnattr_t *__restrict attributes,
                 char *const argv[], char *const envp[])
{
    if (strchr(name, '/'))
        return posix_spawn(pid, name, actions, attributes, argv, envp);
    const char *list = getenv("PATH");
    int error = ENOENT;
    for (list = list ? list : "/bin"; *list && error == ENOENT;) {
        char path[2 * PATH_SIZE];
        size_t n = strcspn(list, ":");
        if (n + 1 + strlen(name) >= sizeof(path))
            return ENAMETOOLONG;
        memcpy(path, list, n);
        path[n] = '/';
        strcpy(path + n + 1, name);
        error = posix_spawn(pid, path, actions, attributes, argv, envp);
        list += n + (list[n] == ':');
    }
    return error;
}

int posix_spawn_file_actions_init(posix_spawn_file_actions_t *actions)
{
    *actions = calloc(1, sizeof(**actions));
    return *actions ? 0 : ENOMEM;
}

int posix_spawn_file_actions_destroy(posix_spawn_file_actions_t *actions)
{
    for (size_t i = 0; i < (*actions)->count; i++)
        free((char *)(*actions)->list[i].path);
    free((*actions)->list);
    free(*actions);
    *actions = NULL;
    return 0;
}

static int add(posix_spawn_file_actions_t *actions, struct spawn_action action)
{
    struct __posix_spawn_file_actions *a = *actions;
    if (action.fd < 0)
        return EBADF;
    struct spawn_action *list =
        realloc(a->list, (a->count + 1) * sizeof(a->list[0]));
    if (!list)
        return ENOMEM;
    a->list = list;
    list[a->count++] = action;
    return 0;
}

int posix_spawn_file_actions_addopen(
    posix_spawn_file_actions_t *__restrict actions, int fd,
    const char *__restrict path, int flags, mode_t mode)
{
    (void)mode;
    char *copy = strdup(path);
    if (!copy)
        return ENOMEM;
    int error =
        add(actions,
            (struct spawn_action){
                .kind = SPAWN_OPEN, .fd = fd, .flags = flags, .path = copy});
    if (error)
        free(copy);
    return error;
}

int posix_spawn_file_actions_adddup2(posix_spawn_file_actions_t *actions,
                                     int from, int fd)
{
    return add(actions, (struct spawn_action){
                            .kind = SPAWN_DUP2, .fd = fd, .from = from});
}

int posix_spawn_file_actions_addclose(posix_spawn_file_actions_t *actions,
                                      int fd)
{
    return add(actions, (struct spawn_action){.kind = SPAWN_CLOSE, .fd = fd});
}

int posix_spawnattr_init(posix_spawnattr_t *attributes)
{
    *attributes = calloc(1, sizeof(**attributes));
    return *attributes ? 0 : ENOMEM;
}

int posix_spawnattr_destroy(posix_spawnattr_t *attributes)
{
    free(*attributes);
    *attributes = NULL;
    return 0;
}

int posix_spawnattr_getflags(const posix_spawnattr_t *__restrict attributes,
                             short *__restrict flags)
{
    *flags = (*attributes)->flags;
    return 0;
}

int posix_spawnattr_setflags(posix_spawnattr_t *attributes, short flags)
{
    if (flags & ~POSIX_SPAWN_SETSCHEDPARAM)
        return ENOTSUP;
    (*attributes)->flags = flags;
    return 0;
}

int posix_spawnattr_getschedparam(
    const posix_spawnattr_t *__restrict attributes,
    struct sched_param *__restrict parameters)
{
    parameters->sched_priority = (*attributes)->priority;
    return 0;
}

int posix_spawnattr_setschedparam(
    posix_spawnattr_t *__restrict attributes,
    const struct sched_param *__restrict parameters)
{
    (*attributes)->priority = parameters->sched_priority;
    return 0;
}
