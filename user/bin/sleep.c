/* sleep SECONDS: does nothing for that long; fractions are understood. */
#include <time.h>
#include "tool.h"

int main(int argc, char **argv)
{
    help_if_asked(argc, argv, "sleep SECONDS");
    char *end;
    double seconds = argc == 2 ? strtod(argv[1], &end) : -1;
    if (!(seconds >= 0 && seconds < 1e9) || *end)
        return usage("sleep SECONDS");
    struct timespec t = {.tv_sec = (time_t)seconds};
    t.tv_nsec = (long)((seconds - (double)t.tv_sec) * 1e9);
    return nanosleep(&t, NULL) == 0 ? 0 : 1;
}
