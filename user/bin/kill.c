/* kill PID...: ends processes. */
#include "tool.h"

enum { KILL_CODE = 9 }; /* what their parents see */

int main(int argc, char **argv)
{
    help_if_asked(argc, argv, "kill PID...");
    if (argc < 2)
        return usage("kill PID...");
    handle_t system = need_handle("system");
    int result = 0;
    for (int i = 1; i < argc; i++) {
        long pid = number(argv[i]);
        if (pid < 1) {
            fprintf(stderr, "kill: '%s' is not a PID\n", argv[i]);
            return usage("kill PID...");
        }
        int64_t error = sys_system_kill(system, pid, KILL_CODE);
        if (error < 0) {
            fprintf(stderr, "kill: %ld: %s\n", pid,
                    error == E_NOENT ? "no such process" : error_text(error));
            result = 1;
        }
    }
    return result;
}
