/* The descriptor table, for the calls built on it. Errors: enum error. */
#ifndef USER_LIB_FD_TABLE_H
#define USER_LIB_FD_TABLE_H

#include <stdbool.h>

struct file;

/* The description behind fd, with a reference for the caller, or NULL. */
struct file *fd_get(int fd);

/* Give the reference to the lowest free number >= least; E_LIMIT: dropped. */
int fd_install(struct file *f, int least, bool close_on_spawn);

/* Make fd name f (NULL: nothing), closing what it was. E_BADHANDLE. */
int fd_replace(int fd, struct file *f);

/* Close fd. */
int fd_remove(int fd);

/* The flag as it was; set: 0, 1, or -1 to leave it. */
int fd_close_on_spawn(int fd, int set);

#endif
