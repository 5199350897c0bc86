/*
 * The read-only file server over the boot archive. A file is handed out as a
 * memory object, a slice of the archive made at its first opening, so that
 * reading is a mapping and a program's text is shared by all who run it.
 * Serves interface file (abi/uinta.idl) on the endpoint that init keeps.
 */
#include <string.h>
#include <uinta/log.h>
#include <uinta/map.h>
#include <uinta/process.h>
#include "gen/file_server.h"
#include "tree.h"

static struct tree tree;
static handle_t archive;

static size_t skew_of(const struct tree_file *f)
{
    return f->offset % PAGE_SIZE;
}

/* The pages of a file; 0 for an empty one. */
static int64_t pages_of(struct tree_file *f)
{
    if (f->memory || f->size == 0)
        return f->memory;
    int64_t slice = sys_memory_slice(archive, f->offset - skew_of(f),
                                     page_round(f->size + skew_of(f)));
    if (slice > 0)
        f->memory = (handle_t)slice;
    return slice;
}

static int64_t fs_open(void *context, struct message *call,
                       const uint64_t packed[6], uint64_t *size,
                       uint64_t *offset, handle_t *memory)
{
    char path[PATH_SIZE + 1];
    struct tree_node node;
    (void)context, (void)call;
    path_unpack(path, packed);
    if (!tree_find(&tree, path, &node))
        return E_NOENT;
    if (node.type == FILE_DIRECTORY)
        return FILE_DIRECTORY;
    int64_t pages = pages_of(node.file);
    if (pages < 0)
        return pages;
    *size = node.size;
    *offset = skew_of(node.file);
    *memory = (handle_t)pages; /* ours too: it is the cache */
    return FILE_REGULAR;
}

static int64_t fs_stat(void *context, struct message *call,
                       const uint64_t packed[6], uint64_t *size)
{
    char path[PATH_SIZE + 1];
    struct tree_node node;
    (void)context, (void)call;
    path_unpack(path, packed);
    if (!tree_find(&tree, path, &node))
        return E_NOENT;
    *size = node.size;
    return node.type;
}

static int64_t fs_readdir(void *context, struct message *call,
                          const uint64_t packed[6], uint64_t index,
                          uint64_t *size, uint64_t entry[6])
{
    char path[PATH_SIZE + 1], name[PATH_SIZE + 1];
    struct tree_node node;
    (void)context, (void)call;
    path_unpack(path, packed);
    int64_t error = tree_list(&tree, path, index, name, &node);
    if (error < 0)
        return error;
    *size = node.size;
    path_pack(entry, name);
    return node.type;
}

static const struct file_server server = {
    .open = fs_open,
    .stat = fs_stat,
    .readdir = fs_readdir,
};

static void load(void)
{
    bool memory_short;
    archive = startup_handle("archive");
    int64_t size = sys_memory_size(archive);
    if (size < 0)
        log_fail(1, "fs: no boot archive");
    const void *bytes = map_memory(archive, (size_t)size, PROT_R);
    if (!bytes)
        log_fail(1, "fs: the boot archive cannot be mapped");
    enum cpio_error error =
        tree_build(&tree, bytes, (size_t)size, &memory_short);
    if (error != CPIO_END)
        log_line("fs: %s", memory_short ? "not enough memory for all files"
                                        : cpio_error_text(error));
    if (tree.skipped)
        log_line("fs: some entries of the archive cannot be served: links, "
                 "devices, or paths over 47 bytes");
}

int main(void)
{
    handle_t endpoint = startup_handle("service");
    struct message message;
    load();
    int64_t error = ipc_receive(endpoint, &message);
    while (error >= 0) {
        if (!file_dispatch(&server, NULL, &message))
            message_refuse(&message, E_NOSYS);
        error = ipc_reply_receive(endpoint, &message);
    }
    log_fail(1, "fs: %s", error_text(error));
}
