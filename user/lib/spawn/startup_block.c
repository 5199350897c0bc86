/* Strings are packed behind the struct: argv first, then envp. */
#include <string.h>
#include "abi/errors.h"
#include "user/lib/spawn/startup_block.h"

/* Bytes of all strings with their NULs, stopping when it is too much anyway. */
static size_t strings_size(char *const list[])
{
    size_t size = 0;
    for (; *list && size <= STARTUP_SIZE; list++)
        size += strnlen(*list, STARTUP_SIZE) + 1;
    return size;
}

int64_t startup_block_size(char *const argv[], char *const envp[])
{
    size_t size =
        sizeof(struct startup) + strings_size(argv) + strings_size(envp);
    return size > STARTUP_SIZE ? E_LIMIT : (int64_t)size;
}

static uint32_t pack(char **to, char *const list[])
{
    uint32_t count = 0;
    for (; list[count]; count++) {
        size_t size = strlen(list[count]) + 1;
        memcpy(*to, list[count], size);
        *to += size;
    }
    return count;
}

void startup_block_fill(struct startup *block, char *const argv[],
                        char *const envp[])
{
    char *to = (char *)(block + 1);
    block->magic = STARTUP_MAGIC;
    block->argv = sizeof(*block);
    block->argc = pack(&to, argv);
    block->envp = (uint32_t)(to - (char *)block);
    block->envc = pack(&to, envp);
}

int64_t startup_block_handle(struct startup *block, const char *name,
                             handle_t handle)
{
    struct startup_handle *h = &block->handles[block->handle_count];
    size_t length = strlen(name);
    if (length == 0 || length > sizeof(h->name))
        return E_RANGE;
    if (block->handle_count == STARTUP_HANDLES_MAX)
        return E_LIMIT;
    memcpy(h->name, name, length);
    h->handle = handle;
    block->handle_count++;
    return OK;
}
