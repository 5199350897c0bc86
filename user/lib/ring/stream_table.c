/* Places for the streams of a server. The contract is uinta/stream_table.h. */
#include "uinta/stream_table.h"
#include "gen/syscalls.h"

/* All ring bit 0; the ends of client 0, 1... are the bits above it. */
static uint64_t ends(const struct stream_table *t)
{
    return (2UL << t->places) - 2;
}

bool stream_table_event(struct stream_table *t, uint64_t events)
{
    if (!(events & ends(t)))
        return false;
    for (unsigned i = 0; i < t->top; i++) /* closed ones too: their bits */
        stream_event(&t->stream[i], events);
    return true;
}

static int64_t free_place(const struct stream_table *t)
{
    for (unsigned i = 0; i < t->places; i++)
        if (!stream_in_use(&t->stream[i]) && stream_bits_free(&t->stream[i]))
            return i;
    return E_LIMIT;
}

static void make_room(struct stream_table *t)
{
    int64_t events = sys_notification_poll(t->notification, ends(t));
    stream_table_event(t, events < 0 ? 0 : events);
    for (unsigned i = 0; i < t->top; i++)
        if (stream_in_use(&t->stream[i]) && t->stream[i].dead)
            t->left(i);
}

int64_t stream_table_accept(struct stream_table *t,
                            const struct stream_offer *offer,
                            struct stream_offer *reply)
{
    int64_t i = free_place(t);
    if (i < 0) {
        make_room(t);
        i = free_place(t);
    }
    if (i < 0) {
        sys_handle_close(offer->memory);
        sys_handle_close(offer->bell);
        sys_handle_close(offer->life);
        return i;
    }
    if (t->top <= i)
        t->top = i + 1;
    int64_t error = stream_accept(&t->stream[i], offer, t->notification, 1,
                                  2UL << i, reply);
    return error < 0 ? error : i;
}
