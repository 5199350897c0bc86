/* link: user/bin/sh/edit.c user/bin/sh/parse.c */
/*
 * The shell's pure parts: keys against the line and the screen they make, and
 * lines against the pipelines they mean.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "user/bin/sh/edit.h"
#include "user/bin/sh/parse.h"

/* ---- a terminal of one row ------------------------------------------------ */

enum { COLUMNS = 1024 };

static char row[COLUMNS];
static size_t column;
static struct edit e;

/* Understands what the editor uses: \b, erase to end of line, clear screen. */
static void screen(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (n - i >= 3 && !memcmp(text + i, "\x1b[K", 3)) {
            memset(row + column, 0, COLUMNS - column);
            i += 2;
        } else if (n - i >= 7 && !memcmp(text + i, "\x1b[H\x1b[2J", 7)) {
            memset(row, 0, COLUMNS);
            column = 0;
            i += 6;
        } else if (text[i] == '\b') {
            assert_true(column > 0);
            column--;
        } else if (text[i] == '\n') {
            memset(row, 0, COLUMNS);
            column = 0;
        } else if (text[i] != '\a') {
            assert_true(column + 1 < COLUMNS);
            row[column++] = text[i];
        }
    }
}

static int setup(void **state)
{
    (void)state;
    memset(row, 0, COLUMNS);
    column = 0;
    edit_init(&e, "> ", screen);
    edit_begin(&e);
    return 0;
}

/* Types all but the last key, which must not end the line; its result. */
static enum edit_result type_n(const char *keys, size_t n)
{
    enum edit_result result = EDIT_MORE;
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(result, EDIT_MORE);
        result = edit_key(&e, (unsigned char)keys[i]);
    }
    return result;
}

static enum edit_result type(const char *keys)
{
    return type_n(keys, strlen(keys));
}

/* The line, the screen and the cursor agree. */
static void expect(const char *line, size_t cursor)
{
    char shown[COLUMNS];
    snprintf(shown, sizeof(shown), "> %s", line);
    assert_string_equal(e.line, line);
    assert_string_equal(row, shown);
    assert_int_equal(e.cursor, cursor);
    assert_int_equal(column, cursor + 2);
}

static void enter(const char *line)
{
    type(line);
    assert_int_equal(type("\r"), EDIT_LINE);
    edit_remember(&e, e.line);
    edit_begin(&e);
}

static void keys_insert_where_the_cursor_is(void **state)
{
    (void)state;
    type("held");
    expect("held", 4);
    type("\x1b[D\x1b[Dl");
    expect("helld", 4 - 1);
    type("\x01>\x05!");
    expect(">helld!", 7);
    type("\x1b[Hx\x1bOF.");
    expect("x>helld!.", 9);
}

static void erasing(void **state)
{
    (void)state;
    type("one two  three");
    type("\x17");
    expect("one two  ", 9);
    type("\x17");
    expect("one ", 4);
    type("\x7f\b");
    expect("on", 2);
    type("\x01\x1b[3~");
    expect("n", 0);
    type("\x7f\x15\x04");
    expect("", 0);
    type("abcdef\x02\x02\x0b");
    expect("abcd", 4);
    type("\x02\x15");
    expect("d", 0);
}

static void history_goes_up_and_down(void **state)
{
    (void)state;
    enter("first");
    enter("second");
    enter("second");
    enter("");
    type("new\x1b[A");
    expect("second", 6);
    type("\x1b[A");
    expect("first", 5);
    type("\x1b[A");
    expect("first", 5);
    type("!\x1b[B\x1b[B");
    expect("new", 3);
    type("\x1b[B");
    expect("new", 3);
}

static void history_keeps_the_newest(void **state)
{
    (void)state;
    char line[24];
    for (int i = 0; i < EDIT_HISTORY + 5; i++) {
        snprintf(line, sizeof(line), "line %d", i);
        enter(line);
    }
    for (int i = 0; i < EDIT_HISTORY + 5; i++)
        type("\x10");
    expect("line 5", 6);
}

static void ends_of_a_line(void **state)
{
    assert_int_equal(type("x\x03"), EDIT_CANCEL);
    edit_begin(&e);
    assert_int_equal(type("\x04"), EDIT_EOF);
    setup(state);
    type("ab\x01\x04");
    expect("b", 0);
    type("\x0c");
    expect("b", 0);
}

static void a_full_line_takes_no_more(void **state)
{
    (void)state;
    for (int i = 0; i < EDIT_LINE_MAX + 10; i++)
        type("x");
    assert_int_equal(e.length, EDIT_LINE_MAX - 1);
    assert_int_equal(column, e.cursor + 2);
}

/* Any bytes at all: nothing overruns, line and screen stay the same text. */
static void random_keys(void **state)
{
    (void)state;
    srand(1);
    for (int i = 0; i < 200000; i++) {
        static const char often[] = "\x1b[ABCDHF3~abc \x7f\x01\x05\x0b\x17";
        unsigned char key =
            rand() % 4 ? (unsigned char)often[rand() % (sizeof(often) - 1)]
                       : (unsigned char)(rand() % 128);
        if (edit_key(&e, key) == EDIT_LINE)
            edit_remember(&e, e.line);
        else if (key != 3 && key != 4) {
            assert_int_equal(strlen(e.line), e.length);
            assert_true(e.cursor <= e.length);
            assert_int_equal(column, e.cursor + 2);
            assert_string_equal(row + 2, e.line);
            continue;
        }
        memset(row, 0, COLUMNS);
        column = 0;
        edit_begin(&e);
    }
}

/* ---- parsing -------------------------------------------------------------- */

static struct pipeline p;

static void word(int command, int argument, const char *expected)
{
    assert_string_equal(p.commands[command].argv[argument], expected);
}

static void pipelines_one_at_a_time(void **state)
{
    (void)state;
    const char *line = " a b|c ; d &e # not this; nor this";
    assert_null(parse(&line, 0, &p));
    assert_int_equal(p.count, 2);
    assert_false(p.background);
    assert_int_equal(p.commands[0].argc, 2);
    word(0, 1, "b");
    word(1, 0, "c");
    assert_null(p.commands[1].argv[1]);
    assert_null(parse(&line, 0, &p));
    assert_true(p.background);
    word(0, 0, "d");
    assert_null(parse(&line, 0, &p));
    word(0, 0, "e");
    assert_int_equal(p.commands[0].argc, 1);
    assert_null(parse(&line, 0, &p));
    assert_int_equal(p.count, 0);
}

static void quotes_and_status(void **state)
{
    (void)state;
    const char *line = "e 'a $? \\' \"b\\\" $?\" c\\ d '' x'y'\"z\" $? $x";
    assert_null(parse(&line, 42, &p));
    assert_int_equal(p.commands[0].argc, 8);
    word(0, 1, "a $? \\");
    word(0, 2, "b\" 42");
    word(0, 3, "c d");
    word(0, 4, "");
    word(0, 5, "xyz");
    word(0, 6, "42");
    word(0, 7, "$x");
}

static void input_of_the_first_command(void **state)
{
    (void)state;
    const char *line = "cat </etc/motd x | cat";
    assert_null(parse(&line, 0, &p));
    assert_string_equal(p.commands[0].input, "/etc/motd");
    assert_int_equal(p.commands[0].argc, 2);
}

static void mistakes_are_named(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "|",   "a |",       "a | | b",   ";",     "&",      "a > f",
        "a <", "a < b < c", "a | b < c", "'open", "\"open", "a|a|a|a|a|a|a|a|a",
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        const char *line = lines[i];
        assert_non_null(parse(&line, 0, &p));
    }
}

static void limits(void **state)
{
    (void)state;
    char line[3 * TEXT_MAX];
    const char *at = line;
    memset(line, 'x', sizeof(line));
    line[sizeof(line) - 1] = 0;
    assert_non_null(parse(&at, 0, &p));
    for (int i = 0; i < 2 * ARGS_MAX + 2; i++)
        line[i] = i % 2 ? ' ' : 'a';
    line[2 * ARGS_MAX + 2] = 0;
    at = line;
    assert_non_null(parse(&at, 0, &p));
    line[2 * ARGS_MAX] = 0;
    at = line;
    assert_null(parse(&at, 0, &p));
    assert_int_equal(p.commands[0].argc, ARGS_MAX);
    assert_null(p.commands[0].argv[ARGS_MAX]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(keys_insert_where_the_cursor_is, setup),
        cmocka_unit_test_setup(erasing, setup),
        cmocka_unit_test_setup(history_goes_up_and_down, setup),
        cmocka_unit_test_setup(history_keeps_the_newest, setup),
        cmocka_unit_test_setup(ends_of_a_line, setup),
        cmocka_unit_test_setup(a_full_line_takes_no_more, setup),
        cmocka_unit_test_setup(random_keys, setup),
        cmocka_unit_test(pipelines_one_at_a_time),
        cmocka_unit_test(quotes_and_status),
        cmocka_unit_test(input_of_the_first_command),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
