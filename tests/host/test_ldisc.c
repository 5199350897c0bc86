/* link: user/servers/console/ldisc.c */
/*
 * Line discipline: what is typed, against what a program reads and what the
 * screen shows.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "abi/errors.h"
#include "user/servers/console/ldisc.h"

static struct ldisc l;
static unsigned interrupts;

static int setup(void **state)
{
    (void)state;
    ldisc_init(&l);
    return 0;
}

/* Type all of it; everything must be taken. */
static void type(const char *keys)
{
    size_t n = strlen(keys);
    assert_int_equal(ldisc_input(&l, (const void *)keys, n, &interrupts), n);
}

static void expect_read(const char *expected)
{
    unsigned char got[8192];
    int64_t n = ldisc_read(&l, got, sizeof(got));
    assert_int_equal(n, strlen(expected));
    assert_memory_equal(got, expected, n);
}

static void expect_screen(const char *expected)
{
    unsigned char got[LDISC_ECHO];
    size_t n = ldisc_echo(&l, got, sizeof(got));
    assert_int_equal(n, strlen(expected));
    assert_memory_equal(got, expected, n);
}

static void expect_nothing(void)
{
    unsigned char byte;
    assert_false(ldisc_readable(&l));
    assert_int_equal(ldisc_read(&l, &byte, 1), E_AGAIN);
}

static void a_line_is_read_after_enter(void **state)
{
    (void)state;
    type("hello");
    expect_nothing();
    expect_screen("hello");
    type("\r");
    expect_screen("\r\n");
    expect_read("hello\n");
    expect_nothing();
}

static void a_read_gets_one_line(void **state)
{
    (void)state;
    type("one\rtwo\r");
    expect_read("one\n");
    expect_read("two\n");
    expect_nothing();
}

static void a_short_read_leaves_the_rest(void **state)
{
    (void)state;
    unsigned char got[3];
    type("abcdef\r");
    assert_int_equal(ldisc_read(&l, got, 3), 3);
    assert_memory_equal(got, "abc", 3);
    expect_read("def\n");
    expect_nothing();
}

static void erase_takes_a_character(void **state)
{
    (void)state;
    type("ab\x7f\x08z\r");
    expect_screen("ab\b \b\b \bz\r\n");
    expect_read("z\n");
}

static void erase_at_the_start_does_nothing(void **state)
{
    (void)state;
    type("\x7f\x08\x15\x17");
    expect_screen("");
    type("a\r");
    expect_read("a\n");
}

static void erase_stops_at_the_line_given_before(void **state)
{
    (void)state;
    type("keep\r\x7f\x7f\x15x\r");
    expect_read("keep\n");
    expect_read("x\n");
}

static void kill_takes_the_line(void **state)
{
    (void)state;
    type("abc\x15"
         "d\r");
    expect_screen("abc\b \b\b \b\b \bd\r\n");
    expect_read("d\n");
}

static void word_erase_takes_blanks_and_a_word(void **state)
{
    (void)state;
    type("one two  \x17"
         "2\r");
    expect_read("one 2\n");
    type("one\x17\x17\r");
    expect_read("\n");
}

static void erase_takes_a_whole_utf8_character(void **state)
{
    (void)state;
    type("a\xc3\xa9\x7f\r"); /* e acute */
    expect_screen("a\xc3\xa9\b \b\r\n");
    expect_read("a\n");
    type("\xe2\x82\xac\xf0\x9f\x98\x80\x7f\r"); /* euro sign, a face */
    expect_read("\xe2\x82\xac\n");
}

static void erase_of_broken_utf8_stays_in_it(void **state)
{
    (void)state;
    type("a\x82\x82\x7f\r");
    expect_read("a\n");
    type("\x82\x7f\x7f"
         "b\r");
    expect_read("b\n");
}

static void controls_show_as_two_columns(void **state)
{
    (void)state;
    type("\x01\x1b\x7f\r");
    expect_screen("^A^[\b \b\b \b\r\n");
    expect_read("\x01\n");
}

static void tab_shows_as_one_column(void **state)
{
    (void)state;
    type("\ta\x7f\x7f\r");
    expect_screen(" a\b \b\b \b\r\n");
    expect_read("\n");
}

static void eof_at_the_start_is_read_once(void **state)
{
    (void)state;
    type("\x04");
    assert_true(ldisc_readable(&l));
    expect_read("");
    expect_nothing();
    expect_screen("");
}

static void eof_in_the_middle_gives_what_is_there(void **state)
{
    (void)state;
    type("abc\x04");
    expect_read("abc");
    expect_nothing();
    type("\x04");
    expect_read("");
}

static void a_mark_does_not_become_a_false_eof(void **state)
{
    (void)state;
    unsigned char got[3];
    type("abc\x04");
    assert_int_equal(ldisc_read(&l, got, 3), 3);
    expect_nothing();
}

static void interrupt_discards_and_is_counted(void **state)
{
    (void)state;
    type("done\rhalf\x03");
    assert_int_equal(interrupts, 1);
    expect_nothing();
    expect_screen("done\r\nhalf^C\r\n");
    type("\x03\x03x\r");
    assert_int_equal(interrupts, 2);
    expect_read("x\n");
    assert_int_equal(ldisc_input(&l, (const void *)"", 0, &interrupts), 0);
    assert_int_equal(interrupts, 0);
}

static void raw_gives_bytes_as_they_come(void **state)
{
    (void)state;
    ldisc_set_mode(&l, LDISC_RAW);
    type("a\r\x03\x04\x7f");
    assert_int_equal(interrupts, 0);
    expect_screen("");
    expect_read("a\r\x03\x04\x7f");
    expect_nothing();
}

static void raw_can_take_signals(void **state)
{
    (void)state;
    ldisc_set_mode(&l, LDISC_RAW | LDISC_SIGNALS);
    type("a\x03");
    assert_int_equal(interrupts, 1);
    expect_nothing();
}

static void without_echo_the_screen_stays(void **state)
{
    (void)state;
    ldisc_set_mode(&l, LDISC_COOKED & ~LDISC_ECHOING);
    type("secret\x7f\r");
    expect_screen("");
    expect_read("secre\n");
}

static void to_raw_the_line_becomes_readable(void **state)
{
    (void)state;
    type("part\x04"
         "more");
    ldisc_set_mode(&l, LDISC_RAW);
    expect_read("partmore");
    expect_nothing();
    ldisc_set_mode(&l, LDISC_COOKED);
    type("x\r");
    expect_read("x\n");
    expect_nothing();
}

static void to_canonical_raw_input_is_one_read(void **state)
{
    (void)state;
    ldisc_set_mode(&l, LDISC_RAW);
    type("one\ntwo");
    ldisc_set_mode(&l, LDISC_COOKED);
    expect_read("one\n");
    expect_read("two");
    expect_nothing();
    /* To and fro with nothing read in between leaves one mark. */
    ldisc_set_mode(&l, LDISC_RAW);
    type("x");
    for (int i = 0; i < 5000; i++)
        ldisc_set_mode(&l, i % 2 ? LDISC_RAW : LDISC_COOKED);
    ldisc_set_mode(&l, LDISC_COOKED);
    expect_read("x");
    expect_nothing();
}

static void a_line_too_long_rings_the_bell(void **state)
{
    (void)state;
    unsigned char screen[LDISC_ECHO];
    for (int i = 0; i < LDISC_LINE - 1; i++) {
        type("y");
        assert_int_equal(ldisc_echo(&l, screen, sizeof(screen)), 1);
    }
    type("zz");
    expect_screen("\a\a");
    type("\x7fq\r");
    unsigned char got[LDISC_LINE + 1];
    assert_int_equal(ldisc_read(&l, got, sizeof(got)), LDISC_LINE);
    assert_int_equal(got[LDISC_LINE - 2], 'q');
    assert_int_equal(got[LDISC_LINE - 1], '\n');
}

/* A slow reader stops the sender; nothing is lost, in lines and raw. */
static void back_pressure_loses_nothing(void **state)
{
    (void)state;
    static unsigned char in[100000], out[100000];
    for (int raw = 0; raw < 2; raw++) {
        ldisc_init(&l);
        if (raw)
            ldisc_set_mode(&l, LDISC_RAW);
        srandom(7);
        for (size_t i = 0; i < sizeof(in); i++)
            in[i] = i % 61 == 60 ? '\n' : "abcdefghijklmnop"[random() % 16];
        in[sizeof(in) - 1] = '\n';
        size_t sent = 0, got = 0, stalls = 0;
        while (got < sizeof(in)) {
            size_t n = random() % 700;
            if (n > sizeof(in) - sent)
                n = sizeof(in) - sent;
            size_t used = ldisc_input(&l, in + sent, n, &interrupts);
            assert_in_range(used, 0, n);
            stalls += used < n;
            sent += used;
            unsigned char screen[900];
            ldisc_echo(&l, screen, sizeof(screen));
            if (!ldisc_readable(&l))
                continue;
            int64_t r = ldisc_read(&l, out + got, 1 + random() % 80);
            assert_true(r > 0);
            got += r;
        }
        assert_memory_equal(in, out, sizeof(in));
        assert_int_equal(sent, sizeof(in));
        assert_true(stalls > 10);
    }
}

static void interrupt_gets_through_a_full_buffer(void **state)
{
    (void)state;
    unsigned char line[64];
    memset(line, 'x', 63);
    line[63] = '\n';
    size_t used;
    do {
        unsigned char screen[LDISC_ECHO];
        used = ldisc_input(&l, line, 64, &interrupts);
        ldisc_echo(&l, screen, sizeof(screen));
    } while (used == 64);
    assert_int_equal(ldisc_input(&l, line, 64, &interrupts), 0);
    const char *keys = "lost\x03kept\r";
    assert_int_equal(ldisc_input(&l, (const void *)keys, 10, &interrupts), 10);
    assert_int_equal(interrupts, 1);
    expect_read("kept\n");
    expect_nothing();
}

static void a_screen_nobody_reads_stops_keys_not_interrupts(void **state)
{
    (void)state;
    size_t typed = 0;
    while (ldisc_input(&l, (const void *)"\x01", 1, &interrupts) == 1) {
        assert_in_range(++typed, 1, LDISC_ECHO);
    }
    while (ldisc_input(&l, (const void *)"\x03", 1, &interrupts) == 1 &&
           typed++ < 3 * LDISC_ECHO)
        assert_int_equal(interrupts, 1);
    assert_true(typed >= 3 * LDISC_ECHO);
}

static void output_maps_newlines_whole(void **state)
{
    (void)state;
    unsigned char to[8];
    size_t used;
    const unsigned char *in = (const void *)"a\nb\n\n";
    assert_int_equal(ldisc_output(&l, in, 5, &used, to, 8), 8);
    assert_int_equal(used, 5);
    assert_memory_equal(to, "a\r\nb\r\n\r\n", 8);
    /* Room for half a pair: the pair stays for the next time. */
    assert_int_equal(ldisc_output(&l, in, 5, &used, to, 2), 1);
    assert_int_equal(used, 1);
    assert_int_equal(ldisc_output(&l, in, 5, &used, to, 0), 0);
    assert_int_equal(used, 0);
    ldisc_set_mode(&l, 0);
    assert_int_equal(ldisc_output(&l, in, 5, &used, to, 8), 5);
    assert_memory_equal(to, in, 5);
}

/* Any keys, any modes, any sizes: no queue goes over, ASan watching. */
static void random_keys_break_nothing(void **state)
{
    (void)state;
    static const unsigned char keys[] = "ab \t\r\n\x7f\x08\x15\x17\x04\x03"
                                        "\xc3\xa9\xe2\x82\xac\xff\x80";
    srandom(11);
    for (int i = 0; i < 200000; i++) {
        unsigned char in[40], out[64];
        size_t n = random() % sizeof(in);
        for (size_t k = 0; k < n; k++)
            in[k] = random() % 4 ? keys[random() % (sizeof(keys) - 1)]
                                 : (unsigned char)random();
        size_t used = ldisc_input(&l, in, n, &interrupts);
        assert_in_range(used, 0, n);
        if (random() % 3)
            ldisc_echo(&l, out, random() % sizeof(out));
        if (random() % 3) {
            bool readable = ldisc_readable(&l);
            int64_t got = ldisc_read(&l, out, 1 + random() % sizeof(out));
            assert_true(readable ? got >= 0 : got == E_AGAIN);
        }
        if (random() % 100 == 0)
            ldisc_set_mode(&l, random() % 32);
        assert_in_range(l.ready_tail - l.ready_head, 0, LDISC_READY);
        assert_in_range(l.echo_tail - l.echo_head, 0, LDISC_ECHO);
        assert_in_range(l.line_length, 0, LDISC_LINE - 1);
    }
}

#define TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_line_is_read_after_enter),
        TEST(a_read_gets_one_line),
        TEST(a_short_read_leaves_the_rest),
        TEST(erase_takes_a_character),
        TEST(erase_at_the_start_does_nothing),
        TEST(erase_stops_at_the_line_given_before),
        TEST(kill_takes_the_line),
        TEST(word_erase_takes_blanks_and_a_word),
        TEST(erase_takes_a_whole_utf8_character),
        TEST(erase_of_broken_utf8_stays_in_it),
        TEST(controls_show_as_two_columns),
        TEST(tab_shows_as_one_column),
        TEST(eof_at_the_start_is_read_once),
        TEST(eof_in_the_middle_gives_what_is_there),
        TEST(a_mark_does_not_become_a_false_eof),
        TEST(interrupt_discards_and_is_counted),
        TEST(raw_gives_bytes_as_they_come),
        TEST(raw_can_take_signals),
        TEST(without_echo_the_screen_stays),
        TEST(to_raw_the_line_becomes_readable),
        TEST(to_canonical_raw_input_is_one_read),
        TEST(a_line_too_long_rings_the_bell),
        TEST(back_pressure_loses_nothing),
        TEST(interrupt_gets_through_a_full_buffer),
        TEST(a_screen_nobody_reads_stops_keys_not_interrupts),
        TEST(output_maps_newlines_whole),
        TEST(random_keys_break_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
