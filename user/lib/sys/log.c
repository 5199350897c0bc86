/* What uinta/log.h promises. */
#include "uinta/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uinta/process.h>
#include "gen/syscalls.h"

/* write(), not stdio: with its streams a server would be 8 KiB larger. */
static void put_line(const char *format, va_list values)
{
    char line[200] = "";
    handle_t log = startup_handle("log");
    vsnprintf(line, sizeof(line) - 1, format, values);
    size_t size = strlen(line);
    line[size] = '\n';
    if (log)
        sys_system_log_write(log, (uint64_t)line, size);
    else
        write(STDERR_FILENO, line, size + 1);
}

void log_line(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    put_line(format, values);
    va_end(values);
}

_Noreturn void log_fail(int status, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    put_line(format, values);
    va_end(values);
    exit(status);
}
