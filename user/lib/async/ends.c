/* A stream to another process as a source and a sink of tasks. */
#include "abi/errors.h"
#include "uinta/async_stream.h"
#include "uinta/stream.h"

/*
 * Both ask to be rung before they say "nothing now", and look once more if
 * something has come meanwhile: stream_arm() says so.
 */
static int64_t look(struct byte_source *source, unsigned char **bytes)
{
    struct stream *s = task_of(source, struct stream_ends, source)->stream;
    for (;;) {
        int64_t n = ring_span(&s->in, bytes);
        if (n > 0 || n == E_PROTOCOL)
            return n;
        if (stream_over(s))
            return E_DEAD;
        if (!stream_arm(s, 1, 0))
            return 0;
    }
}

static void took(struct byte_source *source, uint64_t n)
{
    struct stream *s = task_of(source, struct stream_ends, source)->stream;
    ring_publish(&s->in, n);
    stream_kick(s);
}

static int64_t room(struct byte_sink *sink, unsigned char **place)
{
    struct stream *s = task_of(sink, struct stream_ends, sink)->stream;
    for (;;) {
        int64_t state = stream_state(s);
        if (state)
            return state < 0 ? state : E_DEAD;
        int64_t n = ring_span(&s->out, place);
        if (n)
            return n;
        if (!stream_arm(s, 0, 1))
            return 0;
    }
}

static void gave(struct byte_sink *sink, uint64_t n)
{
    struct stream *s = task_of(sink, struct stream_ends, sink)->stream;
    ring_publish(&s->out, n);
    stream_kick(s);
}

void stream_ends_init(struct stream_ends *e, struct stream *s)
{
    *e = (struct stream_ends){.source = {look, took, &e->event},
                              .sink = {room, gave, &e->event},
                              .stream = s};
}

void stream_ends_event(struct stream_ends *e, uint64_t events)
{
    stream_event(e->stream, events);
    async_wake(&e->event);
}
