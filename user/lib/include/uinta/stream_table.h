/*
 * The streams of a server with many clients: which place, and with it which
 * event bits, a new one gets, and who makes room before one is refused. The
 * server walks over stream[0..top) itself; who is there says stream_in_use().
 * One thread uses a table at a time.
 */
#ifndef UINTA_STREAM_TABLE_H
#define UINTA_STREAM_TABLE_H

#include "uinta/stream.h"

struct stream_table {
    struct stream *stream; /* of client 0, 1...; all zero at first */
    unsigned places;
    /* This one has left: close its stream if all it sent is read. */
    void (*left)(unsigned client);
    handle_t notification; /* bits 0 to `places` of it are the table's */
    unsigned top;          /* no client was ever at this index or above */
};

/*
 * stream_accept() for a client: its index; or an error, and the offered handles
 * are closed. E_LIMIT: every place is taken, even after `left` was called for
 * all who have left by now, whether or not the server has been told.
 */
int64_t stream_table_accept(struct stream_table *t,
                            const struct stream_offer *offer,
                            struct stream_offer *reply);

/* stream_event() for whom it may concern. True: some client has left. */
bool stream_table_event(struct stream_table *t, uint64_t events);

#endif
