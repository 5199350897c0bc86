/*
 * One sorted array. '/' sorts before every other byte, so that all that is in
 * a directory follows it without a gap, and a directory is found by where its
 * first file would be.
 */
#include "tree.h"

#include <stdlib.h>
#include <string.h>
#include "abi/errors.h"

static int byte_order(char c)
{
    return c == '/' ? 0 : (unsigned char)c + 1;
}

static int compare(const char *a, size_t a_size, const char *b, size_t b_size)
{
    size_t n = a_size < b_size ? a_size : b_size;
    for (size_t i = 0; i < n; i++)
        if (a[i] != b[i])
            return byte_order(a[i]) - byte_order(b[i]);
    return (a_size > b_size) - (a_size < b_size);
}

static int compare_files(const void *a, const void *b)
{
    const struct tree_file *x = a, *y = b;
    return compare(x->path, x->path_size, y->path, y->path_size);
}

/* Room for one more. */
static bool grow(struct tree *t)
{
    enum { FIRST = 64 };
    if (t->count && (t->count < FIRST || (t->count & (t->count - 1))))
        return true;
    size_t room = t->count ? t->count * 2 : FIRST;
    void *more = realloc(t->files, room * sizeof(t->files[0]));
    if (more)
        t->files = more;
    return more != NULL;
}

/* Of several entries with one path the last one counts, as cpio -i has it. */
static void drop_doubles(struct tree *t)
{
    size_t kept = 0;
    for (size_t i = 0; i < t->count; i++) {
        struct tree_file *last = kept ? &t->files[kept - 1] : NULL;
        if (last && compare_files(last, &t->files[i]) == 0) {
            if (t->files[i].offset > last->offset)
                *last = t->files[i];
        } else {
            t->files[kept++] = t->files[i];
        }
    }
    t->count = kept;
}

enum cpio_error tree_build(struct tree *t, const void *archive, size_t size,
                           bool *memory_short)
{
    struct cpio_entry e;
    size_t position = 0;
    enum cpio_error error;
    *t = (struct tree){0};
    *memory_short = false;
    while (!(error = cpio_next(archive, size, &position, &e))) {
        uint32_t type = e.mode & CPIO_TYPE_MASK;
        if (e.name_size == 0)
            continue; /* the root itself */
        if (e.name_size >= PATH_SIZE ||
            (type != CPIO_FILE && type != CPIO_DIR)) {
            t->skipped++;
            continue;
        }
        if (!grow(t)) {
            *memory_short = true;
            break;
        }
        t->files[t->count++] = (struct tree_file){
            .path = e.name,
            .path_size = e.name_size,
            .offset = e.offset,
            .size = e.size,
            .directory = type == CPIO_DIR,
        };
    }
    if (t->count)
        qsort(t->files, t->count, sizeof(t->files[0]), compare_files);
    drop_doubles(t);
    return error;
}

/* The first file that does not sort before `path`. */
static size_t lower_bound(const struct tree *t, const char *path, size_t size)
{
    size_t low = 0, high = t->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct tree_file *f = &t->files[middle];
        if (compare(f->path, f->path_size, path, size) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Is `f` inside the directory `path`? The root (size 0) has everything. */
static bool inside(const struct tree_file *f, const char *path, size_t size)
{
    if (size == 0)
        return true;
    return f->path_size > size + 1 && memcmp(f->path, path, size) == 0 &&
           f->path[size] == '/';
}

static bool find(const struct tree *t, const char *path, size_t size,
                 struct tree_node *node)
{
    *node = (struct tree_node){.type = FILE_DIRECTORY};
    if (size == 0)
        return true;
    size_t i = lower_bound(t, path, size);
    if (i == t->count)
        return false;
    struct tree_file *f = &t->files[i];
    if (inside(f, path, size))
        return true;
    if (f->path_size != size || memcmp(f->path, path, size) != 0)
        return false;
    node->file = f;
    if (!f->directory) {
        node->type = FILE_REGULAR;
        node->size = f->size;
    }
    return true;
}

bool tree_find(const struct tree *t, const char *path, struct tree_node *node)
{
    return path[0] == '/' && find(t, path + 1, strlen(path + 1), node);
}

int64_t tree_list(const struct tree *t, const char *path, size_t index,
                  char name[PATH_SIZE + 1], struct tree_node *node)
{
    if (!tree_find(t, path, node))
        return E_NOENT;
    if (node->type != FILE_DIRECTORY)
        return E_TYPE;
    path++;
    size_t size = strlen(path), start = size ? size + 1 : 0;
    const char *last = NULL; /* the previous child, to count each once */
    size_t last_size = 0, seen = 0;
    for (size_t i = lower_bound(t, path, size); i < t->count; i++) {
        const struct tree_file *f = &t->files[i];
        if (!inside(f, path, size)) {
            if (f->path_size == size)
                continue; /* the directory's own entry */
            break;
        }
        const char *child = f->path + start;
        const char *slash = memchr(child, '/', f->path_size - start);
        size_t length = slash ? (size_t)(slash - child) : f->path_size - start;
        if (last && length == last_size && memcmp(last, child, length) == 0)
            continue;
        last = child;
        last_size = length;
        if (seen++ < index)
            continue;
        memcpy(name, child, length);
        name[length] = 0;
        find(t, f->path, start + length, node);
        return OK;
    }
    return E_NOENT;
}
