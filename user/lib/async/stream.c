/* Joining sources to sinks, and lines as a source made of another. */
#include "uinta/async_stream.h"

#include <string.h>

static enum task_state forward(struct task *t)
{
    struct forward *f = task_of(t, struct forward, task);
    task_begin(t);
    for (;;) {
        task_await(t, f->from->event,
                   (f->there = f->from->look(f->from, &f->bytes)) != 0);
        if ((f->result = f->there) < 0)
            break;
        task_await(t, f->to->event,
                   (f->room = f->to->room(f->to, &f->place)) != 0);
        if ((f->result = f->room) < 0)
            break;
        /* Looked at again: what a wait was in between may have moved it. */
        f->there = f->from->look(f->from, &f->bytes);
        if (f->there <= 0)
            continue;
        int64_t n = f->there < f->room ? f->there : f->room;
        memcpy(f->place, f->bytes, n);
        f->from->took(f->from, n);
        f->to->gave(f->to, n);
        f->moved += n;
    }
    task_end(t);
}

bool async_forward(struct async *a, struct forward *f, struct byte_source *from,
                   struct byte_sink *to)
{
    *f = (struct forward){.from = from, .to = to};
    return async_start(a, &f->task, forward);
}

/* Take from below until there is a line, or nothing more to take. */
static void fill(struct lines *l)
{
    unsigned char *bytes;
    int64_t n = 0;
    while (!l->length && l->end >= 0 &&
           (n = l->from->look(l->from, &bytes)) > 0) {
        uint64_t room = LINE_MAX_BYTES - l->held;
        uint64_t take = (uint64_t)n < room ? (uint64_t)n : room;
        unsigned char *newline = memchr(bytes, '\n', take);
        if (newline)
            take = newline - bytes + 1;
        memcpy(l->bytes + l->held, bytes, take);
        l->from->took(l->from, take);
        l->held += take;
        if (newline || l->held == LINE_MAX_BYTES)
            l->length = l->held;
    }
    if (n < 0)
        l->end = n;
    if (l->end < 0 && !l->length)
        l->length = l->held;
}

static int64_t look(struct byte_source *s, unsigned char **bytes)
{
    struct lines *l = task_of(s, struct lines, source);
    fill(l);
    *bytes = l->bytes;
    return l->length ? (int64_t)l->length : l->end;
}

static void took(struct byte_source *s, uint64_t n)
{
    struct lines *l = task_of(s, struct lines, source);
    memmove(l->bytes, l->bytes + n, l->held - n);
    l->held -= n;
    l->length -= n;
}

void lines_init(struct lines *l, struct byte_source *from)
{
    *l = (struct lines){.source = {look, took, from->event}, .from = from};
}
