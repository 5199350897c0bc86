/*
 * irqs: every interrupt source with its owner, and how its interrupts got
 * there: straight to the driver in user mode, or through the kernel because
 * the driver was not on a hart.
 */
#include "abi/info.h"
#include "tool.h"

static const char *const modes[] = {"-", "user", "notify"};

/* The name of a process, by its id. */
static const char *owner(handle_t system, uint32_t pid)
{
    static struct process_info p;
    for (int i = 0; pid && sys_system_info(system, INFO_PROCESS, i,
                                           (uint64_t)&p, sizeof(p)) == 0;
         i++)
        if (p.pid == pid)
            return p.name;
    return "-";
}

int main(int argc, char **argv)
{
    static const char *const deliveries[] = {
        [DELIVERY_NONE] = "none: the kernel takes every interrupt",
        [DELIVERY_EMULATED] = "emulated by the firmware",
        [DELIVERY_NATIVE] = "native: the hart has the N extension",
    };
    help_if_asked(argc, argv, "irqs");
    if (argc != 1)
        return usage("irqs");
    handle_t system = need_handle("system");
    printf("user interrupts: %s\n", deliveries[startup_get()->delivery]);
    printf(
        "SOURCE OWNER            MODE   HART     DIRECT     KERNEL   MASKED\n");
    struct irq_info q;
    for (int i = 0;
         sys_system_info(system, INFO_IRQ, i, (uint64_t)&q, sizeof(q)) == 0;
         i++)
        printf("%6u %-16.16s %-6s %4u %10lu %10lu %8lu\n", q.source,
               owner(system, q.pid), q.mode < 3 ? modes[q.mode] : "?", q.hart,
               q.direct, q.kernel, q.masked);
    return 0;
}
