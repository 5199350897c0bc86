/*
 * Descriptors on a stream server (the console): connected at the first byte,
 * reading and writing each by a stream of its own, so that a thread that waits
 * for input does not keep others from writing. When the server has died the
 * stream is opened again at the same endpoint, whose next owner answers.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <uinta/clock.h>
#include <uinta/stream.h>
#include "user/lib/fd/internal.h"

struct direction {
    struct mutex lock;
    bool open;
    struct stream stream;
};

struct stream_file {
    struct file file;
    struct direction in, out;
};

enum { DRAIN_NS = 2000000000 };

static const uint64_t SIZE_IN = STREAM_SIZE_MIN, SIZE_OUT = STREAM_SIZE_DEFAULT;

size_t stream_file_size(void)
{
    return sizeof(struct stream_file);
}

static int64_t connect(struct stream_file *f, struct direction *d,
                       uint64_t size)
{
    if (d->open)
        return OK;
    int64_t error =
        stream_open(&d->stream, f->file.handles[0], 0, 0, 0, size, 0);
    d->open = error >= 0;
    return error;
}

/* After a failure: true if there is a new connection to try on. */
static bool revive(struct stream_file *f, struct direction *d, int64_t error)
{
    return (error == E_DEAD || error == E_PROTOCOL) &&
           stream_reopen(&d->stream, f->file.handles[0]) >= 0;
}

static int64_t stream_file_read(struct file *file, void *to, size_t n)
{
    struct stream_file *f = (struct stream_file *)file;
    mutex_lock(&f->in.lock);
    int64_t result = connect(f, &f->in, SIZE_IN);
    while (result >= 0) {
        result = file->flags & O_NONBLOCK
                     ? stream_try_read(&f->in.stream, to, n)
                     : stream_read(&f->in.stream, to, n, DEADLINE_NEVER);
        if (result >= 0 || !revive(f, &f->in, result))
            break;
        result = OK;
    }
    /* End of file (^D) is the end of one stream: a terminal goes on. */
    if (result == 0 && n) {
        stream_close(&f->in.stream);
        f->in.open = false;
    }
    mutex_unlock(&f->in.lock);
    return result;
}

static int64_t stream_file_write(struct file *file, const void *from, size_t n)
{
    struct stream_file *f = (struct stream_file *)file;
    const char *at = from;
    size_t left = n;
    mutex_lock(&f->out.lock);
    int64_t result = connect(f, &f->out, SIZE_OUT);
    while (result >= 0 && left) {
        result = file->flags & O_NONBLOCK
                     ? stream_try_write(&f->out.stream, at, left)
                     : stream_write(&f->out.stream, at, left, DEADLINE_NEVER);
        if (result >= 0) {
            at += result;
            left -= (size_t)result;
            if (file->flags & O_NONBLOCK)
                break;
        } else if (revive(f, &f->out, result)) {
            result = OK;
        }
    }
    /* Died at the last bell: what it did not read is for the next one. */
    if (result >= 0 && stream_state(&f->out.stream) == E_DEAD)
        revive(f, &f->out, E_DEAD);
    mutex_unlock(&f->out.lock);
    return left < n ? (int64_t)(n - left) : result;
}

static int64_t stream_file_stat(struct file *file, struct stat *st)
{
    (void)file;
    st->st_mode = S_IFCHR | 0666;
    return OK;
}

/*
 * Until the server has taken everything: else a parent that hears of our end
 * could write before our last line appears.
 */
static void stream_file_drain(struct file *file)
{
    struct stream_file *f = (struct stream_file *)file;
    struct stream *s = &f->out.stream;
    uint64_t deadline = clock_deadline(DRAIN_NS);
    if (!f->out.open || !mutex_try(&f->out.lock))
        return;
    while (stream_state(s) == 0 && !stream_arm(s, 0, s->out.capacity)) {
        int64_t events = sys_notification_wait(
            s->notification, s->bell_bits | s->life_bits, deadline);
        if (events < 0)
            break;
        stream_event(s, (uint64_t)events);
    }
    mutex_unlock(&f->out.lock);
}

static void stream_file_close(struct file *file)
{
    struct stream_file *f = (struct stream_file *)file;
    stream_file_drain(file);
    if (f->in.open)
        stream_close(&f->in.stream);
    if (f->out.open)
        stream_close(&f->out.stream);
}

const struct file_kind file_kind_stream = {
    .kind = FD_STREAM,
    .read = stream_file_read,
    .write = stream_file_write,
    .stat = stream_file_stat,
    .drain = stream_file_drain,
    .close = stream_file_close,
};
