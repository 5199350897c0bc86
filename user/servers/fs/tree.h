/*
 * The tree of an archive's files: sorted paths, directories implied by them.
 * Pure: no system call; reads the archive once, in tree_build.
 */
#ifndef FS_TREE_H
#define FS_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uinta/cpio.h>
#include <uinta/file.h>
#include "abi/object.h"

struct tree_file {
    const char *path; /* in the archive, no '/' in front, not terminated */
    size_t path_size;
    size_t offset, size; /* of the content, bytes */
    bool directory;
    handle_t memory; /* the server's cache, 0 = not made yet */
};

struct tree {
    struct tree_file *files; /* sorted */
    size_t count;
    size_t skipped; /* paths too long to be asked for, links, devices */
};

/* What a path names. file: NULL for a directory that is only implied. */
struct tree_node {
    enum file_type type;
    struct tree_file *file;
    uint64_t size;
};

/*
 * Reads the archive. CPIO_END: all of it. Any other result: it is damaged
 * from there on, and the files before the damage are in the tree.
 * *memory_short: set if the tree had to be cut for want of memory.
 */
enum cpio_error tree_build(struct tree *t, const void *archive, size_t size,
                           bool *memory_short);

/* `path` as uinta/file.h has it. False: there is no such thing. */
bool tree_find(const struct tree *t, const char *path, struct tree_node *node);

/*
 * Entry number `index` of the directory `path`, in order; `name` gets the last
 * part of its path. E_NOENT: past the end, or no such directory. E_TYPE: a file.
 */
int64_t tree_list(const struct tree *t, const char *path, size_t index,
                  char name[PATH_SIZE + 1], struct tree_node *node);

#endif
