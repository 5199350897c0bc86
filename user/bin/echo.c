/* echo [WORD...]: the words, one space between them, and a newline. */
#include "tool.h"

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        printf("%s%s", i > 1 ? " " : "", argv[i]);
    putchar('\n');
    return fflush(stdout) == 0 ? 0 : 1;
}
