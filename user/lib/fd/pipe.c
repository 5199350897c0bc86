/*
 * Pipes: a pipe_ring in a memory object, a notification for each end, and a
 * doorbell that each end holds of the other's. The last writer's end is the
 * last handle to the readers' doorbell: the kernel tells the readers
 * (EVENT_PEER_CLOSED), whatever way the writer ended. Likewise for readers.
 *
 * Handles of an end: memory, own notification, the other end's doorbell.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <uinta/clock.h>
#include <uinta/map.h>
#include <uinta/process.h>
#include "user/lib/fd/internal.h"
#include "user/lib/fd/pipe_ring.h"
#include "user/lib/fd/table.h"

enum { MEMORY, NOTIFICATION, DOORBELL };
enum { WAKE = 1 }; /* event bit; with EVENT_PEER_CLOSED when all are gone */

struct pipe_file {
    struct file file;
    struct mutex mapping;
    struct pipe_ring *ring; /* mapped at first use */
};

/*
 * A lock is held only while bytes are copied, never asleep. One that the same
 * process still has after this long was held by somebody who was killed.
 */
enum { NAP_NS = 1000000, STALE_NAPS = 1000 };

size_t pipe_file_size(void)
{
    return sizeof(struct pipe_file);
}

static struct pipe_ring *ring_of(struct pipe_file *f)
{
    mutex_lock(&f->mapping);
    if (!f->ring)
        f->ring = map_memory(f->file.handles[MEMORY], sizeof(*f->ring),
                             PROT_R | PROT_W);
    mutex_unlock(&f->mapping);
    return f->ring;
}

static void end_lock(uint32_t *lock)
{
    uint32_t self = startup_get()->pid, last = 0;
    for (unsigned naps = 0;; naps++) {
        uint32_t holder = 0;
        if (__atomic_compare_exchange_n(lock, &holder, self, false,
                                        __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            return;
        if (holder != last)
            naps = 0;
        last = holder;
        if (naps >= STALE_NAPS &&
            __atomic_compare_exchange_n(lock, &holder, self, false,
                                        __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            return;
        clock_sleep_ns(NAP_NS);
    }
}

static void end_unlock(uint32_t *lock)
{
    __atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}

/*
 * Sleep until the other end does something. Sets *gone when there is no other
 * end any more. Only one can wait for a notification: others take naps.
 */
static int64_t sleep_for(struct pipe_file *f, uint32_t *gone)
{
    int64_t events =
        sys_notification_wait(f->file.handles[NOTIFICATION],
                              WAKE | EVENT_PEER_CLOSED, DEADLINE_NEVER);
    if (events == E_BUSY) {
        clock_sleep_ns(NAP_NS);
        return OK;
    }
    if (events < 0)
        return events;
    if (events & EVENT_PEER_CLOSED)
        __atomic_store_n(gone, 1, __ATOMIC_SEQ_CST);
    return OK;
}

static int64_t pipe_file_read(struct file *file, void *to, size_t n)
{
    struct pipe_file *f = (struct pipe_file *)file;
    struct pipe_ring *p = ring_of(f);
    if (!p)
        return E_NOMEM;
    for (;;) {
        /* Before looking for bytes: what is there after "gone" is all. */
        bool last = __atomic_load_n(&p->writers_gone, __ATOMIC_SEQ_CST);
        end_lock(&p->read_lock);
        int64_t moved = pipe_take(p, to, n);
        end_unlock(&p->read_lock);
        if (moved > 0 && pipe_wake_writer(p))
            sys_doorbell_ring(file->handles[DOORBELL]);
        if (moved || last)
            return moved;
        if (file->flags & O_NONBLOCK)
            return E_AGAIN;
        int64_t error =
            pipe_reader_arm(p) ? OK : sleep_for(f, &p->writers_gone);
        if (error < 0)
            return error;
    }
}

static int64_t put(struct pipe_file *f, struct pipe_ring *p, const char *from,
                   size_t n)
{
    end_lock(&p->write_lock);
    int64_t moved = pipe_put(p, from, n);
    end_unlock(&p->write_lock);
    if (moved > 0 && pipe_wake_reader(p))
        sys_doorbell_ring(f->file.handles[DOORBELL]);
    return moved;
}

static int64_t pipe_file_write(struct file *file, const void *from, size_t n)
{
    struct pipe_file *f = (struct pipe_file *)file;
    struct pipe_ring *p = ring_of(f);
    size_t done = 0;
    int64_t error = p ? OK : E_NOMEM;
    while (error >= 0 && done < n) {
        int64_t moved = E_DEAD;
        if (!__atomic_load_n(&p->readers_gone, __ATOMIC_SEQ_CST))
            moved = put(f, p, (const char *)from + done, n - done);
        if (moved > 0)
            done += (size_t)moved;
        else if (moved < 0)
            error = moved;
        else if (file->flags & O_NONBLOCK)
            error = E_AGAIN;
        else if (!pipe_writer_arm(p, n - done))
            error = sleep_for(f, &p->readers_gone);
    }
    return done ? (int64_t)done : error;
}

static int64_t pipe_file_stat(struct file *file, struct stat *st)
{
    (void)file;
    st->st_mode = S_IFIFO | 0600;
    return OK;
}

static void pipe_file_close(struct file *file)
{
    struct pipe_file *f = (struct pipe_file *)file;
    if (f->ring)
        unmap_memory(f->ring, sizeof(*f->ring));
}

const struct file_kind file_kind_pipe_read = {
    .kind = FD_PIPE_READ,
    .read = pipe_file_read,
    .stat = pipe_file_stat,
    .close = pipe_file_close,
};

const struct file_kind file_kind_pipe_write = {
    .kind = FD_PIPE_WRITE,
    .write = pipe_file_write,
    .stat = pipe_file_stat,
    .close = pipe_file_close,
};

/* ---- making one ----------------------------------------------------------- */

static void close_handles(const handle_t h[4])
{
    for (int i = 0; i < 4; i++)
        if (h[i])
            sys_handle_close(h[i]);
}

/* The handles of both ends; on error none are left. */
static int64_t make_ends(handle_t reader[4], handle_t writer[4])
{
    int64_t h[6];
    h[0] = sys_memory_create(page_round(sizeof(struct pipe_ring)), 0);
    h[1] = h[0] < 0
               ? h[0]
               : sys_handle_dup((uint64_t)h[0], R_READ | R_WRITE | R_DUP, 0);
    h[2] = h[1] < 0 ? h[1] : sys_notification_create();
    h[3] = h[2] < 0 ? h[2] : sys_notification_create();
    h[4] = h[3] < 0 ? h[3] : sys_doorbell_create((uint64_t)h[3], WAKE);
    h[5] = h[4] < 0 ? h[4] : sys_doorbell_create((uint64_t)h[2], WAKE);
    if (h[5] < 0) {
        for (int i = 0; i < 6; i++)
            if (h[i] >= 0)
                sys_handle_close((uint64_t)h[i]);
        return h[5];
    }
    reader[MEMORY] = (handle_t)h[0];
    writer[MEMORY] = (handle_t)h[1];
    reader[NOTIFICATION] = (handle_t)h[2];
    writer[NOTIFICATION] = (handle_t)h[3];
    reader[DOORBELL] = (handle_t)h[4];
    writer[DOORBELL] = (handle_t)h[5];
    return OK;
}

int pipe(int fds[2])
{
    handle_t reader[4] = {0}, writer[4] = {0};
    int64_t error = make_ends(reader, writer);
    if (error < 0)
        return (int)error_set(error);
    struct file *r = file_new(&file_kind_pipe_read, O_RDONLY, reader, NULL);
    if (!r) {
        close_handles(writer);
        return (int)error_set(E_NOMEM);
    }
    struct file *w = file_new(&file_kind_pipe_write, O_WRONLY, writer, NULL);
    if (!w) {
        file_put(r);
        return (int)error_set(E_NOMEM);
    }
    int read_fd = fd_install(r, 0, false);
    if (read_fd < 0) {
        file_put(w);
        return (int)error_set(read_fd);
    }
    int write_fd = fd_install(w, 0, false);
    if (write_fd < 0) {
        fd_remove(read_fd);
        return (int)error_set(write_fd);
    }
    fds[0] = read_fd;
    fds[1] = write_fd;
    return 0;
}
