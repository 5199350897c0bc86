/*
 * The line editor. Every change is shown by rewriting what stands right of
 * the cursor and stepping back with \b: no knowledge of the terminal is
 * needed beyond \b, "erase to end of line" and "clear screen".
 */
#include "edit.h"

#include <string.h>

enum { CTRL_MASK = 0x1f, BELL = 7, ESC = 27, DEL = 127 };
enum { PLAIN, AFTER_ESC, AFTER_CSI, AFTER_SS3 };

#define CTRL(c) ((c)&CTRL_MASK)

static void show(struct edit *e, const char *text)
{
    e->write(text, strlen(text));
}

static void back(struct edit *e, size_t columns)
{
    while (columns-- > 0)
        show(e, "\b");
}

/* Rewrites the part right of the cursor after a change there. */
static void redraw_tail(struct edit *e)
{
    e->write(e->line + e->cursor, e->length - e->cursor);
    show(e, "\x1b[K");
    back(e, e->length - e->cursor);
}

static void move(struct edit *e, size_t to)
{
    if (to < e->cursor)
        back(e, e->cursor - to);
    else
        e->write(e->line + e->cursor, to - e->cursor);
    e->cursor = to;
}

/* Removes the bytes from `from` to `to` and leaves the cursor there. */
static void erase(struct edit *e, size_t from, size_t to)
{
    if (from == to)
        return;
    move(e, from);
    memmove(e->line + from, e->line + to, e->length - to + 1);
    e->length -= to - from;
    redraw_tail(e);
}

static void insert(struct edit *e, char c)
{
    if (e->length + 1 >= sizeof(e->line)) {
        char bell = BELL;
        e->write(&bell, 1);
        return;
    }
    memmove(e->line + e->cursor + 1, e->line + e->cursor,
            e->length - e->cursor + 1);
    e->line[e->cursor] = c;
    e->length++;
    e->write(&c, 1);
    e->cursor++;
    if (e->cursor < e->length)
        redraw_tail(e);
}

static void replace_line(struct edit *e, const char *text)
{
    move(e, 0);
    e->length = strlen(text);
    memcpy(e->line, text, e->length + 1);
    redraw_tail(e);
    move(e, e->length);
}

/* Shows the line `back` lines ago; 0 is the one being typed. */
static void show_history(struct edit *e, size_t lines_back)
{
    size_t kept =
        e->history_count < EDIT_HISTORY ? e->history_count : EDIT_HISTORY;
    if (lines_back > kept)
        return;
    if (e->shown == 0)
        memcpy(e->stashed, e->line, e->length + 1);
    e->shown = lines_back;
    if (lines_back == 0)
        replace_line(e, e->stashed);
    else
        replace_line(
            e, e->history[(e->history_count - lines_back) % EDIT_HISTORY]);
}

static size_t word_start(struct edit *e)
{
    size_t at = e->cursor;
    while (at > 0 && e->line[at - 1] == ' ')
        at--;
    while (at > 0 && e->line[at - 1] != ' ')
        at--;
    return at;
}

static void clear_screen(struct edit *e)
{
    size_t cursor = e->cursor;
    show(e, "\x1b[H\x1b[2J");
    show(e, e->prompt);
    show(e, e->line);
    e->cursor = e->length;
    move(e, cursor);
}

/* The keys that terminals send as ESC [ letter or ESC O letter. */
static void letter_key(struct edit *e, char letter)
{
    switch (letter) {
    case 'A':
        show_history(e, e->shown + 1);
        break;
    case 'B':
        if (e->shown > 0)
            show_history(e, e->shown - 1);
        break;
    case 'C':
        if (e->cursor < e->length)
            move(e, e->cursor + 1);
        break;
    case 'D':
        if (e->cursor > 0)
            move(e, e->cursor - 1);
        break;
    case 'H':
        move(e, 0);
        break;
    case 'F':
        move(e, e->length);
        break;
    }
}

/* The keys that terminals send as ESC [ number ~. */
static void number_key(struct edit *e, int number)
{
    if (number == 1 || number == 7)
        move(e, 0);
    else if (number == 4 || number == 8)
        move(e, e->length);
    else if (number == 3 && e->cursor < e->length)
        erase(e, e->cursor, e->cursor + 1);
}

/* A byte inside an escape sequence. */
static void escape_key(struct edit *e, unsigned char key)
{
    if (e->escape == AFTER_ESC && (key == '[' || key == 'O')) {
        e->escape = key == '[' ? AFTER_CSI : AFTER_SS3;
        e->escape_number = 0;
    } else if (e->escape == AFTER_CSI && key >= '0' && key <= '9') {
        e->escape_number = (e->escape_number * 10 + key - '0') % 1000;
    } else if (e->escape == AFTER_CSI && key == ';') {
        e->escape_number = 0; /* a modifier follows: ignored */
    } else {
        int was = e->escape;
        e->escape = PLAIN;
        if (was == AFTER_CSI && key == '~')
            number_key(e, e->escape_number);
        else if (was != AFTER_ESC)
            letter_key(e, key);
    }
}

void edit_init(struct edit *e, const char *prompt,
               void (*write)(const char *, size_t))
{
    memset(e, 0, sizeof(*e));
    e->prompt = prompt;
    e->write = write;
}

void edit_begin(struct edit *e)
{
    e->line[0] = 0;
    e->length = e->cursor = 0;
    e->shown = 0;
    e->escape = PLAIN;
    show(e, e->prompt);
}

static enum edit_result control_key(struct edit *e, unsigned char key)
{
    switch (key) {
    case '\r':
    case '\n':
        move(e, e->length);
        show(e, "\n");
        return EDIT_LINE;
    case CTRL('C'):
        show(e, "^C\n");
        return EDIT_CANCEL;
    case CTRL('D'):
        if (e->length == 0)
            return EDIT_EOF;
        if (e->cursor < e->length)
            erase(e, e->cursor, e->cursor + 1);
        break;
    case CTRL('H'):
    case DEL:
        if (e->cursor > 0)
            erase(e, e->cursor - 1, e->cursor);
        break;
    case CTRL('A'):
        letter_key(e, 'H');
        break;
    case CTRL('E'):
        letter_key(e, 'F');
        break;
    case CTRL('B'):
        letter_key(e, 'D');
        break;
    case CTRL('F'):
        letter_key(e, 'C');
        break;
    case CTRL('P'):
        letter_key(e, 'A');
        break;
    case CTRL('N'):
        letter_key(e, 'B');
        break;
    case CTRL('K'):
        erase(e, e->cursor, e->length);
        break;
    case CTRL('U'):
        erase(e, 0, e->cursor);
        break;
    case CTRL('W'):
        erase(e, word_start(e), e->cursor);
        break;
    case CTRL('L'):
        clear_screen(e);
        break;
    case ESC:
        e->escape = AFTER_ESC;
        break;
    }
    return EDIT_MORE;
}

enum edit_result edit_key(struct edit *e, unsigned char key)
{
    if (e->escape != PLAIN)
        escape_key(e, key);
    else if (key < ' ' || key == DEL)
        return control_key(e, key);
    else
        insert(e, key);
    return EDIT_MORE;
}

void edit_remember(struct edit *e, const char *line)
{
    size_t last = (e->history_count + EDIT_HISTORY - 1) % EDIT_HISTORY;
    if (line[0] == 0 ||
        (e->history_count > 0 && strcmp(e->history[last], line) == 0))
        return;
    char *slot = e->history[e->history_count++ % EDIT_HISTORY];
    strncpy(slot, line, EDIT_LINE_MAX - 1);
    slot[EDIT_LINE_MAX - 1] = 0;
}
