/*
 * The kernel's messages: a ring of text that `dmesg` reads through
 * system_log_read. Nothing is printed: the console belongs to a driver.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* %s %c %d %u %x %lx %lu %ld %p %%, with width and 0; time is prefixed. */
void log_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_write(const char *text, size_t size);

/* Text from absolute offset *from (moved to the oldest if that is gone). */
size_t log_read(uint64_t *from, char *to, size_t size);

/* The same to anywhere. */
void format_text(void (*put)(char), const char *format, va_list args);
void format_print(void (*put)(char), const char *format, ...)
    __attribute__((format(printf, 2, 3)));
