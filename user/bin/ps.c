/* ps: every thread with its process, state, hart, priority, instructions. */
#include "abi/info.h"
#include "tool.h"

static const char *const states[] = {
    [THREAD_READY] = "ready",         [THREAD_RUNNING] = "running",
    [THREAD_CALLING] = "calling",     [THREAD_REPLY] = "in call",
    [THREAD_RECEIVING] = "receiving", [THREAD_WAITING] = "waiting",
    [THREAD_UINTR] = "uintr wait",    [THREAD_DEAD] = "dead",
};

static void print_threads(handle_t system, const struct process_info *process)
{
    struct thread_info t;
    int shown = 0;
    for (int i = 0;
         sys_system_info(system, INFO_THREAD, i, (uint64_t)&t, sizeof(t)) == 0;
         i++) {
        if (t.pid != process->pid)
            continue;
        const char *state = t.state < sizeof(states) / sizeof(states[0])
                                ? states[t.state]
                                : "?";
        printf("%5u %5u %-16.16s %-10s %4u %4u %14lu\n", t.pid, t.tid,
               process->name, state, t.hart, t.priority, t.instructions);
        shown++;
    }
    if (shown == 0)
        printf("%5u     - %-16.16s %-10s    -    - %14lu\n", process->pid,
               process->name, "ended", process->instructions);
}

int main(int argc, char **argv)
{
    help_if_asked(argc, argv, "ps");
    if (argc != 1)
        return usage("ps");
    handle_t system = need_handle("system");
    printf(
        "  PID   TID NAME             STATE      HART PRIO   INSTRUCTIONS\n");
    struct process_info p;
    for (int i = 0;
         sys_system_info(system, INFO_PROCESS, i, (uint64_t)&p, sizeof(p)) == 0;
         i++)
        print_threads(system, &p);
    return 0;
}
