/* From a line of text to pipelines: one pass, one character of look-ahead. */
#include "parse.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

struct reader {
    const char *at;
    int status;
    char *text, *text_end; /* where the next word goes */
    const char *error;
};

static void add(struct reader *r, char c)
{
    if (r->text < r->text_end)
        *r->text++ = c;
    else
        r->error = "line too long";
}

/* $? becomes the last status; any other $ is itself. */
static void add_dollar(struct reader *r)
{
    if (r->at[0] != '?') {
        add(r, '$');
        return;
    }
    r->at++;
    char number[12];
    snprintf(number, sizeof(number), "%d", r->status);
    for (char *c = number; *c; c++)
        add(r, *c);
}

/* What stands between quotes; r->at is after the opening one. */
static void quoted(struct reader *r, char quote)
{
    while (*r->at && *r->at != quote) {
        char c = *r->at++;
        if (quote == '"' && c == '\\' && *r->at)
            add(r, *r->at++);
        else if (quote == '"' && c == '$')
            add_dollar(r);
        else
            add(r, c);
    }
    if (*r->at)
        r->at++;
    else
        r->error = "quote is not closed";
}

static bool ends_word(char c)
{
    return c == 0 || isspace((unsigned char)c) || strchr("|&;<>", c);
}

static char *word(struct reader *r)
{
    char *start = r->text;
    while (!r->error && !ends_word(*r->at)) {
        char c = *r->at++;
        if (c == '\'' || c == '"')
            quoted(r, c);
        else if (c == '\\' && *r->at)
            add(r, *r->at++);
        else if (c == '$')
            add_dollar(r);
        else
            add(r, c);
    }
    add(r, 0);
    return start;
}

static void skip_space(struct reader *r)
{
    while (isspace((unsigned char)*r->at))
        r->at++;
    if (*r->at == '#')
        r->at += strlen(r->at);
}

static void read_input(struct reader *r, struct command *c)
{
    r->at++;
    skip_space(r);
    if (ends_word(*r->at))
        r->error = "'<' needs a file name";
    else if (c->input)
        r->error = "a command has one '<' at most";
    else
        c->input = word(r);
}

static void read_command(struct reader *r, struct command *c)
{
    for (skip_space(r); !r->error; skip_space(r)) {
        if (*r->at == '>')
            r->error = "'>': this system has no writable files";
        else if (*r->at == '<')
            read_input(r, c);
        else if (ends_word(*r->at))
            break;
        else if (c->argc == ARGS_MAX)
            r->error = "too many arguments";
        else
            c->argv[c->argc++] = word(r);
    }
    if (!r->error && c->argc == 0)
        r->error = "a command is missing";
}

static void read_pipeline(struct reader *r, struct pipeline *p)
{
    do {
        if (p->count > 0)
            r->at++; /* the '|' */
        if (p->count == PIPE_MAX) {
            r->error = "too many commands in a pipeline";
            return;
        }
        struct command *c = &p->commands[p->count++];
        read_command(r, c);
        if (!r->error && c->input && p->count > 1)
            r->error = "only the first command of a pipeline can have '<'";
    } while (!r->error && *r->at == '|');
}

const char *parse(const char **line, int status, struct pipeline *out)
{
    memset(out, 0, sizeof(*out));
    struct reader r = {*line, status, out->text, out->text + TEXT_MAX, NULL};
    skip_space(&r);
    if (*r.at) {
        read_pipeline(&r, out);
        out->background = *r.at == '&';
        if (*r.at == '&' || *r.at == ';')
            r.at++;
    }
    *line = r.at;
    return r.error;
}
