/*
 * Starting a program from an ELF file in a memory object. Segments that are
 * only read are mapped in place, out of the file's own pages; everything that
 * is written lives in one new memory object:
 *
 *   [stack][startup block][data and bss ...]
 *
 * of which the spawner maps all but the stack for a moment, to fill it. So a
 * spawn is few system calls, and a failure at any of them leaves two things to
 * undo: the process (with all that was given to it) and the object.
 */
#include <stdbool.h>
#include <string.h>
#include <unistd.h>
#include <uinta/elf.h>
#include <uinta/map.h>
#include <uinta/process.h>
#include <uinta/spawn.h>
#include <uinta/thread.h>
#include "abi/errors.h"
#include "gen/syscalls.h"
#include "user/lib/spawn/startup_block.h"
#include "user/lib/sys/internal.h"

/* One spawn on its way. Sizes in bytes. */
struct launch {
    const char *name;
    char *const *argv, *const *envp;
    const struct spawn_options *options;
    handle_t file; /* memory object with the ELF file ... */
    size_t file_offset, file_size;
    const char *bytes; /* ... and where we mapped it */
    struct elf_image image;
    bool in_place[ELF_SEGMENTS_MAX]; /* mapped from the file, or else: */
    size_t at[ELF_SEGMENTS_MAX];     /* offset in the object */
    handle_t object, process;
    size_t stack_size, startup_size, object_size;
    size_t window_size; /* startup block and data, mapped here: */
    char *window;
};

static struct mutex lock; /* one spawn at a time: it owns what follows */
static char reason[80];
static struct {
    handle_t from, to;
} given[STARTUP_HANDLES_MAX];
static unsigned given_count;

const char *spawn_reason(void)
{
    return reason;
}

int64_t spawn_because(int64_t error, const char *text)
{
    strncpy(reason, text, sizeof(reason) - 1);
    return error;
}

static int64_t give(handle_t process, handle_t handle, uint32_t rights)
{
    if (rights == 0) {
        int64_t type = sys_handle_type(handle);
        if (type < 0)
            return type;
        rights = (uint32_t)type;
    }
    return sys_process_give(process, handle, rights);
}

int64_t spawn_give(handle_t process, handle_t handle)
{
    for (unsigned i = 0; i < given_count; i++)
        if (given[i].from == handle)
            return given[i].to;
    int64_t theirs = give(process, handle, 0);
    if (theirs >= 0 && given_count < STARTUP_HANDLES_MAX) {
        given[given_count].from = handle;
        given[given_count++].to = (handle_t)theirs;
    }
    return theirs;
}

/* ---- the plan: nothing is made yet ---------------------------------------- */

static int64_t map_file(struct launch *l)
{
    size_t skew = l->file_offset % PAGE_SIZE;
    char *base = map_memory_at(l->file, l->file_offset - skew,
                               l->file_size + skew, PROT_R);
    if (!base)
        return spawn_because(E_NOMEM, "cannot map the file");
    l->bytes = base + skew;
    return OK;
}

static void unmap_file(struct launch *l)
{
    size_t skew = l->file_offset % PAGE_SIZE;
    unmap_memory((char *)l->bytes - skew, l->file_size + skew);
}

/*
 * In place: only read, page-aligned in the object, and no zeros wanted behind
 * what the file has (the file's next bytes are there, harmless but not zero,
 * up to the end of the page only).
 */
static bool can_be_in_place(const struct launch *l, const struct elf_segment *s)
{
    return !(s->prot & PROT_W) && l->file_offset % PAGE_SIZE == 0 &&
           s->filesz == s->memsz;
}

static int64_t plan(struct launch *l)
{
    enum elf_error wrong = elf_parse(&l->image, l->bytes, l->file_size);
    if (wrong)
        return spawn_because(E_FORMAT, elf_error_text(wrong));
    int64_t block = startup_block_size(l->argv, l->envp);
    if (block < 0)
        return spawn_because(block, "arguments and environment are too long");
    l->stack_size = page_round(l->options->stack_size ? l->options->stack_size
                                                      : SPAWN_STACK_SIZE);
    if (l->stack_size > USER_STACK_TOP - USER_MAPS_END)
        return spawn_because(E_RANGE, "stack is too large");
    l->startup_size = page_round((size_t)block);
    size_t end = l->stack_size + l->startup_size;
    l->window_size = l->startup_size;
    for (int i = 0; i < l->image.count; i++) {
        const struct elf_segment *s = &l->image.segments[i];
        l->in_place[i] = can_be_in_place(l, s);
        if (l->in_place[i])
            continue;
        l->at[i] = end;
        if (s->filesz)
            l->window_size = page_round(end + s->filesz) - l->stack_size;
        end += page_round(s->memsz);
    }
    l->object_size = end;
    return end > MEMORY_SIZE_MAX
               ? spawn_because(E_NOMEM, "program is too large")
               : OK;
}

/* ---- making it ------------------------------------------------------------ */

static int64_t make_object(struct launch *l)
{
    int64_t object = sys_memory_create(l->object_size, 0);
    if (object < 0)
        return spawn_because(object, error_text(object));
    l->object = (handle_t)object;
    l->window = map_memory_at(l->object, l->stack_size, l->window_size,
                              PROT_R | PROT_W);
    if (l->window)
        return OK;
    sys_handle_close(l->object);
    return spawn_because(E_NOMEM, "cannot map the program's memory");
}

/* The last part of the path, cut to what a name can be. */
static void process_name(uint64_t packed[2], const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash && slash[1] ? slash + 1 : path;
    memset(packed, 0, NAME_SIZE);
    memcpy(packed, name, strnlen(name, NAME_SIZE));
}

static int64_t make_process(struct launch *l)
{
    uint64_t name[2];
    int priority =
        l->options->priority ? l->options->priority : PRIORITY_NORMAL;
    int most = l->options->max_priority ? l->options->max_priority : priority;
    process_name(name, l->name);
    int64_t process = sys_process_create(name[0], name[1], (uint64_t)most);
    if (process < 0)
        return spawn_because(process, error_text(process));
    l->process = (handle_t)process;
    return OK;
}

static int64_t pass_handles(struct launch *l, struct startup *block)
{
    const struct spawn_options *o = l->options;
    handle_t name = o->no_names ? 0 : startup_handle("name");
    int64_t error = OK;
    for (size_t i = 0; i < o->handle_count && error >= 0; i++) {
        const struct spawn_handle *h = &o->handles[i];
        error = h->rights ? give(l->process, h->handle, h->rights)
                          : spawn_give(l->process, h->handle);
        if (error >= 0)
            error = startup_block_handle(block, h->name, (handle_t)error);
        if (strcmp(h->name, "name") == 0)
            name = 0; /* the caller's own choice of it */
    }
    if (name && error >= 0)
        error = spawn_give(l->process, name);
    if (name && error >= 0)
        error = startup_block_handle(block, "name", (handle_t)error);
    return error < 0 ? spawn_because(error, "cannot pass a handle") : OK;
}

static int64_t fill(struct launch *l)
{
    struct startup *block = (struct startup *)l->window;
    const struct startup *own = startup_get();
    startup_block_fill(block, l->argv, l->envp);
    block->timebase = own->timebase;
    block->delivery = own->delivery;
    block->pid = (uint32_t)sys_process_id(l->process);
    for (int i = 0; i < l->image.count; i++) {
        const struct elf_segment *s = &l->image.segments[i];
        if (!l->in_place[i])
            memcpy(l->window + l->at[i] - l->stack_size, l->bytes + s->offset,
                   s->filesz);
    }
    int64_t error = pass_handles(l, block);
    if (error < 0)
        return error;
    if (l->options->no_fds)
        return OK;
    error = fd_export(block, l->process, l->options->actions,
                      l->options->action_count);
    return error < 0 ? spawn_because(error, "cannot pass a file descriptor")
                     : OK;
}

static int64_t map_child(struct launch *l)
{
    int64_t error =
        sys_process_map(l->process, l->object, USER_STACK_TOP - l->stack_size,
                        0, l->stack_size + l->startup_size, PROT_R | PROT_W);
    for (int i = 0; i < l->image.count && error >= 0; i++) {
        const struct elf_segment *s = &l->image.segments[i];
        bool there = l->in_place[i];
        error =
            sys_process_map(l->process, there ? l->file : l->object, s->vaddr,
                            there ? l->file_offset + s->offset : l->at[i],
                            page_round(s->memsz), s->prot | PROT_R);
    }
    return error < 0 ? spawn_because(error, error_text(error)) : OK;
}

/* Last step: from here the child is on its own. Returns its pid. */
static int64_t start(struct launch *l, int pid)
{
    int64_t error = child_add(pid, l->process);
    if (error < 0)
        return spawn_because(error, "too many children");
    int priority =
        l->options->priority ? l->options->priority : PRIORITY_NORMAL;
    int64_t thread = sys_thread_create(
        l->process, l->image.entry, USER_STACK_TOP, USER_STARTUP,
        (uint64_t)priority, l->options->hart_mask);
    if (thread < 0) {
        child_forget(pid);
        return thread == E_ARG && l->options->hart_mask
                   ? spawn_because(thread,
                                   "it may run on no hart that there is")
                   : spawn_because(thread, error_text(thread));
    }
    if (l->options->thread)
        *l->options->thread = thread;
    else
        sys_handle_close((uint64_t)thread);
    return pid;
}

static int64_t make_child(struct launch *l)
{
    int64_t error = make_process(l);
    if (error < 0)
        return error;
    error = fill(l);
    int pid = (int)((struct startup *)l->window)->pid;
    if (error >= 0)
        error = map_child(l);
    if (error >= 0)
        error = start(l, pid);
    if (error < 0) {
        sys_process_kill(l->process, 0);
        sys_handle_close(l->process);
    }
    return error;
}

static int64_t launch(struct launch *l)
{
    int64_t error = map_file(l);
    if (error < 0)
        return error;
    error = plan(l);
    if (error >= 0)
        error = make_object(l);
    if (error >= 0) {
        error = make_child(l);
        unmap_memory(l->window, l->window_size);
        sys_handle_close(l->object);
    }
    unmap_file(l);
    return error;
}

int64_t spawn_from_memory(const char *name, handle_t memory, size_t offset,
                          size_t size, char *const argv[], char *const envp[],
                          const struct spawn_options *options)
{
    static const struct spawn_options plain;
    char *const just_name[] = {(char *)name, NULL};
    struct launch l = {
        .name = name,
        .argv = argv ? argv : just_name,
        .envp = envp ? envp : environ,
        .options = options ? options : &plain,
        .file = memory,
        .file_offset = offset,
        .file_size = size,
    };
    mutex_lock(&lock);
    given_count = 0;
    int64_t result = launch(&l);
    mutex_unlock(&lock);
    return result;
}
