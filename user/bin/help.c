/* help: what can be typed at the prompt; the text is /etc/help. */
#include <errno.h>
#include "tool.h"

int main(int argc, char **argv)
{
    help_if_asked(argc, argv, "help");
    if (argc != 1)
        return usage("help");
    FILE *file = fopen("/etc/help", "r");
    if (!file) {
        fprintf(stderr, "help: /etc/help: %s\n", strerror(errno));
        return 1;
    }
    int c;
    while ((c = getc(file)) != EOF)
        putchar(c);
    return 0;
}
