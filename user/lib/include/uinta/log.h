/*
 * A line for whoever looks after this process: into the kernel's log if the
 * spawner passed the handle "log", as init does to its servers, else to
 * stderr. Cut at 198 bytes.
 */
#ifndef UINTA_LOG_H
#define UINTA_LOG_H

__attribute__((format(printf, 1, 2))) void log_line(const char *format, ...);

/* The same as last words: exit(status). */
__attribute__((format(printf, 2, 3))) _Noreturn void
log_fail(int status, const char *format, ...);

#endif
