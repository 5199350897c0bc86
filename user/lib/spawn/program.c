/* Starting a program by its path: the file server hands out its pages. */
#include <uinta/process.h>
#include <uinta/spawn.h>
#include "abi/errors.h"
#include "gen/file_client.h"
#include "user/lib/sys/internal.h"

int64_t spawn_program(const char *path, char *const argv[], char *const envp[],
                      const struct spawn_options *options)
{
    uint64_t packed[6], size, offset;
    handle_t memory;
    int64_t error = path_pack(packed, path);
    if (error < 0)
        return spawn_because(error, "path is empty or too long");
    int64_t fs = service_lookup("fs", 0);
    if (fs < 0)
        return spawn_because(fs, "no file server");
    int64_t type = file_open((handle_t)fs, packed, &size, &offset, &memory);
    if (type < 0)
        return spawn_because(type, error_text(type));
    if (!memory) /* a directory, or a file of no bytes */
        return spawn_because(E_FORMAT, "not a program");
    int64_t result =
        spawn_from_memory(path, memory, offset, size, argv, envp, options);
    sys_handle_close(memory);
    return result;
}
