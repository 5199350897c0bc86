/*
 * The shell: reads lines from a raw console, runs them. It holds the handles
 * "system" and "machine" and passes them only to the programs that need them
 * (jobs.c). When it ends, init starts a new one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uinta/clock.h>
#include "edit.h"
#include "jobs.h"
#include "parse.h"

static const char prompt[] = "uinta$ ";
static struct edit editor;
static int last_status;

static void show(const char *text, size_t length)
{
    fwrite(text, 1, length, stdout);
}

/* One key, or -1 at the end of input. Output is shown before we sleep. */
static int key(void)
{
    static unsigned char typed[64];
    static ssize_t count, at;
    static int failures;
    while (at == count) {
        fflush(stdout);
        count = read(0, typed, sizeof(typed));
        at = 0;
        if (count == 0)
            return -1;
        if (count < 0) {
            /* The console is being restarted and did not come back yet. */
            count = 0;
            if (++failures > 10)
                return -1;
            clock_sleep_ns(100 * 1000 * 1000);
        }
    }
    failures = 0;
    return typed[at++];
}

/* The next line, or NULL at the end of input. */
static const char *read_line(void)
{
    jobs_take_console(); /* it may be another one than at the last line */
    edit_begin(&editor);
    for (;;) {
        int c = key();
        if (c < 0)
            return NULL;
        switch (edit_key(&editor, c)) {
        case EDIT_MORE:
            break;
        case EDIT_LINE:
            edit_remember(&editor, editor.line);
            return editor.line;
        case EDIT_CANCEL:
            last_status = 130;
            edit_begin(&editor);
            break;
        case EDIT_EOF:
            printf("exit\n");
            return NULL;
        }
    }
}

/* `time` stands before a pipeline and is no part of it. */
static bool strip_time(struct pipeline *p)
{
    struct command *c = &p->commands[0];
    if (strcmp(c->argv[0], "time") || c->argc < 2)
        return false;
    memmove(c->argv, c->argv + 1, c->argc * sizeof(c->argv[0]));
    c->argc--;
    return true;
}

static int run(struct pipeline *p);

static int run_timed(struct pipeline *p)
{
    uint64_t start = clock_ticks();
    int status = run(p);
    uint64_t us = clock_ns_from_ticks(clock_ticks() - start) / 1000;
    printf("real %lu.%06lu s\n", us / 1000000, us % 1000000);
    return status;
}

/* A built-in stands alone: it has no place in a pipeline. */
static int run(struct pipeline *p)
{
    struct command *c = &p->commands[0];
    const char *name = c->argv[0];
    if (strip_time(p))
        return run_timed(p);
    if (p->count > 1 || p->background)
        return jobs_run(p);
    if (!strcmp(name, "exit"))
        exit(c->argc > 1 ? atoi(c->argv[1]) : 0);
    if (!strcmp(name, "jobs"))
        return jobs_list();
    if (!strcmp(name, "fg"))
        return jobs_to_foreground(c->argc > 1 ? atoi(c->argv[1]) : 0);
    if (!strcmp(name, "time")) {
        fprintf(stderr, "usage: time COMMAND\n");
        return 2;
    }
    if (!strcmp(name, "cd")) {
        fprintf(stderr, "cd: paths are absolute here, there is no "
                        "current directory\n");
        return 1;
    }
    return jobs_run(p);
}

static void run_line(const char *line)
{
    for (;;) {
        static struct pipeline p;
        const char *error = parse(&line, last_status, &p);
        fflush(stdout);
        if (error) {
            fprintf(stderr, "sh: %s\n", error);
            last_status = 2;
            return;
        }
        if (p.count == 0)
            return;
        last_status = run(&p);
    }
}

static void greet(void)
{
    char text[512];
    int file = open("/etc/motd", O_RDONLY);
    ssize_t count = file < 0 ? 0 : read(file, text, sizeof(text));
    if (count > 0)
        fwrite(text, 1, count, stdout);
    if (file >= 0)
        close(file);
    const char *notice = getenv("BOOT_NOTICE"); /* from init */
    if (notice)
        printf("%s\n\n", notice);
    unsetenv("BOOT_NOTICE");
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        fprintf(stderr, "usage: %s (it reads the console)\n", argv[0]);
        return 2;
    }
    /* Two streams to the console keep no order: echo and errors in one. */
    dup2(STDOUT_FILENO, STDERR_FILENO);
    edit_init(&editor, prompt, show);
    greet();
    const char *line;
    do {
        jobs_report();
        line = read_line();
        if (line)
            run_line(line);
    } while (line);
    fflush(stdout);
    return 0;
}
