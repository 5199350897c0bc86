/*
 * Clients that break the rules of a stream, against the console and the UART
 * server: the one that lies is thrown out and named in the log, the others go
 * on (this program's own output among them), and the servers stay alive.
 */
#include <uinta/fd.h>
#include <uinta/stream.h>
#include "gen/console_client.h"
#include "gen/stream_client.h"
#include "guest.h"

enum { ROUNDS = 40, LIE = 16, CLIENTS = 60, PATIENCE = 10000 /* ms */ };

/* The endpoint our own standard output was connected through. */
static handle_t console_endpoint(void)
{
    const struct startup *s = startup_get();
    for (uint32_t i = 0; i < s->fd_count; i++)
        if (s->fds[i].fd == 1 && s->fds[i].kind == FD_STREAM)
            return s->fds[i].handles[0];
    SKIP("standard output is not a stream");
}

/* Who writes to the UART beside the console waits till our words are out. */
static handle_t endpoint_of(int server)
{
    if (!server)
        return console_endpoint();
    MUST(console_drain(console_endpoint()));
    return MUST(service_lookup("uart", 0));
}

static uint64_t pid_of(const char *name)
{
    struct process_info info;
    for (uint64_t i = 0; sys_system_info(test_system, INFO_PROCESS, i,
                                         (uint64_t)&info, sizeof(info)) >= 0;
         i++)
        if (!strncmp(info.name, name, NAME_SIZE) &&
            info.status.reason == EXIT_RUNNING)
            return info.pid;
    FAIL("no process %s", name);
}

/* Whatever of a liar's ring is shown is an empty line. */
static void open_liar(struct stream *s, handle_t endpoint)
{
    MUST(stream_open(s, endpoint, 0, 0, 0, STREAM_SIZE_MIN, 0));
    memset(s->out.data, '\n', s->out.capacity);
}

static bool is_dead(struct stream *s)
{
    int64_t events = sys_notification_poll(s->notification, s->life_bits);
    if (events > 0)
        stream_event(s, events);
    return s->dead;
}

/* Reads the log from `*from` on, and moves that to its end. */
static bool log_names_a_liar(uint64_t *from, const char *server)
{
    static struct {
        uint64_t next;
        char text[401];
    } part;
    bool named = false;
    while (MUST(sys_system_log_read(test_system, *from, (uint64_t)&part,
                                    sizeof(part) - 1)) > 0) {
        named |=
            strstr(part.text, server) && strstr(part.text, " broke its ring\n");
        memset(part.text, 0, sizeof(part.text));
        *from = part.next;
    }
    return named;
}

/* It is thrown out, and nobody else notices. */
static void expect_thrown_out(struct stream *liar, handle_t endpoint)
{
    struct stream honest;
    sys_doorbell_ring(liar->bell);
    CHECK(EVENTUALLY(is_dead(liar), PATIENCE));
    stream_close(liar);
    MUST(stream_open(&honest, endpoint, 0, 0, 0, STREAM_SIZE_MIN, 0));
    EXPECT(stream_write(&honest, "\n", 1, clock_deadline(PATIENCE * MS)), 1);
    CHECK(EVENTUALLY(ring_available(&honest.out, ~0UL) ==
                         (int64_t)honest.out.capacity,
                     PATIENCE));
    CHECK(!is_dead(&honest));
    stream_close(&honest);
}

TEST(impossible_indices_end_the_stream)
{
    static const uint64_t lies[] = {1UL << 40, ~0UL, 1UL << 63, 100000, 1025};
    uint64_t console = pid_of("console"), uart = pid_of("uart");
    for (int server = 0; server < 2; server++)
        for (unsigned i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
            static uint64_t log_end;
            struct stream s;
            handle_t endpoint = endpoint_of(server);
            log_names_a_liar(&log_end, "");
            open_liar(&s, endpoint);
            __atomic_store_n(&s.out.shared->index[RING_PRODUCER].value, lies[i],
                             __ATOMIC_SEQ_CST);
            expect_thrown_out(&s, endpoint);
            CHECK(log_names_a_liar(&log_end, server ? "uart: client "
                                                    : "console: client "));
        }
    EXPECT(pid_of("console"), console);
    EXPECT(pid_of("uart"), uart);
}

/* Backwards: first something true, then less of it. */
TEST(an_index_that_goes_back_ends_the_stream)
{
    for (int server = 0; server < 2; server++) {
        struct stream s;
        handle_t endpoint = endpoint_of(server);
        open_liar(&s, endpoint);
        EXPECT(stream_write(&s, "\n\n", 2, clock_deadline(PATIENCE * MS)), 2);
        CHECK(EVENTUALLY(
            ring_available(&s.out, ~0UL) == (int64_t)s.out.capacity, PATIENCE));
        __atomic_store_n(&s.out.shared->index[RING_PRODUCER].value, 1,
                         __ATOMIC_SEQ_CST);
        expect_thrown_out(&s, endpoint);
    }
}

/* A claim that is possible but untrue moves what happens to be there. */
TEST(an_untrue_index_costs_only_its_owner)
{
    struct stream s;
    open_liar(&s, endpoint_of(1));
    __atomic_store_n(&s.out.shared->index[RING_PRODUCER].value, LIE,
                     __ATOMIC_SEQ_CST);
    sys_doorbell_ring(s.bell);
    CHECK(EVENTUALLY(__atomic_load_n(&s.out.shared->index[RING_CONSUMER].value,
                                     __ATOMIC_SEQ_CST) == LIE,
                     PATIENCE));
    stream_close(&s);
}

/* Everything shared is overwritten at random while the bell rings. */
TEST(scribbling_harms_nobody)
{
    uint64_t random = 88172645463325252;
    uint64_t console = pid_of("console"), uart = pid_of("uart");
    for (int round = 0; round < ROUNDS; round++) {
        struct stream s;
        handle_t endpoint = endpoint_of(round % 2);
        open_liar(&s, endpoint);
        unsigned char *bytes = s.map;
        for (int i = 0; i < 50; i++) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            bytes[(random >> 8) % STREAM_HEADER] = random >> 32;
            sys_doorbell_ring(s.bell);
        }
        stream_close(&s);
    }
    EXPECT(pid_of("console"), console);
    EXPECT(pid_of("uart"), uart);
}

/* What a connect can carry that is no offer: refused by name. */
TEST(bad_offers_are_refused)
{
    handle_t n = MUST(sys_notification_create());
    handle_t d = MUST(sys_doorbell_create(n, 1));
    handle_t page = MUST(sys_memory_create(PAGE_SIZE, 0));
    handle_t read_only = MUST(sys_handle_dup(page, R_READ | R_DUP, 0));
    handle_t huge = MUST(sys_memory_create(STREAM_SIZE_MAX + PAGE_SIZE, 0));
    handle_t silent = MUST(sys_handle_dup(d, R_DUP, 0));
    const struct {
        handle_t memory, bell, life;
        int64_t error;
    } bad[] = {
        {0, 0, 0, E_BADHANDLE},      {page, 0, d, E_BADHANDLE},
        {page, d, 0, E_BADHANDLE},   {d, d, d, E_TYPE},
        {page, page, d, E_TYPE},     {page, d, n, E_TYPE},
        {read_only, d, d, E_RIGHTS}, {page, silent, d, E_RIGHTS},
        {huge, d, d, E_ARG},         {page, d, d, E_PROTOCOL}, /* no ring */
    };
    for (int server = 0; server < 2; server++)
        for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
            uint64_t answer;
            handle_t bell, life, session;
            EXPECT(stream_connect(endpoint_of(server), 0, bad[i].memory,
                                  bad[i].bell, bad[i].life, &answer, &bell,
                                  &life, &session),
                   bad[i].error);
        }
    sys_handle_close(silent);
    sys_handle_close(huge);
    sys_handle_close(read_only);
    sys_handle_close(page);
    sys_handle_close(d);
    sys_handle_close(n);
}

/* ... and what came with them is not kept: the doorbell's last handle goes. */
TEST(unknown_methods_are_refused)
{
    const handle_t servers[] = {endpoint_of(0), endpoint_of(1),
                                MUST(service_lookup("fs", 0)),
                                startup_handle("name")};
    for (unsigned i = 0; i < sizeof(servers) / sizeof(servers[0]); i++) {
        handle_t n = MUST(sys_notification_create());
        handle_t d = MUST(sys_doorbell_create(n, 1));
        struct message m = {.word = {12345}, .handle = {d}};
        MUST(ipc_call(servers[i], &m));
        EXPECT((int64_t)m.word[0], E_NOSYS);
        EXPECT(m.handles, 0);
        MUST(sys_handle_close(d));
        EXPECT(sys_notification_wait(n, 1, clock_deadline(PATIENCE * MS)), 1);
        MUST(sys_handle_close(n));
    }
}

/*
 * More clients than there is room for: an error, and at once room for as many
 * when they leave, whether or not the server has looked since.
 */
TEST(too_many_clients_are_refused)
{
    static struct stream s[CLIENTS];
    for (int server = 0; server < 2; server++) {
        handle_t endpoint = endpoint_of(server);
        int room = 0;
        for (int round = 0; round < ROUNDS; round++) {
            int64_t result = OK;
            int n = 0;
            for (; n < CLIENTS && result >= 0; n++)
                result =
                    stream_open(&s[n], endpoint, 0, 0, 0, STREAM_SIZE_MIN, 0);
            EXPECT(result, E_LIMIT);
            room = round ? room : n;
            EXPECT(n, room);
            while (--n > 0)
                stream_close(&s[n - 1]);
        }
    }
}

/* Hung up and connected again at once: no stream inherits another's death. */
TEST(quick_reconnects_stay_alive)
{
    for (int round = 0; round < ROUNDS; round++) {
        struct stream s;
        char byte;
        MUST(stream_open(&s, endpoint_of(round % 2), 0, 0, 0, STREAM_SIZE_MIN,
                         0));
        EXPECT(stream_read(&s, &byte, 1, clock_ticks()), E_TIMEDOUT);
        stream_close(&s);
    }
}

TEST_MAIN
