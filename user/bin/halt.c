/* halt: ends the machine; under QEMU, with status 0. init does it. */
#include "gen/name_client.h"
#include "gen/console_client.h"
#include <uinta/fd.h>
#include "tool.h"
#include "user/servers/init/power.h"

int main(int argc, char **argv)
{
    help_if_asked(argc, argv, "halt");
    if (argc != 1)
        return usage("halt");
    handle_t machine = need_handle("machine");
    int64_t console = fd_endpoint(1);
    if (console > 0)
        console_drain(console); /* what was said before must be seen */
    int64_t error = name_power(machine, POWER_OFF, 0);
    fprintf(stderr, "halt: %s\n", error_text(error));
    return 1;
}
