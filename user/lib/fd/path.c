/* Paths, and the calls that take one without opening it. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uinta/file.h>
#include "abi/errors.h"
#include "gen/file_client.h"

int file_path(char out[PATH_SIZE + 1], const char *path)
{
    size_t length = 0;
    if (!*path)
        return E_NOENT;
    while (*path) {
        size_t part = strcspn(path, "/");
        if (part == 2 && memcmp(path, "..", 2) == 0) {
            while (length && out[--length] != '/')
                ;
        } else if (part && !(part == 1 && *path == '.')) {
            if (length + 1 + part > PATH_SIZE)
                return E_RANGE;
            out[length++] = '/';
            memcpy(out + length, path, part);
            length += part;
        }
        path += part;
        path += strspn(path, "/");
    }
    if (length == 0)
        out[length++] = '/';
    out[length] = 0;
    return OK;
}

/* The file server and a path as its calls want it. */
static int64_t prepare(uint64_t packed[6], const char *path)
{
    char clean[PATH_SIZE + 1];
    int64_t error = file_path(clean, path);
    if (error < 0)
        return error;
    path_pack(packed, clean);
    return service_lookup("fs", 0);
}

static int fail(int64_t error)
{
    errno = error == E_RANGE ? ENAMETOOLONG : error_to_errno(error);
    return -1;
}

int _stat(const char *path, struct stat *st)
{
    uint64_t packed[6], size = 0;
    int64_t fs = prepare(packed, path);
    int64_t type = fs < 0 ? fs : file_stat((handle_t)fs, packed, &size);
    if (type < 0)
        return fail(type);
    memset(st, 0, sizeof(*st));
    st->st_mode = (type == FILE_DIRECTORY ? S_IFDIR : S_IFREG) | 0555;
    st->st_size = (off_t)size;
    st->st_nlink = 1;
    return 0;
}

int access(const char *path, int mode)
{
    struct stat st;
    if (_stat(path, &st) < 0)
        return -1;
    if (mode & W_OK) {
        errno = EROFS;
        return -1;
    }
    return 0;
}

struct dirent_stream {
    handle_t fs;
    uint64_t path[6];
    uint64_t index;
    struct dirent entry;
};

DIR *opendir(const char *path)
{
    DIR *dir = malloc(sizeof(*dir));
    if (!dir)
        return NULL;
    uint64_t size;
    int64_t fs = prepare(dir->path, path);
    int64_t type = fs < 0 ? fs : file_stat((handle_t)fs, dir->path, &size);
    if (type == FILE_DIRECTORY) {
        dir->fs = (handle_t)fs;
        dir->index = 0;
        return dir;
    }
    free(dir);
    if (type >= 0)
        errno = ENOTDIR;
    else
        fail(type);
    return NULL;
}

/* NULL at the end with errno as it was; NULL with errno set: an error. */
struct dirent *readdir(DIR *dir)
{
    uint64_t name[6], size;
    int64_t type = file_readdir(dir->fs, dir->path, dir->index, &size, name);
    if (type < 0) {
        if (type != E_NOENT)
            fail(type);
        return NULL;
    }
    dir->index++;
    dir->entry.d_ino = 1;
    dir->entry.d_type = type == FILE_DIRECTORY ? DT_DIR : DT_REG;
    path_unpack(dir->entry.d_name, name);
    return &dir->entry;
}

void rewinddir(DIR *dir)
{
    dir->index = 0;
}

int closedir(DIR *dir)
{
    free(dir);
    return 0;
}

char *getcwd(char *buffer, size_t size)
{
    if (!buffer || size < 2) {
        errno = buffer ? ERANGE : EINVAL;
        return NULL;
    }
    return strcpy(buffer, "/");
}

static int read_only(void)
{
    errno = EROFS;
    return -1;
}

int _unlink(const char *path)
{
    (void)path;
    return read_only();
}

int _link(const char *from, const char *to)
{
    (void)from, (void)to;
    return read_only();
}

int _mkdir(const char *path, mode_t mode)
{
    (void)path, (void)mode;
    return read_only();
}
