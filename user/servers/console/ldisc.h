/*
 * Line discipline: what a terminal does between the keys typed and the bytes a
 * program reads, and between the bytes written and the screen. Pure: bytes in,
 * bytes out, no system call, no clock; the console server moves them.
 *
 *   keys -> ldisc_input() -> line being edited -> ready -> ldisc_read()
 *                        \-> echo -> ldisc_echo()
 *   program's output -> ldisc_output() -> screen
 *
 * Canonical mode: a read gets a line, which can be edited until Enter:
 * Backspace or DEL (a whole UTF-8 character), ^W (word), ^U (line), ^D (give
 * what is there; at the start of a line: end of file). A line has at most
 * LDISC_LINE - 1 bytes before Enter; more are refused with a bell. Raw mode: a
 * read gets the bytes as they come.
 *
 * Nothing is dropped silently: when the reader is slow, ldisc_input() takes
 * less and the sender has to wait. ^C gets through all the same.
 */
#ifndef CONSOLE_LDISC_H
#define CONSOLE_LDISC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LDISC_LINE = 512,   /* bytes of a line, its newline included */
    LDISC_READY = 4096, /* bytes a reader has not taken yet; power of two */
    LDISC_ECHO = 4096   /* bytes for the screen; power of two */
};

enum ldisc_mode {
    LDISC_CANONICAL = 1,   /* lines and their editing; else raw */
    LDISC_ECHOING = 2,     /* show what is typed */
    LDISC_SIGNALS = 4,     /* ^C interrupts instead of being read */
    LDISC_CR_IS_NL = 8,    /* Enter sends CR: read it as NL */
    LDISC_NL_IS_CRNL = 16, /* output: NL becomes CR NL */
    LDISC_COOKED = 31,
    LDISC_RAW = LDISC_NL_IS_CRNL /* for a program that edits lines itself */
};

struct ldisc {
    uint32_t mode;
    uint32_t line_length;
    uint32_t ready_head, ready_tail; /* taken, put: count up for ever */
    uint32_t echo_head, echo_tail;
    uint32_t lines; /* lines and marks in ready */
    unsigned char line[LDISC_LINE];
    uint16_t ready[LDISC_READY]; /* bytes, and LDISC_MARK where ^D ended one */
    unsigned char echo[LDISC_ECHO];
};

/* Cooked, empty. */
void ldisc_init(struct ldisc *l);

/* From now on; a line being edited becomes readable when canonical ends. */
void ldisc_set_mode(struct ldisc *l, uint32_t mode);

/*
 * Keys typed. Returns how many of the n were used up: fewer when the reader or
 * the screen is behind, come back with the rest after ldisc_read or
 * ldisc_echo. *interrupts counts the ^C among them; a ^C discards what was
 * typed before it and not read, even when that is what was in the way.
 */
size_t ldisc_input(struct ldisc *l, const unsigned char *keys, size_t n,
                   unsigned *interrupts);

/* True if ldisc_read would return something, end of file included. */
bool ldisc_readable(const struct ldisc *l);

/*
 * For a reader: up to n bytes, n >= 1, in canonical mode at most one line.
 * Returns their number; 0 = end of file (once); E_AGAIN: nothing yet.
 */
int64_t ldisc_read(struct ldisc *l, unsigned char *to, size_t n);

/* Bytes for the screen that the keys caused: up to n, returns how many. */
size_t ldisc_echo(struct ldisc *l, unsigned char *to, size_t n);

/*
 * A program's output on its way to the screen: converts as many of the n
 * bytes at `from` as fit, whole, into `room` bytes at `to`. Returns the bytes
 * made; *used = bytes converted.
 */
size_t ldisc_output(const struct ldisc *l, const unsigned char *from, size_t n,
                    size_t *used, unsigned char *to, size_t room);

#endif
