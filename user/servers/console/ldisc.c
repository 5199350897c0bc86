/*
 * Line discipline: see ldisc.h. `ready` holds 16-bit places so that the mark
 * that ^D leaves cannot be confused with any byte typed; queues are rings of a
 * power of two with indices that count up for ever.
 */
#include "ldisc.h"
#include "abi/errors.h"

enum { MARK = 0x100 }; /* in ready: what is before it is a read's worth */

enum key {
    KEY_INTR = 0x03,
    KEY_EOF = 0x04,
    KEY_BELL = 0x07,
    KEY_BACKSPACE = 0x08,
    KEY_KILL = 0x15,
    KEY_WORD = 0x17,
    KEY_DELETE = 0x7f
};

/*
 * The most echo that one key can cause: ^U on a full line of control
 * characters, each of which takes two columns, each column three bytes.
 */
enum { ECHO_WORST = 6 * LDISC_LINE + 8 };

_Static_assert(6 * LDISC_LINE + 8 <= LDISC_ECHO, "any one key's echo fits");
_Static_assert(LDISC_LINE + 1 < LDISC_READY, "any line fits");

void ldisc_init(struct ldisc *l)
{
    *l = (struct ldisc){.mode = LDISC_COOKED};
}

static size_t ready_room(const struct ldisc *l)
{
    return LDISC_READY - (l->ready_tail - l->ready_head);
}

static uint32_t echo_room(const struct ldisc *l)
{
    return LDISC_ECHO - (l->echo_tail - l->echo_head);
}

static bool ends_read(uint16_t what)
{
    return what == '\n' || what == MARK;
}

static void put_ready(struct ldisc *l, uint16_t what)
{
    l->ready[l->ready_tail++ % LDISC_READY] = what;
    l->lines += ends_read(what);
}

static void put_echo(struct ldisc *l, unsigned char byte)
{
    if (byte == '\n' && (l->mode & LDISC_NL_IS_CRNL))
        l->echo[l->echo_tail++ % LDISC_ECHO] = '\r';
    l->echo[l->echo_tail++ % LDISC_ECHO] = byte;
}

static bool is_control(unsigned char byte)
{
    return byte < ' ' || byte == KEY_DELETE;
}

/* Not the first byte of a UTF-8 character. */
static bool is_continuation(unsigned char byte)
{
    return (byte & 0xc0) == 0x80;
}

/* What a key typed looks like: NL as it is, TAB a blank, others ^X. */
static void echo_key(struct ldisc *l, unsigned char byte)
{
    if (!(l->mode & LDISC_ECHOING))
        return;
    if (byte == '\t') {
        put_echo(l, ' ');
    } else if (is_control(byte) && byte != '\n') {
        put_echo(l, '^');
        put_echo(l, byte ^ 0x40);
    } else {
        put_echo(l, byte);
    }
}

/* Give what is in the line to the reader. */
static void finish_line(struct ldisc *l)
{
    for (uint32_t i = 0; i < l->line_length; i++)
        put_ready(l, l->line[i]);
    l->line_length = 0;
}

/* Take one character, all its bytes, off the line and off the screen. */
static void erase_character(struct ldisc *l)
{
    unsigned char first = l->line[--l->line_length];
    if (is_continuation(first)) {
        while (l->line_length && is_continuation(first))
            first = l->line[--l->line_length];
        if (first < 0x80) {
            /* No character led these bytes: what is before them stays. */
            l->line_length++;
            first = 0x80;
        }
    }
    if (!(l->mode & LDISC_ECHOING))
        return;
    int columns = is_control(first) && first != '\t' ? 2 : 1;
    for (; columns; columns--) {
        put_echo(l, '\b');
        put_echo(l, ' ');
        put_echo(l, '\b');
    }
}

static bool ends_in_blank(const struct ldisc *l)
{
    unsigned char last = l->line[l->line_length - 1];
    return last == ' ' || last == '\t';
}

static void erase_word(struct ldisc *l)
{
    while (l->line_length && ends_in_blank(l))
        erase_character(l);
    while (l->line_length && !ends_in_blank(l))
        erase_character(l);
}

/* Forget what was typed and not read. */
static void flush(struct ldisc *l)
{
    l->line_length = 0;
    l->ready_head = l->ready_tail;
    l->lines = 0;
}

static void add_to_line(struct ldisc *l, unsigned char byte)
{
    if (l->line_length >= LDISC_LINE - 1 && byte != '\n') {
        put_echo(l, KEY_BELL);
        return;
    }
    l->line[l->line_length++] = byte;
    echo_key(l, byte);
    if (byte == '\n')
        finish_line(l);
}

/* One key of canonical mode; there is room for all it can cause. */
static void edit(struct ldisc *l, unsigned char key)
{
    switch (key) {
    case KEY_BACKSPACE:
    case KEY_DELETE:
        if (l->line_length)
            erase_character(l);
        break;
    case KEY_WORD:
        erase_word(l);
        break;
    case KEY_KILL:
        while (l->line_length)
            erase_character(l);
        break;
    case KEY_EOF:
        finish_line(l);
        put_ready(l, MARK);
        break;
    default:
        add_to_line(l, key);
    }
}

static bool is_interrupt(const struct ldisc *l, unsigned char key)
{
    return key == KEY_INTR && (l->mode & LDISC_SIGNALS);
}

/* ^C shows itself on a line of its own, if there is room to show it. */
static void interrupt(struct ldisc *l)
{
    flush(l);
    if (echo_room(l) < 4)
        return;
    echo_key(l, KEY_INTR);
    echo_key(l, '\n');
}

/*
 * Room for whatever one key can cause: its echo, and its line's end; and one
 * place more, for the mark that a change of mode can need.
 */
static bool has_room(const struct ldisc *l)
{
    if (!(l->mode & LDISC_CANONICAL))
        return ready_room(l) >= 2 && echo_room(l) >= 2;
    return ready_room(l) >= l->line_length + 2 && echo_room(l) >= ECHO_WORST;
}

/* Index just after the last ^C among n keys, 0 = none. */
static size_t after_interrupt(const struct ldisc *l, const unsigned char *keys,
                              size_t n)
{
    while (n && !is_interrupt(l, keys[n - 1]))
        n--;
    return n;
}

size_t ldisc_input(struct ldisc *l, const unsigned char *keys, size_t n,
                   unsigned *interrupts)
{
    size_t used = 0;
    *interrupts = 0;
    while (used < n) {
        unsigned char key = keys[used];
        if (is_interrupt(l, key)) {
            interrupt(l);
            ++*interrupts;
            used++;
            continue;
        }
        if (!has_room(l)) {
            /* A ^C further on makes room: all before it is thrown away. */
            size_t after = after_interrupt(l, keys + used, n - used);
            if (!after)
                break;
            used += after - 1;
            continue;
        }
        if (key == '\r' && (l->mode & LDISC_CR_IS_NL))
            key = '\n';
        used++;
        if (l->mode & LDISC_CANONICAL) {
            edit(l, key);
        } else {
            put_ready(l, key);
            echo_key(l, key);
        }
    }
    return used;
}

/* A raw reader knows no end of file. */
static void drop_marks(struct ldisc *l)
{
    uint32_t to = l->ready_head;
    for (uint32_t from = to; from != l->ready_tail; from++) {
        uint16_t what = l->ready[from % LDISC_READY];
        if (what == MARK)
            l->lines--;
        else
            l->ready[to++ % LDISC_READY] = what;
    }
    l->ready_tail = to;
}

void ldisc_set_mode(struct ldisc *l, uint32_t mode)
{
    bool was = l->mode & LDISC_CANONICAL, is = mode & LDISC_CANONICAL;
    l->mode = mode;
    if (was && !is) {
        drop_marks(l);
        finish_line(l);
    }
    /* Raw input that nobody has read becomes one read's worth. */
    if (!was && is && l->ready_head != l->ready_tail &&
        !ends_read(l->ready[(l->ready_tail - 1) % LDISC_READY]))
        put_ready(l, MARK);
}

bool ldisc_readable(const struct ldisc *l)
{
    if (l->mode & LDISC_CANONICAL)
        return l->lines > 0;
    return l->ready_head != l->ready_tail;
}

int64_t ldisc_read(struct ldisc *l, unsigned char *to, size_t n)
{
    bool canonical = l->mode & LDISC_CANONICAL;
    if (!ldisc_readable(l))
        return E_AGAIN;
    size_t got = 0;
    while (l->ready_head != l->ready_tail) {
        uint16_t next = l->ready[l->ready_head % LDISC_READY];
        /*
         * A mark just after the last byte that fits goes with it: the next
         * read would take it for an end of file.
         */
        if (got == n && next != MARK)
            break;
        l->ready_head++;
        l->lines -= ends_read(next);
        if (next != MARK)
            to[got++] = (unsigned char)next;
        if (canonical && ends_read(next))
            break;
    }
    return (int64_t)got;
}

size_t ldisc_echo(struct ldisc *l, unsigned char *to, size_t n)
{
    size_t got = 0;
    while (got < n && l->echo_head != l->echo_tail)
        to[got++] = l->echo[l->echo_head++ % LDISC_ECHO];
    return got;
}

size_t ldisc_output(const struct ldisc *l, const unsigned char *from, size_t n,
                    size_t *used, unsigned char *to, size_t room)
{
    size_t made = 0, i = 0;
    for (; i < n; i++) {
        bool expand = from[i] == '\n' && (l->mode & LDISC_NL_IS_CRNL);
        if (room - made < (expand ? 2U : 1U))
            break;
        if (expand)
            to[made++] = '\r';
        to[made++] = from[i];
    }
    *used = i;
    return made;
}
