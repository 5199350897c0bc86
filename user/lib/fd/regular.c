/*
 * Files, directories and /dev/null. A file is its pages: the server hands out
 * a memory object, mapped at the first read; after that reading is copying.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <uinta/file.h>
#include <uinta/map.h>
#include "gen/file_client.h"
#include "user/lib/fd/internal.h"

/* handles[0]: the object; data: offset in it, size, both in bytes. */
struct regular_file {
    struct file file;
    struct mutex lock;
    char *bytes; /* mapped, or NULL */
    uint64_t position;
};

enum { OFFSET, SIZE };

size_t regular_file_size(void)
{
    return sizeof(struct regular_file);
}

static size_t skew_of(const struct regular_file *f)
{
    return f->file.data[OFFSET] % PAGE_SIZE;
}

static int64_t map(struct regular_file *f)
{
    if (f->bytes || f->file.data[SIZE] == 0)
        return OK;
    size_t skew = skew_of(f);
    char *base = map_memory_at(f->file.handles[0], f->file.data[OFFSET] - skew,
                               f->file.data[SIZE] + skew, PROT_R);
    f->bytes = base ? base + skew : NULL;
    return base ? OK : E_NOMEM;
}

static int64_t regular_read(struct file *file, void *to, size_t n)
{
    struct regular_file *f = (struct regular_file *)file;
    mutex_lock(&f->lock);
    int64_t result = map(f);
    if (result >= 0) {
        uint64_t size = file->data[SIZE];
        uint64_t left = f->position < size ? size - f->position : 0;
        result = (int64_t)(n < left ? n : left);
        if (result)
            memcpy(to, f->bytes + f->position, (size_t)result);
        f->position += (uint64_t)result;
    }
    mutex_unlock(&f->lock);
    return result;
}

static int64_t regular_seek(struct file *file, off_t offset, int whence)
{
    struct regular_file *f = (struct regular_file *)file;
    mutex_lock(&f->lock);
    int64_t from = whence == SEEK_SET   ? 0
                   : whence == SEEK_CUR ? (int64_t)f->position
                                        : (int64_t)file->data[SIZE];
    int64_t result = E_ARG;
    int64_t to;
    if (whence >= SEEK_SET && whence <= SEEK_END &&
        !__builtin_add_overflow(from, (int64_t)offset, &to) && to >= 0)
        result = (int64_t)(f->position = (uint64_t)to);
    mutex_unlock(&f->lock);
    return result;
}

static int64_t regular_stat(struct file *file, struct stat *st)
{
    st->st_mode = S_IFREG | 0555;
    st->st_size = (off_t)file->data[SIZE];
    return OK;
}

static void regular_close(struct file *file)
{
    struct regular_file *f = (struct regular_file *)file;
    size_t skew = skew_of(f);
    if (f->bytes)
        unmap_memory(f->bytes - skew, file->data[SIZE] + skew);
}

const struct file_kind file_kind_regular = {
    .kind = FD_FILE,
    .read = regular_read,
    .seek = regular_seek,
    .stat = regular_stat,
    .close = regular_close,
};

static int64_t directory_stat(struct file *file, struct stat *st)
{
    (void)file;
    st->st_mode = S_IFDIR | 0555;
    return OK;
}

const struct file_kind file_kind_directory = {
    .kind = FD_DIR,
    .stat = directory_stat,
};

static int64_t null_read(struct file *file, void *to, size_t n)
{
    (void)file, (void)to, (void)n;
    return 0;
}

static int64_t null_write(struct file *file, const void *from, size_t n)
{
    (void)file, (void)from;
    return (int64_t)n;
}

static int64_t null_stat(struct file *file, struct stat *st)
{
    (void)file;
    st->st_mode = S_IFCHR | 0666;
    return OK;
}

const struct file_kind file_kind_null = {
    .kind = FD_NULL,
    .read = null_read,
    .write = null_write,
    .stat = null_stat,
};

/* ---- opening -------------------------------------------------------------- */

size_t stream_file_size(void);
size_t pipe_file_size(void);

size_t file_size(enum fd_kind kind)
{
    switch (kind) {
    case FD_STREAM:
        return stream_file_size();
    case FD_PIPE_READ:
    case FD_PIPE_WRITE:
        return pipe_file_size();
    case FD_FILE:
        return regular_file_size();
    default:
        return sizeof(struct file);
    }
}

static struct file *made(struct file *f, int64_t *error)
{
    *error = f ? OK : E_NOMEM;
    return f;
}

/* Names in /dev are ours, not the file server's. */
static struct file *open_device(const char *name, int flags, int64_t *error)
{
    if (strcmp(name, "null") == 0)
        return made(file_new(&file_kind_null, flags, NULL, NULL), error);
    int64_t service = E_NOENT;
    if (strcmp(name, "console") == 0)
        service = service_lookup(name, 0);
    *error = service;
    if (service < 0)
        return NULL;
    int64_t type = sys_handle_type((uint64_t)service);
    int64_t own =
        type < 0 ? type
                 : sys_handle_dup((uint64_t)service, (uint64_t)type & R_ALL, 0);
    *error = own;
    if (own < 0)
        return NULL;
    handle_t handles[4] = {(handle_t)own};
    return made(file_new(&file_kind_stream, flags, handles, NULL), error);
}

struct file *file_open_path(const char *path, int flags, int64_t *error)
{
    char clean[PATH_SIZE + 1];
    *error = file_path(clean, path);
    if (*error < 0)
        return NULL;
    if (strncmp(clean, "/dev/", 5) == 0)
        return open_device(clean + 5, flags, error);
    uint64_t packed[6], size, offset;
    handle_t handles[4] = {0};
    int64_t fs = service_lookup("fs", 0);
    *error = fs < 0 ? fs : path_pack(packed, clean);
    if (*error < 0)
        return NULL;
    int64_t type = file_open((handle_t)fs, packed, &size, &offset, &handles[0]);
    if (type >= 0 && (flags & O_ACCMODE) != O_RDONLY)
        type = E_RIGHTS; /* the file server's files are read-only */
    if (type < 0) {
        if (handles[0])
            sys_handle_close(handles[0]);
        *error = type;
        return NULL;
    }
    const uint64_t data[2] = {offset, size};
    return made(file_new(type == FILE_DIRECTORY ? &file_kind_directory
                                                : &file_kind_regular,
                         flags & ~O_CREAT, handles, data),
                error);
}
