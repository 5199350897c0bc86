/*
 * Synchronous messages: eight words and up to four handles each way, all of
 * it in registers (docs/abi.md, "Messages"). Written by hand because the
 * register table is wider than a system call's. Handles in a message are
 * duplicated: the sender keeps its own. Any thread may call anything here.
 */
#ifndef UINTA_IPC_H
#define UINTA_IPC_H

#include <stdint.h>
#include <stdbool.h>
#include "abi/object.h"
#include "abi/errors.h"
#include "gen/syscalls.h"

struct message {
    uint64_t word[MESSAGE_WORDS]; /* 0: method, or result */
    union {
        uint16_t handle[MESSAGE_HANDLES]; /* 0 = none */
        uint64_t handles;                 /* all of them, as they travel */
    };
    uint64_t token; /* received: names the waiting caller, used once */
    uint64_t badge; /* received: of the handle called through */
    uint32_t give;  /* reply: bit i = close one's own handle[i] after sending */
};

/* What a server function returns when it will reply later by itself. */
#define IPC_LATER INT64_MIN

_Static_assert(HANDLES_MAX <= 1 << 16, "a handle fits 16 bits");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "lowest first");

/* What came in, from the registers of the table to the message. */
#define IPC_STORE(message)                             \
    ((message)->handles = a1, (message)->word[0] = a2, \
     (message)->word[1] = a3, (message)->word[2] = a4, \
     (message)->word[3] = a5, (message)->word[4] = a6, \
     (message)->word[5] = t0, (message)->word[6] = t1, \
     (message)->word[7] = t2)

/* Send and receive in one trap: a0 and t3 depend on the call. */
static inline __attribute__((always_inline)) int64_t
ipc_trap(uint64_t number, uint64_t a0_in, uint64_t t3_in,
         struct message *message)
{
    register uint64_t a0 __asm__("a0") = a0_in;
    register uint64_t a1 __asm__("a1") = message->handles;
    register uint64_t a2 __asm__("a2") = message->word[0];
    register uint64_t a3 __asm__("a3") = message->word[1];
    register uint64_t a4 __asm__("a4") = message->word[2];
    register uint64_t a5 __asm__("a5") = message->word[3];
    register uint64_t a6 __asm__("a6") = message->word[4];
    register uint64_t a7 __asm__("a7") = number;
    register uint64_t t0 __asm__("t0") = message->word[5];
    register uint64_t t1 __asm__("t1") = message->word[6];
    register uint64_t t2 __asm__("t2") = message->word[7];
    register uint64_t t3 __asm__("t3") = t3_in;
    register uint64_t t4 __asm__("t4");
    __asm__ volatile("ecall"
                     : "+r"(a0), "+r"(a1), "+r"(a2), "+r"(a3), "+r"(a4),
                       "+r"(a5), "+r"(a6), "+r"(a7), "+r"(t0), "+r"(t1),
                       "+r"(t2), "+r"(t3), "=r"(t4)
                     :
                     : "t5", "t6", "memory");
    IPC_STORE(message);
    message->token = t3;
    message->badge = t4;
    return (int64_t)a0;
}

/* Receive only. */
static inline __attribute__((always_inline)) int64_t
ipc_take(uint64_t number, handle_t endpoint, struct message *message)
{
    register uint64_t a0 __asm__("a0") = endpoint;
    register uint64_t a1 __asm__("a1");
    register uint64_t a2 __asm__("a2");
    register uint64_t a3 __asm__("a3");
    register uint64_t a4 __asm__("a4");
    register uint64_t a5 __asm__("a5");
    register uint64_t a6 __asm__("a6");
    register uint64_t a7 __asm__("a7") = number;
    register uint64_t t0 __asm__("t0");
    register uint64_t t1 __asm__("t1");
    register uint64_t t2 __asm__("t2");
    register uint64_t t3 __asm__("t3");
    register uint64_t t4 __asm__("t4");
    __asm__ volatile("ecall"
                     : "+r"(a0), "=r"(a1), "=r"(a2), "=r"(a3), "=r"(a4),
                       "=r"(a5), "=r"(a6), "+r"(a7), "=r"(t0), "=r"(t1),
                       "=r"(t2), "=r"(t3), "=r"(t4)
                     :
                     : "t5", "t6", "memory");
    IPC_STORE(message);
    if ((int64_t)a0 < 0)
        message->handles = 0;
    message->token = t3;
    message->badge = t4;
    message->give = 0;
    return (int64_t)a0;
}

/* Closes handle[keep..] and forgets them. */
static inline void message_close(struct message *message, int keep)
{
    for (int i = keep; i < MESSAGE_HANDLES; i++) {
        if (message->handle[i])
            sys_handle_close(message->handle[i]);
        message->handle[i] = 0;
    }
}

/* Makes the answer to a call that nobody here can serve. */
static inline void message_refuse(struct message *message, enum error why)
{
    message_close(message, 0);
    message->word[0] = (uint64_t)why;
}

/* The given handles have been sent, or never will be: close our own. */
static inline void message_gave(struct message *message)
{
    for (int i = 0; message->give; i++, message->give >>= 1)
        if ((message->give & 1) && message->handle[i])
            sys_handle_close(message->handle[i]);
}

/*
 * Sends words and handles, waits, and finds the answer's words and handles in
 * `message`. The handles now in it are the caller's to close. On an error the
 * words are undefined and there are no handles.
 */
static inline int64_t ipc_call(handle_t endpoint, struct message *message)
{
    int64_t result = ipc_trap(SYS_ipc_call, endpoint, 0, message);
    if (result < 0)
        message->handles = 0;
    return result;
}

/* Waits for a call. The handles in the message are the receiver's to close. */
static inline int64_t ipc_receive(handle_t endpoint, struct message *message)
{
    return ipc_take(SYS_ipc_receive, endpoint, message);
}

/* The same without waiting: E_AGAIN if nobody calls. */
static inline int64_t ipc_poll(handle_t endpoint, struct message *message)
{
    return ipc_take(SYS_ipc_poll, endpoint, message);
}

/*
 * Answers message->token and closes the handles named in message->give. An
 * answer that cannot be sent (a handle we do not have, the caller's table is
 * full) becomes an answer with the error: a caller is never left waiting. The
 * error is returned too; E_ARG: the caller is gone.
 */
static inline int64_t ipc_reply(struct message *message)
{
    struct message sent = *message;
    int64_t result = ipc_trap(SYS_ipc_reply, message->token, 0, &sent);
    if (result < 0 && result != E_ARG) {
        sent = (struct message){.word = {(uint64_t)result}};
        ipc_trap(SYS_ipc_reply, message->token, 0, &sent);
    }
    message_gave(message);
    return result;
}

/*
 * Answers one caller and waits for the next in one trap. A handle to give away
 * must not stay ours while we sleep (its peer watches for the last one), so
 * then it takes two.
 */
static inline int64_t ipc_reply_receive(handle_t endpoint,
                                        struct message *message)
{
    if (message->give) {
        ipc_reply(message);
        return ipc_receive(endpoint, message);
    }
    uint64_t token = message->token;
    int64_t result = ipc_trap(SYS_ipc_reply_receive, token, endpoint, message);
    if (result < 0) {
        *message = (struct message){.word = {(uint64_t)result}, .token = token};
        ipc_trap(SYS_ipc_reply, token, 0, message);
        return ipc_receive(endpoint, message);
    }
    return result;
}

/* Used by generated dispatchers: makes the reply in place. */
static inline void message_finish(struct message *message, int64_t result,
                                  const uint64_t out[MESSAGE_WORDS - 1])
{
    message->word[0] = (uint64_t)result; /* IPC_LATER too: the loop looks */
    for (int i = 1; i < MESSAGE_WORDS; i++)
        message->word[i] = out[i - 1];
    if (result >= 0)
        return;
    message_gave(message);
    message->handles = 0;
}

#endif
