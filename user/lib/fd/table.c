/*
 * The table from numbers to open descriptions, and how it passes from parent
 * to child. The child's side is lazy: a program that uses no descriptor never
 * looks at what it inherited.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <uinta/process.h>
#include <uinta/spawn.h>
#include "user/lib/fd/internal.h"
#include "user/lib/fd/table.h"
#include "user/lib/sys/internal.h"

struct slot {
    struct file *file; /* NULL = free */
    bool close_on_spawn;
};

static struct slot table[FDS_MAX];
static bool imported;
static struct mutex lock; /* table, `imported`, reference counts */

/* ---- descriptions --------------------------------------------------------- */

struct file *file_new(const struct file_kind *kind, int flags,
                      const handle_t handles[4], const uint64_t data[2])
{
    struct file *f = calloc(1, file_size(kind->kind));
    if (!f) {
        for (int i = 0; i < 4 && handles; i++)
            if (handles[i])
                sys_handle_close(handles[i]);
        return NULL;
    }
    f->kind = kind;
    f->flags = flags;
    f->refs = 1;
    if (handles)
        memcpy(f->handles, handles, sizeof(f->handles));
    if (data)
        memcpy(f->data, data, sizeof(f->data));
    return f;
}

void file_get(struct file *f)
{
    __atomic_fetch_add(&f->refs, 1, __ATOMIC_RELAXED);
}

void file_put(struct file *f)
{
    if (__atomic_sub_fetch(&f->refs, 1, __ATOMIC_ACQ_REL))
        return;
    if (f->kind->close)
        f->kind->close(f);
    for (int i = 0; i < 4; i++)
        if (f->handles[i])
            sys_handle_close(f->handles[i]);
    free(f);
}

/* ---- from the parent ------------------------------------------------------ */

static const struct file_kind *kind_of(uint32_t kind)
{
    static const struct file_kind *const kinds[] = {
        [FD_STREAM] = &file_kind_stream,
        [FD_PIPE_READ] = &file_kind_pipe_read,
        [FD_PIPE_WRITE] = &file_kind_pipe_write,
        [FD_FILE] = &file_kind_regular,
        [FD_NULL] = &file_kind_null,
    };
    return kind < sizeof(kinds) / sizeof(kinds[0]) ? kinds[kind] : NULL;
}

/* An earlier descriptor of the same description: it had the same handles. */
static struct file *shared(const struct startup *s, uint32_t i)
{
    const struct startup_fd *fd = &s->fds[i];
    for (uint32_t j = 0; j < i && fd->handles[0]; j++) {
        const struct startup_fd *other = &s->fds[j];
        if (other->kind == fd->kind && other->fd >= 0 && other->fd < FDS_MAX &&
            memcmp(other->handles, fd->handles, sizeof(fd->handles)) == 0)
            return table[other->fd].file;
    }
    return NULL;
}

static void import(void)
{
    const struct startup *s = startup_get();
    imported = true;
    for (uint32_t i = 0; i < s->fd_count && i < STARTUP_FDS_MAX; i++) {
        const struct startup_fd *fd = &s->fds[i];
        const struct file_kind *kind = kind_of(fd->kind);
        if (fd->fd < 0 || fd->fd >= FDS_MAX || !kind || table[fd->fd].file)
            continue;
        struct file *f = shared(s, i);
        if (f)
            file_get(f);
        else
            f = file_new(kind, O_RDWR, fd->handles, fd->data);
        table[fd->fd].file = f;
    }
}

static void enter(void)
{
    mutex_lock(&lock);
    if (!imported)
        import();
}

/* ---- the table ------------------------------------------------------------ */

struct file *fd_get(int fd)
{
    enter();
    struct file *f = fd >= 0 && fd < FDS_MAX ? table[fd].file : NULL;
    if (f)
        file_get(f);
    mutex_unlock(&lock);
    return f;
}

int fd_install(struct file *f, int least, bool close_on_spawn)
{
    enter();
    int fd = least;
    while (fd < FDS_MAX && table[fd].file)
        fd++;
    if (fd < FDS_MAX)
        table[fd] = (struct slot){f, close_on_spawn};
    mutex_unlock(&lock);
    if (fd < FDS_MAX)
        return fd;
    file_put(f);
    return E_LIMIT;
}

int fd_replace(int fd, struct file *f)
{
    struct file *old = NULL;
    if (fd >= 0 && fd < FDS_MAX) {
        enter();
        old = table[fd].file;
        table[fd] = (struct slot){f, false};
        mutex_unlock(&lock);
        if (old)
            file_put(old);
        return fd;
    }
    if (f)
        file_put(f);
    return E_BADHANDLE;
}

int fd_remove(int fd)
{
    struct file *f = fd_get(fd);
    if (!f)
        return E_BADHANDLE;
    file_put(f);
    return fd_replace(fd, NULL) < 0 ? E_BADHANDLE : OK;
}

int fd_close_on_spawn(int fd, int set)
{
    int result = E_BADHANDLE;
    enter();
    if (fd >= 0 && fd < FDS_MAX && table[fd].file) {
        result = table[fd].close_on_spawn;
        if (set >= 0)
            table[fd].close_on_spawn = set;
    }
    mutex_unlock(&lock);
    return result;
}

void fd_at_exit(void)
{
    if (!imported)
        return;
    for (int fd = 0; fd < FDS_MAX; fd++) {
        struct file *f = table[fd].file;
        if (f && f->kind->drain)
            f->kind->drain(f);
    }
}

/* ---- to a child ----------------------------------------------------------- */

/*
 * The child's table; each entry has a reference. Those to be closed are there
 * while the actions are taken, which may duplicate them.
 */
struct view {
    struct file *file[FDS_MAX];
    bool close[FDS_MAX];
};

static void view_set(struct view *v, int fd, struct file *f)
{
    if (v->file[fd])
        file_put(v->file[fd]);
    v->file[fd] = f;
    v->close[fd] = false;
}

static int64_t act(struct view *v, const struct spawn_action *a)
{
    int64_t error = OK;
    if (a->fd < 0 || a->fd >= FDS_MAX)
        return E_BADHANDLE;
    switch (a->kind) {
    case SPAWN_CLOSE:
        view_set(v, a->fd, NULL);
        return OK;
    case SPAWN_DUP2:
        if (a->from < 0 || a->from >= FDS_MAX || !v->file[a->from])
            return E_BADHANDLE;
        if (a->from != a->fd) {
            file_get(v->file[a->from]);
            view_set(v, a->fd, v->file[a->from]);
        }
        v->close[a->fd] = false;
        return OK;
    case SPAWN_OPEN:
        view_set(v, a->fd, file_open_path(a->path, a->flags, &error));
        return error;
    }
    return E_ARG;
}

static int64_t pass(struct startup *s, handle_t process, int fd,
                    const struct file *f)
{
    if (f->kind->kind == FD_DIR)
        return OK; /* a directory is opened by who reads it */
    if (s->fd_count == STARTUP_FDS_MAX)
        return E_LIMIT;
    struct startup_fd *out = &s->fds[s->fd_count];
    *out = (struct startup_fd){.fd = fd, .kind = f->kind->kind};
    memcpy(out->data, f->data, sizeof(out->data));
    for (int i = 0; i < 4; i++) {
        int64_t theirs = f->handles[i] ? spawn_give(process, f->handles[i]) : 0;
        if (theirs < 0)
            return theirs;
        out->handles[i] = (handle_t)theirs;
    }
    s->fd_count++;
    return OK;
}

int64_t fd_export(struct startup *s, handle_t process,
                  const struct spawn_action *actions, size_t action_count)
{
    struct view v = {0};
    int64_t error = OK;
    enter();
    for (int fd = 0; fd < FDS_MAX; fd++)
        if (table[fd].file) {
            file_get(table[fd].file);
            v.file[fd] = table[fd].file;
            v.close[fd] = table[fd].close_on_spawn;
        }
    mutex_unlock(&lock);
    for (size_t i = 0; i < action_count && error >= 0; i++)
        error = act(&v, &actions[i]);
    for (int fd = 0; fd < FDS_MAX; fd++) {
        if (error >= 0 && v.file[fd] && !v.close[fd])
            error = pass(s, process, fd, v.file[fd]);
        view_set(&v, fd, NULL);
    }
    return error;
}
