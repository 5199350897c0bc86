/*
 * Jobs: pipelines as running processes, each a job of the console too, so
 * that the keyboard belongs to the one in the foreground and to no other.
 */
#ifndef SH_JOBS_H
#define SH_JOBS_H

#include "parse.h"

/* Exit codes that the shell makes up. */
enum { STATUS_NO_COMMAND = 127, STATUS_KILLED = 137, STATUS_FAULT = 139 };

/* Takes the console over: raw mode, ^C to us. Before each line. */
void jobs_take_console(void);

/* Starts a pipeline; in the foreground it is waited for. Returns its $?. */
int jobs_run(const struct pipeline *p);

/* Says which background jobs have ended since the last time. */
void jobs_report(void);

/* The built-in commands `jobs` and `fg [NUMBER]`. */
int jobs_list(void);
int jobs_to_foreground(int number);

#endif
