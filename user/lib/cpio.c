/*
 * newc archives [cpio(5), "New ASCII Format"]: 110 bytes of hexadecimal
 * header, the name with its NUL, padding to 4, the content, padding to 4.
 * More NULs may follow the name's: mkfs/mkcpio.py aligns contents with them.
 */
#include <stdbool.h>
#include <string.h>
#include <uinta/cpio.h>

enum { HEADER = 110, FIELDS = 13, MAGIC_SIZE = 6, DIGITS = 8 };
/* Indices of the fields that matter. */
enum { FIELD_MODE = 1, FIELD_FILESIZE = 6, FIELD_NAMESIZE = 11 };

/* Eight hex digits; false if there is anything else. */
static bool hex(const char *p, uint32_t *value)
{
    uint32_t v = 0;
    for (int i = 0; i < DIGITS; i++) {
        char c = p[i];
        int digit;
        if (c >= '0' && c <= '9')
            digit = c - '0';
        else if (c >= 'a' && c <= 'f')
            digit = c - 'a' + 10;
        else if (c >= 'A' && c <= 'F')
            digit = c - 'A' + 10;
        else
            return false;
        v = v << 4 | (uint32_t)digit;
    }
    *value = v;
    return true;
}

static size_t align4(size_t n)
{
    return (n + 3) & ~(size_t)3;
}

/* No component may be empty or "..": a path has one spelling. */
static bool name_is_clean(const char *name, size_t size)
{
    size_t start = 0;
    for (size_t i = 0; i <= size; i++) {
        if (i < size && name[i] != '/')
            continue;
        size_t length = i - start;
        if (length == 0)
            return false;
        if (length == 2 && memcmp(name + start, "..", 2) == 0)
            return false;
        if (length == 1 && name[start] == '.')
            return false;
        start = i + 1;
    }
    return true;
}

/* Take off what `find . | cpio` puts in front; "." itself is the root. */
static enum cpio_error clean_name(const char *name, size_t size,
                                  struct cpio_entry *entry)
{
    if (size >= 2 && memcmp(name, "./", 2) == 0)
        name += 2, size -= 2;
    else if (size >= 1 && name[0] == '/')
        name++, size--;
    else if (size == 1 && name[0] == '.')
        size = 0;
    if (size && !name_is_clean(name, size))
        return CPIO_BAD_NAME;
    entry->name = name;
    entry->name_size = size;
    return CPIO_OK;
}

enum cpio_error cpio_next(const void *archive, size_t size, size_t *position,
                          struct cpio_entry *entry)
{
    const char *base = archive;
    size_t at = *position;
    if (at > size || size - at < HEADER)
        return CPIO_TRUNCATED;
    if (memcmp(base + at, "070701", MAGIC_SIZE) != 0)
        return CPIO_BAD_MAGIC;
    uint32_t field[FIELDS];
    for (int i = 0; i < FIELDS; i++)
        if (!hex(base + at + MAGIC_SIZE + DIGITS * i, &field[i]))
            return CPIO_BAD_NUMBER;
    size_t name_size = field[FIELD_NAMESIZE];
    size_t left = size - at - HEADER;
    if (name_size == 0)
        return CPIO_BAD_NAME;
    if (name_size > left)
        return CPIO_TRUNCATED;
    const char *name = base + at + HEADER;
    const char *name_end = memchr(name, 0, name_size);
    if (!name_end)
        return CPIO_BAD_NAME;
    if (strcmp(name, "TRAILER!!!") == 0)
        return CPIO_END;
    size_t content = align4(at + HEADER + name_size);
    entry->offset = content;
    entry->size = field[FIELD_FILESIZE];
    entry->mode = field[FIELD_MODE];
    if (content > size || entry->size > size - content)
        return CPIO_TRUNCATED;
    *position = align4(content + entry->size);
    return clean_name(name, (size_t)(name_end - name), entry);
}

enum cpio_error cpio_find(const void *archive, size_t size, const char *path,
                          struct cpio_entry *entry)
{
    if (*path == '/')
        path++;
    size_t length = strlen(path);
    size_t position = 0;
    enum cpio_error error;
    while (!(error = cpio_next(archive, size, &position, entry)))
        if (entry->name_size == length &&
            memcmp(entry->name, path, length) == 0)
            return CPIO_OK;
    return error == CPIO_END ? CPIO_NOT_FOUND : error;
}

const char *cpio_error_text(enum cpio_error error)
{
    static const char *const text[CPIO_ERRORS] = {
        [CPIO_OK] = "no error",
        [CPIO_END] = "end of the archive",
        [CPIO_NOT_FOUND] = "no such file in the archive",
        [CPIO_TRUNCATED] = "the archive is cut off",
        [CPIO_BAD_MAGIC] = "not a newc archive, or damaged",
        [CPIO_BAD_NUMBER] = "a header field is not a number",
        [CPIO_BAD_NAME] = "an entry has a bad name",
    };
    if ((unsigned)error >= CPIO_ERRORS)
        return "unknown error";
    return text[error];
}
