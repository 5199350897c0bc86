/* link: user/lib/async/async.c user/lib/async/stream.c */
/*
 * The executor and what composes on it: no wake is lost, none counts twice,
 * nobody starves, lines come out whole however the bytes came in.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "user/lib/include/uinta/async_stream.h"

static struct async executor;

static int setup(void **state)
{
    (void)state;
    memset(&executor, 0, sizeof(executor));
    return 0;
}

struct counter {
    struct task task;
    struct event event;
    unsigned tokens, taken, resumed;
    bool wake_inside; /* the condition becomes true while it is looked at */
};

static bool take(struct counter *c)
{
    c->resumed++;
    if (!c->tokens && c->wake_inside) {
        /* an interrupt between look and sleep */
        c->wake_inside = false;
        c->tokens = 1;
        async_wake(&c->event);
        return false;
    }
    if (!c->tokens)
        return false;
    c->tokens--;
    return true;
}

static enum task_state count(struct task *t)
{
    struct counter *c = task_of(t, struct counter, task);
    task_begin(t);
    while (c->taken < 5) {
        task_await(t, &c->event, take(c));
        c->taken++;
    }
    task_end(t);
}

static void waits_until_woken(void **state)
{
    (void)state;
    struct counter c = {0};
    assert_true(async_start(&executor, &c.task, count));
    assert_true(async_run(&executor));
    assert_int_equal(c.taken, 0);
    assert_false(async_run(&executor)); /* nobody woke it */
    c.tokens = 2;
    async_wake(&c.event);
    async_wake(&c.event); /* woken twice, in the list once */
    assert_true(async_run(&executor));
    assert_int_equal(c.taken, 2);
    assert_false(async_run(&executor));
}

static void wake_between_look_and_sleep_is_not_lost(void **state)
{
    (void)state;
    struct counter c = {.wake_inside = true};
    async_start(&executor, &c.task, count);
    async_run(&executor);
    assert_int_equal(c.taken, 1);
}

static void wake_after_entering_is_not_lost(void **state)
{
    (void)state;
    struct counter c = {0};
    async_start(&executor, &c.task, count);
    for (unsigned i = 1; i <= 4; i++) {
        async_run(&executor);
        c.wake_inside = true;
        async_wake(&c.event);
        async_run(&executor);
        assert_int_equal(c.taken, i);
    }
}

static void an_ended_task_is_not_run_and_its_slot_is_free(void **state)
{
    (void)state;
    struct counter c = {.tokens = 5};
    async_start(&executor, &c.task, count);
    async_run(&executor);
    assert_int_equal(c.taken, 5);
    assert_int_equal(executor.used, 0);
    unsigned resumed = c.resumed;
    executor.ready = 1; /* a wake that came late */
    async_run(&executor);
    assert_int_equal(c.resumed, resumed);
    c.taken = 0;
    assert_true(async_start(&executor, &c.task, count));
}

static void slots_are_bounded(void **state)
{
    (void)state;
    static struct counter many[ASYNC_TASKS + 1];
    memset(many, 0, sizeof(many));
    for (unsigned i = 0; i < ASYNC_TASKS; i++)
        assert_true(async_start(&executor, &many[i].task, count));
    assert_false(async_start(&executor, &many[ASYNC_TASKS].task, count));
    async_run(&executor);
    for (unsigned i = 0; i < ASYNC_TASKS; i++)
        assert_true(many[i].resumed > 0);
}

/* One event, several that wait for it: all look again. */
static void all_waiters_are_woken(void **state)
{
    (void)state;
    static struct event shared;
    struct counter a = {0}, b = {0};
    async_start(&executor, &a.task, count);
    async_start(&executor, &b.task, count);
    async_run(&executor);
    shared.executor = &executor;
    shared.waiting = a.event.waiting | b.event.waiting;
    a.tokens = b.tokens = 1;
    async_wake(&shared);
    async_run(&executor);
    assert_int_equal(a.taken + b.taken, 2);
}

/* Bytes of a text, as many at once as `step`, the rest after `open`. */
struct text {
    struct byte_source source;
    struct event event;
    const char *bytes;
    uint64_t left, step, open;
};

static int64_t text_look(struct byte_source *s, unsigned char **bytes)
{
    struct text *t = task_of(s, struct text, source);
    *bytes = (unsigned char *)t->bytes;
    if (!t->left)
        return -1;
    uint64_t n = t->left < t->step ? t->left : t->step;
    return n < t->open ? n : t->open;
}

static void text_took(struct byte_source *s, uint64_t n)
{
    struct text *t = task_of(s, struct text, source);
    t->bytes += n, t->left -= n, t->open -= n;
}

struct page {
    struct byte_sink sink;
    struct event event;
    unsigned char bytes[2048];
    uint64_t used, room, pieces;
    bool lines; /* each piece must end a line */
};

static int64_t page_room(struct byte_sink *s, unsigned char **bytes)
{
    struct page *p = task_of(s, struct page, sink);
    *bytes = p->bytes + p->used;
    return p->room;
}

static void page_gave(struct byte_sink *s, uint64_t n)
{
    struct page *p = task_of(s, struct page, sink);
    p->used += n, p->room -= n, p->pieces++;
    if (p->lines)
        assert_int_equal(p->bytes[p->used - 1], '\n');
}

static void lines_come_out_whole(void **state)
{
    static const char text[] = "one\n\ntwo and a half\nthree\n";
    for (uint64_t step = 1; step <= sizeof(text); step++) {
        setup(state);
        struct text t = {.source = {text_look, text_took, &t.event},
                         .bytes = text,
                         .left = strlen(text),
                         .step = step};
        struct page p = {.sink = {page_room, page_gave, &p.event},
                         .room = sizeof(p.bytes),
                         .lines = true};
        struct lines l;
        struct forward f;
        lines_init(&l, &t.source);
        async_forward(&executor, &f, &l.source, &p.sink);
        async_run(&executor);
        assert_int_equal(p.used, 0);
        while (t.left) { /* byte by byte, as from a wire */
            t.open++;
            async_wake(&t.event);
            async_run(&executor);
        }
        async_wake(&t.event);
        async_run(&executor);
        assert_int_equal(p.used, strlen(text));
        assert_int_equal(p.pieces, 4);
        assert_memory_equal(p.bytes, text, p.used);
        assert_int_equal(f.result, -1);
        assert_int_equal(executor.used, 0); /* the task has ended */
    }
}

static void a_full_sink_holds_the_source(void **state)
{
    (void)state;
    static const char text[] = "0123456789";
    struct text t = {.source = {text_look, text_took, &t.event},
                     .bytes = text,
                     .left = 10,
                     .step = 10,
                     .open = 10};
    struct page p = {.sink = {page_room, page_gave, &p.event}};
    struct forward f;
    async_forward(&executor, &f, &t.source, &p.sink);
    for (uint64_t i = 0; i < 10; i++) {
        async_run(&executor);
        assert_int_equal(p.used, i);
        assert_int_equal(t.left, 10 - i);
        p.room = 1;
        async_wake(&p.event);
    }
    async_run(&executor);
    assert_memory_equal(p.bytes, text, 10);
}

static void long_lines_come_in_pieces_and_the_last_without_end(void **state)
{
    (void)state;
    static char text[LINE_MAX_BYTES + 10];
    memset(text, 'x', sizeof(text));
    struct text t = {.source = {text_look, text_took, &t.event},
                     .bytes = text,
                     .left = sizeof(text),
                     .step = 100,
                     .open = sizeof(text)};
    struct page p = {.sink = {page_room, page_gave, &p.event},
                     .room = sizeof(p.bytes)};
    struct lines l;
    struct forward f;
    lines_init(&l, &t.source);
    async_forward(&executor, &f, &l.source, &p.sink);
    async_run(&executor);
    assert_int_equal(p.used, sizeof(text));
    assert_int_equal(p.pieces, 2);
    assert_int_equal(f.result, -1);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(waits_until_woken),
        TEST(wake_between_look_and_sleep_is_not_lost),
        TEST(wake_after_entering_is_not_lost),
        TEST(an_ended_task_is_not_run_and_its_slot_is_free),
        TEST(slots_are_bounded),
        TEST(all_waiters_are_woken),
        TEST(lines_come_out_whole),
        TEST(a_full_sink_holds_the_source),
        TEST(long_lines_come_in_pieces_and_the_last_without_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
