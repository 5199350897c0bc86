/*
 * From a line of text to pipelines. Pure: no system call, tested on the host.
 *
 *   line     = pipeline { (';' | '&') pipeline } [';' | '&'] [# comment]
 *   pipeline = command { '|' command }
 *   command  = word { word } [ '<' word ]
 *
 * Words: 'as is', "with $? and \" ", and \c for one character as it is.
 */
#ifndef SH_PARSE_H
#define SH_PARSE_H

#include <stdbool.h>
#include <stddef.h>

enum { ARGS_MAX = 32, PIPE_MAX = 8, TEXT_MAX = 1024 };

struct command {
    int argc;
    char *argv[ARGS_MAX + 1]; /* ends with NULL */
    char *input;              /* file after '<', or NULL */
};

struct pipeline {
    int count; /* commands; 0: the line is at its end */
    bool background;
    struct command commands[PIPE_MAX];
    char text[TEXT_MAX]; /* the words */
};

/*
 * Reads the next pipeline of a line and moves *line behind it. One at a time,
 * because `status`, which $? stands for, changes from one to the next.
 * Returns NULL, or what is wrong in words; `out` is then not to be used.
 */
const char *parse(const char **line, int status, struct pipeline *out);

#endif
