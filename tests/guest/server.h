/* A server thread that the tests of messages call. */
#ifndef TEST_SERVER_H
#define TEST_SERVER_H

#include <uinta/thread.h>
#include "child.h"

static handle_t ep;

static __attribute__((unused)) void fresh_endpoint(void)
{
    ep = MUST(sys_endpoint_create());
}

/* ---- a server thread ---------------------------------------------------- */

enum { ADD, BADGE, HANDLES, LATER, TURNS, QUIT };
static volatile uint64_t turns; /* of spin_until */

/* Answers in order until QUIT; every word of the answer depends on the call. */
static __attribute__((unused)) int64_t serve(void *arg)
{
    handle_t e = (handle_t)(uint64_t)arg;
    struct message m = {0};
    int64_t error = ipc_receive(e, &m);
    while (error >= 0) {
        uint64_t method = m.word[0];
        if (method == BADGE)
            m.word[1] = m.badge;
        if (method == TURNS)
            m.word[1] = turns;
        for (int i = 0; i < MESSAGE_WORDS; i++)
            if (method == ADD)
                m.word[i] += i + 1;
        if (method == QUIT)
            return ipc_reply(&m);
        m.give = method == HANDLES ? 15 : 0; /* back to the caller */
        error = ipc_reply_receive(e, &m);
    }
    return error;
}

static struct thread server;

static __attribute__((unused)) void start_server(int priority)
{
    fresh_endpoint();
    MUST(thread_start(&server, serve, (void *)(uint64_t)ep, priority));
}

static __attribute__((unused)) void stop_server(void)
{
    struct message m = {.word = {QUIT}};
    MUST(ipc_call(ep, &m));
    EXPECT(thread_join(&server), OK);
    MUST(sys_handle_close(ep));
}

/* Child that calls handle data[0] with words data[8..15], result to [16..]. */
static BLOB void caller(volatile uint64_t *data)
{
    register uint64_t a0 __asm__("a0") = data[0];
    register uint64_t a1 __asm__("a1") = data[1];
    register uint64_t a2 __asm__("a2") = data[8];
    register uint64_t a3 __asm__("a3") = data[9];
    register uint64_t a4 __asm__("a4") = data[10];
    register uint64_t a5 __asm__("a5") = data[11];
    register uint64_t a6 __asm__("a6") = data[12];
    register uint64_t a7 __asm__("a7") = SYS_ipc_call;
    register uint64_t t0 __asm__("t0") = data[13];
    register uint64_t t1 __asm__("t1") = data[14];
    register uint64_t t2 __asm__("t2") = data[15];
    __asm__ volatile("ecall"
                     : "+r"(a0), "+r"(a1), "+r"(a2), "+r"(a3), "+r"(a4),
                       "+r"(a5), "+r"(a6), "+r"(a7), "+r"(t0), "+r"(t1),
                       "+r"(t2)
                     :
                     : "t3", "t4", "t5", "t6", "memory");
    data[16] = a2;
    data[3] = a1;
    data[2] = a0;
    data[4] = 1;
    for (;;)
        blob_call(SYS_notification_wait, 0, 0, DEADLINE_NEVER, 0, 0, 0);
}

static __attribute__((unused)) void start_caller(struct child *c, uint64_t word,
                                                 int priority)
{
    child_make(c);
    c->data[0] = MUST(sys_process_give(c->process, ep, R_CALL | R_DUP));
    c->data[8] = word;
    child_run(c, caller, priority);
}

#endif
