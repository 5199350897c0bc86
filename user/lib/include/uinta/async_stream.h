/*
 * Bytes for tasks: a source has some to look at, a sink has room for some. A
 * source made of another (lines, below) is a source like any other, so they
 * compose; forward() is the task that joins a source to a sink.
 *
 * look and room never wait: 0 = nothing now, and `event` is woken when that may
 * have changed; negative = the end or an error, for good.
 */
#ifndef UINTA_ASYNC_STREAM_H
#define UINTA_ASYNC_STREAM_H

#include "uinta/async.h"

struct byte_source {
    int64_t (*look)(struct byte_source *, unsigned char **bytes);
    void (*took)(struct byte_source *, uint64_t n); /* at most what look said */
    struct event *event;
};

struct byte_sink {
    int64_t (*room)(struct byte_sink *, unsigned char **bytes);
    void (*gave)(struct byte_sink *, uint64_t n);
    struct event *event;
};

/* Moves everything, until one of them ends: `result` says how. */
struct forward {
    struct task task;
    struct byte_source *from;
    struct byte_sink *to;
    unsigned char *bytes, *place;
    int64_t there, room, result;
    uint64_t moved;
};

bool async_forward(struct async *a, struct forward *f, struct byte_source *from,
                   struct byte_sink *to);

enum { LINE_MAX_BYTES = 256 };

/*
 * A source of whole lines: look says nothing until a line end is there, then
 * one line with it. Longer ones come in pieces of LINE_MAX_BYTES; what is left
 * when the source ends is the last line.
 */
struct lines {
    struct byte_source source;
    struct byte_source *from;
    unsigned char bytes[LINE_MAX_BYTES];
    uint64_t held;   /* bytes in the buffer */
    uint64_t length; /* of the line at its beginning, 0 = none yet */
    int64_t end;     /* what the source said last */
};

void lines_init(struct lines *l, struct byte_source *from);

struct stream;

/*
 * A stream to another process (uinta/stream.h) for tasks: `source` is what
 * comes from it, `sink` what goes to it. Whoever runs the executor sleeps when
 * it has nothing more to do, on the stream's notification, and passes on what
 * that says:
 *
 *     for (;;) {
 *         async_run(&executor);
 *         stream_ends_event(&e, sys_notification_wait(...));
 *     }
 *
 * Not for a stream that was answered STREAM_ON_DEMAND (a console's).
 */
struct stream_ends {
    struct byte_source source;
    struct byte_sink sink;
    struct event event;
    struct stream *stream;
};

void stream_ends_init(struct stream_ends *e, struct stream *s);
void stream_ends_event(struct stream_ends *e, uint64_t events);

#endif
