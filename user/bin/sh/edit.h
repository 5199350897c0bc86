/*
 * The line editor: bytes of a raw console in, a finished line out. It does no
 * input or output of its own, so it is tested on the host. Keys: arrows, Home,
 * End, Delete, Backspace, ^A ^E ^B ^F ^P ^N ^K ^U ^W ^L ^C ^D.
 */
#ifndef SH_EDIT_H
#define SH_EDIT_H

#include <stddef.h>

enum { EDIT_LINE_MAX = 512, EDIT_HISTORY = 32 };

enum edit_result {
    EDIT_MORE,   /* the line is not finished */
    EDIT_LINE,   /* Enter: the text is in `line` */
    EDIT_CANCEL, /* ^C: throw the line away */
    EDIT_EOF     /* ^D on an empty line */
};

struct edit {
    char line[EDIT_LINE_MAX]; /* always NUL-terminated */
    size_t length, cursor;    /* bytes; cursor <= length */
    const char *prompt;
    void (*write)(const char *text, size_t length);
    char history[EDIT_HISTORY][EDIT_LINE_MAX];
    size_t history_count;        /* lines ever stored */
    size_t shown;                /* lines back from now; 0 = the new line */
    char stashed[EDIT_LINE_MAX]; /* the new line while history is shown */
    int escape;                  /* state within an escape sequence */
    int escape_number;
};

/* Before the first line. */
void edit_init(struct edit *e, const char *prompt,
               void (*write)(const char *, size_t));

/* Starts a new line: empties it and shows the prompt. */
void edit_begin(struct edit *e);

/* One byte from the keyboard. */
enum edit_result edit_key(struct edit *e, unsigned char key);

/* Stores a line, unless it is empty or the same as the last one. */
void edit_remember(struct edit *e, const char *line);

#endif
