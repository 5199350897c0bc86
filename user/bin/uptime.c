/* uptime: time since the machine started, and how busy each hart has been. */
#include <uinta/clock.h>
#include "abi/info.h"
#include "tool.h"

int main(int argc, char **argv)
{
    help_if_asked(argc, argv, "uptime");
    if (argc != 1)
        return usage("uptime");
    handle_t system = need_handle("system");
    uint64_t now = clock_ticks(), hz = startup_get()->timebase;
    uint64_t seconds = now / hz;
    printf("up %lu:%02lu:%02lu.%02lu\n", seconds / 3600, seconds / 60 % 60,
           seconds % 60, now % hz * 100 / hz);
    struct hart_info hart;
    for (int i = 0; sys_system_info(system, INFO_HART, i, (uint64_t)&hart,
                                    sizeof(hart)) == 0;
         i++)
        printf("hart %lu: busy %3lu%%, %lu switches, %lu interrupts\n",
               hart.hartid, now ? 100 - hart.idle * 100 / now : 0,
               hart.switches, hart.interrupts);
    return 0;
}
