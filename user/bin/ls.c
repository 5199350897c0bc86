/* ls [-l] [PATH...]: names in a directory; -l with sizes in bytes. */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <sys/stat.h>
#include "tool.h"

static bool with_size;

static void show(const char *name, const struct stat *s)
{
    if (with_size)
        printf("%9ld %s%s\n", (long)s->st_size, name,
               S_ISDIR(s->st_mode) ? "/" : "");
    else
        printf("%s%s\n", name, S_ISDIR(s->st_mode) ? "/" : "");
}

static int fail(const char *path)
{
    fprintf(stderr, "ls: %s: %s\n", path, strerror(errno));
    return 1;
}

static int list(const char *path)
{
    struct stat s;
    if (stat(path, &s) < 0)
        return fail(path);
    if (!S_ISDIR(s.st_mode)) {
        show(path, &s);
        return 0;
    }
    DIR *dir = opendir(path);
    if (!dir)
        return fail(path);
    struct dirent *entry;
    while ((entry = readdir(dir))) {
        char full[256];
        const char *slash = path[strlen(path) - 1] == '/' ? "" : "/";
        snprintf(full, sizeof(full), "%s%s%s", path, slash, entry->d_name);
        if (stat(full, &s) == 0)
            show(entry->d_name, &s);
        else
            fail(full);
    }
    closedir(dir);
    return 0;
}

int main(int argc, char **argv)
{
    help_if_asked(argc, argv, "ls [-l] [PATH...]");
    int first = 1;
    if (argc > 1 && strcmp(argv[1], "-l") == 0) {
        with_size = true;
        first = 2;
    } else if (argc > 1 && argv[1][0] == '-') {
        return usage("ls [-l] [PATH...]");
    }
    if (first == argc)
        return list("/");
    int result = 0;
    for (int i = first; i < argc; i++) {
        if (argc - first > 1)
            printf("%s:\n", argv[i]);
        result |= list(argv[i]);
    }
    return result;
}
