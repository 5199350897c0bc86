/*
 * The micro benchmark: what system calls, messages, interrupts, rings and
 * programs cost, in instructions (docs/benchmarks/micro.md says how each is
 * measured and what it includes). `make bench BENCH=micro` runs it.
 */
#include <stdio.h>
#include <string.h>
#include "device.h"
#include "micro.h"

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "peer"))
        return peer_main(argv[2]);
    struct rtc rtc;
    rtc_open(&rtc); /* first: without an exact clock nothing is measured */
    must(sys_thread_set(0, PRIORITY_MAIN, 0), "priority");
    measure_calls();
    measure_messages();
    measure_other();
    measure_notify(&rtc);
    measure_remedies(&rtc);
    measure_uintr(&rtc); /* last: from then on a switch also moves u* CSRs */
    rows_print();
    return 0;
}
