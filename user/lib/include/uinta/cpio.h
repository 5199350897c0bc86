/*
 * cpio archives in the newc format ("070701"), checked: the boot archive.
 * Pure: no system call, runs on the host too. Nothing in the archive is
 * believed: every length is checked against the size given.
 */
#ifndef UINTA_CPIO_H
#define UINTA_CPIO_H

#include <stddef.h>
#include <stdint.h>

enum cpio_error {
    CPIO_OK,
    CPIO_END,        /* the trailer: no more entries */
    CPIO_NOT_FOUND,  /* cpio_find only */
    CPIO_TRUNCATED,  /* the archive ends inside an entry, or has no trailer */
    CPIO_BAD_MAGIC,  /* an entry does not start with 070701 */
    CPIO_BAD_NUMBER, /* a header field is not eight hex digits */
    CPIO_BAD_NAME,   /* name empty, not NUL-terminated, or with "..", "//" */
    CPIO_ERRORS
};

enum { CPIO_TYPE_MASK = 0170000, CPIO_FILE = 0100000, CPIO_DIR = 0040000 };

struct cpio_entry {
    const char *name; /* in the archive; leading "./" and "/" taken off */
    size_t name_size; /* bytes, without the NUL; 0 for the root itself */
    size_t offset;    /* of the content in the archive */
    size_t size;      /* bytes of content */
    uint32_t mode;    /* type and permissions as in stat */
};

/*
 * The entry that starts at *position (begin with 0); moves *position to the
 * next. Any result but CPIO_OK leaves `entry` undefined.
 */
enum cpio_error cpio_next(const void *archive, size_t size, size_t *position,
                          struct cpio_entry *entry);

/* The entry of this name; a leading '/' in `path` is ignored. */
enum cpio_error cpio_find(const void *archive, size_t size, const char *path,
                          struct cpio_entry *entry);

/* A sentence for the error. */
const char *cpio_error_text(enum cpio_error error);

#endif
