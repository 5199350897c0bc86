/*
 * The file interface's words (abi/uinta.idl): what its calls return, and how
 * a path is spelled: absolute, no "." or "..", no "//", at most PATH_SIZE bytes.
 */
#ifndef UINTA_FILE_H
#define UINTA_FILE_H

#include <uinta/process.h>

enum file_type { FILE_REGULAR = 1, FILE_DIRECTORY = 2 };

/*
 * `path` in that spelling; a relative one counts from "/", the only working
 * directory there is. E_RANGE: too long (ENAMETOOLONG). E_NOENT: empty.
 */
int file_path(char out[PATH_SIZE + 1], const char *path);

#endif
