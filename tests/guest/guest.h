/*
 * What every guest test shares. A test program is a list of TEST(name) { ... };
 * each prints one line `ok NAME`, `FAIL NAME: why` or `skip NAME: why`, the
 * program ends with `done N ok, M failed`. tests/harness reads these lines and
 * finds the names in the source, so that a case which never reports counts as
 * failed. With arguments only the named cases run, and
 * `-n COUNT` in front of them runs each so many times.
 *
 * A case that takes too long is ended by a watchdog thread together with the
 * program: then all the cases after it fail as well, which is meant.
 */
#ifndef TEST_GUEST_H
#define TEST_GUEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uinta/clock.h>
#include <uinta/ipc.h>
#include <uinta/map.h>
#include <uinta/process.h>
#include "abi/errors.h"
#include "abi/info.h"
#include "abi/layout.h"
#include "abi/uintr.h"
#include "gen/syscalls.h"

#define MS 1000000UL /* ns */

enum { HUNG_STATUS = 97, CASE_SECONDS = 30 };

struct test_case {
    const char *name;
    void (*run)(void);
    struct test_case *next;
};

static struct test_case *test_first, **test_last = &test_first;
static const char *volatile test_name;
static volatile uint64_t test_deadline = DEADLINE_NEVER;
static char test_why[256];
static jmp_buf test_end;
static handle_t test_system;

#define TEST(name)                                                 \
    static void name(void);                                        \
    static struct test_case case_##name = {#name, name, NULL};     \
    __attribute__((constructor)) static void register_##name(void) \
    {                                                              \
        *test_last = &case_##name;                                 \
        test_last = &case_##name.next;                             \
    }                                                              \
    static void name(void)

enum { ENDED_OK, ENDED_FAILED, ENDED_SKIPPED };

/* Ends the case. Only in the program's first thread. */
static _Noreturn __attribute__((format(printf, 2, 3), unused)) void
test_leave(int how, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(test_why, sizeof(test_why), format, arguments);
    va_end(arguments);
    longjmp(test_end, how);
}

#define FAIL(...) test_leave(ENDED_FAILED, __VA_ARGS__)
#define SKIP(...) test_leave(ENDED_SKIPPED, __VA_ARGS__)

#define CHECK(condition)                                   \
    do {                                                   \
        if (!(condition))                                  \
            FAIL("line %d: not %s", __LINE__, #condition); \
    } while (0)

static const char *value_text(int64_t value)
{
    static char text[4][40];
    static int turn;
    char *out = text[turn++ % 4];
    if (value < 0 && value >= -20)
        snprintf(out, sizeof(text[0]), "%s", error_name(value));
    else if (value > -4096 && value < 4096)
        snprintf(out, sizeof(text[0]), "%ld", (long)value);
    else
        snprintf(out, sizeof(text[0]), "0x%lx", (unsigned long)value);
    return out;
}

/* The expression has this value. */
#define EXPECT(expression, value)                                       \
    do {                                                                \
        int64_t got_ = (int64_t)(expression), want_ = (int64_t)(value); \
        if (got_ != want_)                                              \
            FAIL("line %d: %s is %s, not %s", __LINE__, #expression,    \
                 value_text(got_), value_text(want_));                  \
    } while (0)

/* The call succeeds; its result. */
#define MUST(expression)                                     \
    ({                                                       \
        int64_t got_ = (int64_t)(expression);                \
        if (got_ < 0)                                        \
            FAIL("line %d: %s is %s", __LINE__, #expression, \
                 value_text(got_));                          \
        got_;                                                \
    })

static __attribute__((unused)) void
test_info(enum info_kind kind, uint64_t index, void *out, uint64_t size)
{
    MUST(sys_system_info(test_system, kind, index, (uint64_t)out, size));
}

static __attribute__((unused)) struct memory_info test_memory(void)
{
    struct memory_info info;
    test_info(INFO_MEMORY, 0, &info, sizeof(info));
    return info;
}

static __attribute__((unused)) int64_t
test_find_process(uint64_t pid, struct process_info *info)
{
    for (uint64_t i = 0;; i++) {
        int64_t error = sys_system_info(test_system, INFO_PROCESS, i,
                                        (uint64_t)info, sizeof(*info));
        if (error < 0 || info->pid == pid)
            return error;
    }
}

/*
 * What a process's thread of that priority (-1: of any) does now; state
 * THREAD_DEAD if it has none. A walk may miss it, for the list moves up when a
 * thread before it ends meanwhile: who is dead is missed by three walks.
 */
static __attribute__((unused)) struct thread_info thread_of(uint64_t pid,
                                                            int priority)
{
    struct thread_info t;
    for (int walk = 0; walk < 3; walk++)
        for (uint64_t i = 0; sys_system_info(test_system, INFO_THREAD, i,
                                             (uint64_t)&t, sizeof(t)) == OK;
             i++)
            if (t.pid == pid && (priority < 0 || (int)t.priority == priority))
                return t;
    return (struct thread_info){.state = THREAD_DEAD};
}

/* This program's own thread of that priority. */
static __attribute__((unused)) struct thread_info sibling(int priority)
{
    return thread_of(startup_get()->pid, priority);
}

static __attribute__((unused)) unsigned test_harts(void)
{
    struct hart_info info;
    unsigned n = 0;
    while (sys_system_info(test_system, INFO_HART, n, (uint64_t)&info,
                           sizeof(info)) == OK)
        n++;
    return n;
}

#define NEED_HARTS(n)                         \
    do {                                      \
        if (test_harts() < (n))               \
            SKIP("needs %d harts", (int)(n)); \
    } while (0)

/* For cases about user interrupts on a machine that may have none (k210). */
#define NEED_UINTR()                                  \
    do {                                              \
        if (startup_get()->delivery == DELIVERY_NONE) \
            SKIP("no user interrupts here");          \
    } while (0)

/*
 * -icount: time passes by instructions alone, so bounds on it are exact. QEMU
 * then counts 2^shift an instruction, and host cycles otherwise.
 */
static __attribute__((unused)) bool test_exact(void)
{
    uint64_t step = 0;
    for (int i = 0; i < 100; i++) {
        uint64_t a, b;
        __asm__ volatile("rdinstret %0\nrdinstret %1" : "=&r"(a), "=r"(b));
        if (i > 0 && b - a != step)
            return false;
        step = b - a;
    }
    return (step & (step - 1)) == 0;
}

/* Wait for a condition, at most `ms` of guest time; true if it came. */
#define EVENTUALLY(condition, ms)                                \
    ({                                                           \
        uint64_t until_ = clock_deadline((ms)*MS);               \
        bool true_;                                              \
        while (!(true_ = (condition)) && clock_ticks() < until_) \
            clock_sleep_ns(MS / 2);                              \
        true_; /* it may be otherwise again by now */            \
    })

/* What this process owns; an error must change none of it. */
struct test_snapshot {
    uint64_t objects[OBJECT_TYPES];
    uint64_t handles, mapped, threads;
};

static __attribute__((unused)) struct test_snapshot test_snap(void)
{
    struct test_snapshot s = {0};
    struct memory_info memory = test_memory();
    struct process_info me;
    MUST(test_find_process(startup_get()->pid, &me));
    memcpy(s.objects, memory.objects, sizeof(s.objects));
    s.handles = me.handles;
    s.mapped = me.memory;
    s.threads = me.threads;
    return s;
}

/* The call is refused with this error and nothing has changed. */
#define REFUSED(call, error)                                    \
    do {                                                        \
        struct test_snapshot before_ = test_snap(), after_;     \
        EXPECT(call, error);                                    \
        after_ = test_snap();                                   \
        if (memcmp(&before_, &after_, sizeof(before_)))         \
            FAIL("line %d: %s had an effect", __LINE__, #call); \
    } while (0)

static __attribute__((used)) void test_watch(void)
{
    char text[80];
    for (;;) {
        sys_notification_wait(0, 0, clock_deadline(500 * MS));
        if (clock_ticks() < test_deadline)
            continue;
        int n = snprintf(text, sizeof(text), "test: %s hung", test_name);
        sys_system_log_write(test_system, (uint64_t)text, n);
        sys_process_exit(HUNG_STATUS);
    }
}

/* A new thread has no gp. */
void test_watch_entry(void);
__asm__(".pushsection .text.test_watch_entry, \"ax\"\n"
        ".globl test_watch_entry\n"
        "test_watch_entry:\n"
        ".option push\n.option norelax\n"
        "la gp, __global_pointer$\n"
        ".option pop\n"
        "tail test_watch\n"
        ".popsection\n");

static void test_watchdog(void)
{
    static char stack[8192] __attribute__((aligned(16)));
    int64_t thread = sys_thread_create(0, (uint64_t)test_watch_entry,
                                       (uint64_t)stack + sizeof(stack), 0,
                                       PRIORITIES - 1, 0);
    if (thread < 0)
        printf("no watchdog: %s\n", error_text(thread));
    else
        sys_handle_close(thread);
}

/* This case may take so long. */
#define ALLOW_SECONDS(n) (test_deadline = clock_deadline((n)*1000 * MS))

static bool test_wanted(const char *name, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (!strcmp(name, argv[i]))
            return true;
    return argc < 2;
}

static __attribute__((noinline)) int test_one(const struct test_case *t)
{
    int how = setjmp(test_end);
    if (how == 0)
        t->run();
    return how;
}

/* init goes on for a moment after it has started us: wait for quiet. */
static __attribute__((noinline)) void test_settle(void)
{
    struct test_snapshot before, after;

    if (setjmp(test_end))
        return; /* the first case finds out why */
    after = test_snap();

    for (int quiet = 0, i = 0; quiet < 3 && i < 100; i++) {
        before = after;
        sys_notification_wait(0, 0, clock_deadline(20 * MS));
        after = test_snap();
        quiet = memcmp(&before, &after, sizeof(before)) ? 0 : quiet + 1;
    }
}

static int test_main(int argc, char **argv)
{
    static const char *const words[] = {"ok", "FAIL", "skip"};
    int count[3] = {0};
    test_system = startup_handle("system");
    int rounds = 1;
    if (argc > 2 && !strcmp(argv[1], "-n")) {
        rounds = atoi(argv[2]);
        argc -= 2;
        argv += 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 512);
    test_watchdog();
    test_settle();
    for (struct test_case *t = test_first; t; t = t->next) {
        if (!test_wanted(t->name, argc, argv))
            continue;
        test_name = t->name;
        test_why[0] = 0;
        int how = ENDED_OK;
        for (int i = 0; i < rounds && how == ENDED_OK; i++) {
            test_deadline = clock_deadline(CASE_SECONDS * 1000 * MS);
            how = test_one(t);
        }
        test_deadline = DEADLINE_NEVER;
        count[how]++;
        printf("%s %s%s%s\n", words[how], t->name, how ? ": " : "", test_why);
        fflush(stdout);
    }
    printf("done %d ok, %d failed\n", count[ENDED_OK], count[ENDED_FAILED]);
    return count[ENDED_FAILED] != 0;
}

#define TEST_MAIN                     \
    int main(int argc, char **argv)   \
    {                                 \
        return test_main(argc, argv); \
    }

#endif
