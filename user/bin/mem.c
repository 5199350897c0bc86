/* mem: where the memory is: totals, kernel objects, and by process. */
#include "abi/info.h"
#include "tool.h"

static const char *const types[OBJECT_TYPES] = {
    [OBJECT_PROCESS] = "processes",  [OBJECT_THREAD] = "threads",
    [OBJECT_ENDPOINT] = "endpoints", [OBJECT_NOTIFICATION] = "notifications",
    [OBJECT_DOORBELL] = "doorbells", [OBJECT_MEMORY] = "memory objects",
    [OBJECT_SYSTEM] = "systems",
};

int main(int argc, char **argv)
{
    help_if_asked(argc, argv, "mem");
    if (argc != 1)
        return usage("mem");
    handle_t system = need_handle("system");
    struct memory_info m;
    int64_t error =
        sys_system_info(system, INFO_MEMORY, 0, (uint64_t)&m, sizeof(m));
    if (error < 0) {
        fprintf(stderr, "mem: %s\n", error_text(error));
        return 1;
    }
    printf("total %lu KiB, free %lu KiB, kernel with its tables %lu KiB\n",
           m.total / 1024, m.free / 1024, m.kernel / 1024);
    for (int i = OBJECT_PROCESS; i < OBJECT_TYPES; i++)
        if (i != OBJECT_IRQ) /* they are in one of the tables; see irqs */
            printf("%6lu %s\n", m.objects[i], types[i]);
    printf("\n  PID NAME             HANDLES  MAPPED KiB\n");
    struct process_info p;
    for (int i = 0;
         sys_system_info(system, INFO_PROCESS, i, (uint64_t)&p, sizeof(p)) == 0;
         i++)
        printf("%5u %-16.16s %7u %11lu\n", p.pid, p.name, p.handles,
               p.memory / 1024);
    return 0;
}
