/* What newlib's <dirent.h> leaves to the system: directories of the file server. */
#ifndef UINTA_SYS_DIRENT_H
#define UINTA_SYS_DIRENT_H

#include <sys/types.h>

enum { DIRENT_NAME_SIZE = 48 }; /* PATH_SIZE of uinta/process.h */

#define DT_UNKNOWN 0
#define DT_DIR     4
#define DT_REG     8

struct dirent {
    ino_t d_ino; /* always 1: names are the only identity */
    unsigned char d_type;
    char d_name[DIRENT_NAME_SIZE + 1];
};

typedef struct dirent_stream DIR; /* POSIX names it so */

DIR *opendir(const char *path);
struct dirent *readdir(DIR *dir);
void rewinddir(DIR *dir);
int closedir(DIR *dir);

#endif
