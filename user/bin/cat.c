/* cat [FILE...]: copies files, or standard input, to standard output. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include "tool.h"

static int copy(int from, const char *name)
{
    static char buffer[4096];
    ssize_t count;
    while ((count = read(from, buffer, sizeof(buffer))) > 0) {
        for (ssize_t done = 0; done < count;) {
            ssize_t now = write(1, buffer + done, count - done);
            if (now < 0) {
                fprintf(stderr, "cat: write: %s\n", strerror(errno));
                return 1;
            }
            done += now;
        }
    }
    if (count < 0) {
        fprintf(stderr, "cat: %s: %s\n", name, strerror(errno));
        return 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    help_if_asked(argc, argv, "cat [FILE...]");
    if (argc == 1)
        return copy(0, "standard input");
    int result = 0;
    for (int i = 1; i < argc; i++) {
        int file = open(argv[i], O_RDONLY);
        if (file < 0) {
            fprintf(stderr, "cat: %s: %s\n", argv[i], strerror(errno));
            result = 1;
            continue;
        }
        result |= copy(file, argv[i]);
        close(file);
    }
    return result;
}
