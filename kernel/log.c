/* Formatting, and the ring of log text. */
#include "kernel/log.h"
#include "kernel/machine.h"
#include "kernel/riscv.h"

enum { LOG_SIZE = 32768 };

static char ring[LOG_SIZE];
static uint64_t written; /* bytes ever */

static void put_log(char c)
{
    ring[written++ % LOG_SIZE] = c;
}

static void number(void (*put)(char), uint64_t value, uint32_t base, int width,
                   char fill)
{
    char digits[24];
    int n = 0;

    do {
        digits[n++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    for (; width > n; width--)
        put(fill);
    while (n > 0)
        put(digits[--n]);
}

static void text(void (*put)(char), const char *s, int width)
{
    for (; *s; s++, width--)
        put(*s);
    for (; width > 0; width--)
        put(' ');
}

void format_text(void (*put)(char), const char *f, va_list args)
{
    for (; *f; f++) {
        if (*f != '%') {
            put(*f);
            continue;
        }
        char fill = *++f == '0' ? '0' : ' ';
        int width = 0;

        for (; *f >= '0' && *f <= '9'; f++)
            width = width * 10 + *f - '0';
        bool is_long = *f == 'l';
        f += is_long;
        if (*f == 's') {
            text(put, va_arg(args, const char *), width);
        } else if (*f == 'c') {
            put((char)va_arg(args, int));
        } else if (*f == 'd' || *f == 'u' || *f == 'x') {
            uint64_t v = is_long     ? va_arg(args, uint64_t)
                         : *f == 'd' ? (uint64_t)va_arg(args, int)
                                     : va_arg(args, uint32_t);

            if (*f == 'd' && (int64_t)v < 0) {
                put('-');
                v = -v;
            }
            number(put, v, *f == 'x' ? 16 : 10, width, fill);
        } else {
            put(*f);
        }
    }
}

void format_print(void (*put)(char), const char *format, ...)
{
    va_list args;

    va_start(args, format);
    format_text(put, format, args);
    va_end(args);
}

static void stamp(void)
{
    uint64_t hz = machine.timebase ? machine.timebase : 1;
    uint64_t now = rdtime();

    format_print(put_log, "[%4lu.%06lu] ", now / hz, now % hz * 1000000 / hz);
}

void log_print(const char *format, ...)
{
    va_list args;

    stamp();
    va_start(args, format);
    format_text(put_log, format, args);
    va_end(args);
}

void log_write(const char *s, size_t size)
{
    stamp();
    for (size_t i = 0; i < size; i++) {
        bool printable = s[i] >= ' ' || s[i] == '\t';

        put_log(printable ? s[i] : i + 1 == size ? '\n' : '?');
    }
    if (size == 0 || s[size - 1] >= ' ')
        put_log('\n');
}

size_t log_read(uint64_t *from, char *to, size_t size)
{
    size_t n = 0;

    *from = min(*from, written);
    if (written - *from > LOG_SIZE)
        *from = written - LOG_SIZE;
    while (n < size && *from < written)
        to[n++] = ring[(*from)++ % LOG_SIZE];
    return n;
}
