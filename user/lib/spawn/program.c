/* Starting a program by its path: the file server hands out its pages. */
#include <uinta/process.h>
#include <uinta/spawn.h>
#include "abi/errors.h"
#include "gen/file_client.h"

int64_t spawn_program(const char *path, char *const argv[], char *const envp[],
                      const struct spawn_options *options)
{
    uint64_t packed[6], size, offset;
    handle_t memory;
    int64_t error = path_pack(packed, path);
    int64_t fs = error < 0 ? error : service_lookup("fs", 0);
    if (fs < 0)
        return fs;
    error = file_open((handle_t)fs, packed, &size, &offset, &memory);
    if (error < 0)
        return error;
    /* A directory has no pages. */
    int64_t result = memory ? spawn_from_memory(path, memory, offset, size,
                                                argv, envp, options)
                            : E_TYPE;
    if (memory)
        sys_handle_close(memory);
    return result;
}
