/*
 * Starting programs and hearing of their ends, on the real kernel: arguments,
 * environment, descriptors, pipes between children, every way to end, every
 * way not to start; and a thousand in a row with no page or handle lost.
 * Runs itself as the child: then argv[0] is "child" and argv[1] what to be.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <uinta/child.h>
#include <uinta/clock.h>
#include <uinta/process.h>
#include <uinta/spawn.h>
#include "abi/errors.h"
#include "abi/info.h"
#include "guest.h"

static char self[] = "/test/spawn", as_child[] = "child";

static volatile int *volatile nowhere = (int *)8;

/* ---- what a child can be -------------------------------------------------- */

static int child(int argc, char **argv)
{
    if (strcmp(argv[1], "exit") == 0)
        return atoi(argv[2]);
    if (strcmp(argv[1], "echo") == 0)
        return printf("%s", argv[2]) < 0;
    if (strcmp(argv[1], "upper") == 0) {
        for (int c; (c = getchar()) != EOF;)
            putchar(c >= 'a' && c <= 'z' ? c - 32 : c);
        return 0;
    }
    if (strcmp(argv[1], "env") == 0)
        return argc != 3 || strcmp(getenv("COLOUR") ?: "", argv[2]) != 0;
    if (strcmp(argv[1], "handle") == 0)
        return startup_handle("gift") == 0 || startup_handle("system") != 0;
    if (strcmp(argv[1], "crash") == 0)
        *nowhere = 1;
    if (strcmp(argv[1], "abort") == 0)
        abort();
    for (;;) /* "sleep" */
        sleep(1);
}

static int start(char *what, char *argument)
{
    char *argv[] = {as_child, what, argument, NULL};
    return (int)spawn_program(self, argv, NULL, NULL);
}

/* ---- cases ---------------------------------------------------------------- */

TEST(ends)
{
    int status;
    struct process_status end;
    int pid = start("exit", "42");
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 42);
    CHECK(waitpid(pid, &status, 0) == -1 && errno == ECHILD);

    pid = start("crash", NULL);
    CHECK(child_wait(pid, 0, &end) == pid);
    CHECK(end.reason == EXIT_FAULT && end.cause == 15 && end.address == 8);
    char text[80];
    child_describe(text, sizeof(text), &end);
    CHECK(strncmp(text, "fault: store page fault at pc 0x1", 33) == 0);

    pid = start("sleep", NULL);
    CHECK(waitpid(pid, &status, WNOHANG) == 0);
    CHECK(kill(pid, SIGINT) == 0);
    CHECK(waitpid(-1, &status, 0) == pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
    CHECK(kill(pid, SIGINT) == -1 && errno == ESRCH);

    pid = start("abort", NULL);
    CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 134);
}

TEST(failures_to_start)
{
    pid_t pid;
    char *argv[] = {"x", NULL};
    CHECK(posix_spawn(&pid, "/bin/none", NULL, NULL, argv, NULL) == ENOENT);
    CHECK(posix_spawn(&pid, "/etc/motd", NULL, NULL, argv, NULL) == ENOEXEC);
    CHECK(strcmp(spawn_reason(), "not an ELF file") == 0);
    CHECK(posix_spawn(&pid, "/bin", NULL, NULL, argv, NULL) == ENOEXEC);
    char *big = malloc(STARTUP_SIZE);
    memset(big, 'x', STARTUP_SIZE - 1);
    big[STARTUP_SIZE - 1] = 0;
    char *long_argv[] = {as_child, big, NULL};
    CHECK(posix_spawn(&pid, self, NULL, NULL, long_argv, NULL) == E2BIG);
    free(big);
    const struct spawn_options greedy = {.priority = PRIORITIES};
    CHECK(spawn_program(self, argv, NULL, &greedy) == E_ARG);
    const struct spawn_action close_twice[] = {
        {.kind = SPAWN_DUP2, .from = 30}};
    const struct spawn_options bad = {.actions = close_twice,
                                      .action_count = 1};
    CHECK(spawn_program(self, argv, NULL, &bad) == E_BADHANDLE);
    CHECK(waitpid(-1, NULL, 0) == -1 && errno == ECHILD);
}

TEST(environment_and_handles)
{
    int status;
    char *argv[] = {as_child, "env", "blue", NULL},
         *env[] = {"COLOUR=blue", NULL};
    int64_t pid = spawn_program(self, argv, env, NULL);
    CHECK(pid > 0 && waitpid((int)pid, &status, 0) == pid && status == 0);
    setenv("COLOUR", "red", 1);
    argv[2] = "red";
    pid = spawn_program(self, argv, NULL, NULL);
    CHECK(pid > 0 && waitpid((int)pid, &status, 0) == pid && status == 0);
    int64_t gift = sys_notification_create();
    const struct spawn_handle handle = {"gift", (handle_t)gift, R_WAIT};
    const struct spawn_options options = {.handles = &handle,
                                          .handle_count = 1};
    argv[1] = "handle";
    pid = spawn_program(self, argv, NULL, &options);
    CHECK(pid > 0 && waitpid((int)pid, &status, 0) == pid && status == 0);
    sys_handle_close((uint64_t)gift);
}

/* echo | upper | us, as a shell would. */
TEST(pipeline)
{
    int first[2], second[2];
    char *echo[] = {as_child, "echo", "through two pipes", NULL};
    char *upper[] = {as_child, "upper", NULL};
    pid_t pids[2];
    posix_spawn_file_actions_t actions;
    CHECK(pipe(first) == 0 && pipe(second) == 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, first[1], 1);
    for (int i = 0; i < 2; i++) {
        posix_spawn_file_actions_addclose(&actions, first[i]);
        posix_spawn_file_actions_addclose(&actions, second[i]);
    }
    CHECK(posix_spawn(&pids[0], self, &actions, NULL, echo, NULL) == 0);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, first[0], 0);
    posix_spawn_file_actions_adddup2(&actions, second[1], 1);
    for (int i = 0; i < 2; i++) {
        posix_spawn_file_actions_addclose(&actions, first[i]);
        posix_spawn_file_actions_addclose(&actions, second[i]);
    }
    CHECK(posix_spawn(&pids[1], self, &actions, NULL, upper, NULL) == 0);
    posix_spawn_file_actions_destroy(&actions);
    close(first[0]), close(first[1]), close(second[1]);
    char text[64] = "";
    size_t n = 0;
    ssize_t got;
    while ((got = read(second[0], text + n, sizeof(text) - 1 - n)) > 0)
        n += (size_t)got;
    CHECK(got == 0 && strcmp(text, "THROUGH TWO PIPES") == 0);
    close(second[0]);
    int status;
    CHECK(waitpid(pids[0], &status, 0) == pids[0] && status == 0);
    CHECK(waitpid(pids[1], &status, 0) == pids[1] && status == 0);
}

/* ^C while waiting: the doorbell ends the wait, not the child. */
TEST(interrupted_wait)
{
    int status, pid = start("sleep", NULL);
    int64_t doorbell = child_doorbell();
    CHECK(doorbell > 0 && sys_doorbell_ring((uint64_t)doorbell) == 0);
    CHECK(waitpid(pid, &status, 0) == -1 && errno == EINTR);
    CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, &status, 0) == pid);
}

/*
 * The kernel frees what is left of a process just after telling of its end,
 * and other harts' servers may be closing handles: wait for quiet.
 */
static uint64_t settled_free_memory(void)
{
    uint64_t before, now = test_memory().free;
    for (int quiet = 0; quiet < 5; quiet = now == before ? quiet + 1 : 0) {
        before = now;
        clock_sleep_ns(20 * MS);
        now = test_memory().free;
    }
    return now;
}

/* Each failure of a spawn, a hundred times over: nothing may be left. */
TEST(failures_leave_nothing)
{
    char *argv[] = {as_child, "exit", "0", NULL};
    const struct spawn_action from_nowhere = {.kind = SPAWN_DUP2, .from = 30};
    const struct spawn_action no_file = {.kind = SPAWN_OPEN, .path = "/none"};
    const struct spawn_handle no_handle = {"x", 9999, 0};
    const struct spawn_handle no_name = {"", startup_handle("name"), 0};
    const struct {
        const char *path;
        struct spawn_options options;
        int64_t error;
    } cases[] = {
        {"/bin/none", {0}, E_NOENT},
        {"/etc/motd", {0}, E_FORMAT},
        {self, {.priority = PRIORITIES}, E_ARG},
        {self, {.priority = 2, .max_priority = 1}, E_RIGHTS},
        {self, {.stack_size = 1UL << 40}, E_RANGE},
        {self, {.hart_mask = 1U << HARTS_MAX}, E_ARG}, /* none has it */
        {self, {.actions = &from_nowhere, .action_count = 1}, E_BADHANDLE},
        {self, {.actions = &no_file, .action_count = 1}, E_NOENT},
        {self, {.handles = &no_handle, .handle_count = 1}, E_BADHANDLE},
        {self, {.handles = &no_name, .handle_count = 1}, E_RANGE},
    };
    enum { CASES = sizeof(cases) / sizeof(cases[0]) };
    for (int i = 0; i < CASES; i++)
        EXPECT(spawn_program(cases[i].path, argv, NULL, &cases[i].options),
               cases[i].error);
    uint64_t before = settled_free_memory();
    struct test_snapshot snap = test_snap();
    for (int i = 0; i < 100 * CASES; i++)
        spawn_program(cases[i % CASES].path, argv, NULL,
                      &cases[i % CASES].options);
    EXPECT(settled_free_memory(), before);
    struct test_snapshot after = test_snap();
    CHECK(memcmp(&snap, &after, sizeof(snap)) == 0);
}

/* A child that may run on one hart only runs there. */
TEST(a_hart_of_its_own)
{
    char *argv[] = {as_child, "sleep", NULL};
    for (unsigned hart = 0; hart < test_harts(); hart++) {
        const struct spawn_options o = {.hart_mask = 1U << hart};
        int pid = (int)spawn_program(self, argv, NULL, &o);
        CHECK(pid > 0);
        CHECK(EVENTUALLY(thread_of(pid, -1).state == THREAD_WAITING, 5000));
        struct thread_info thread = thread_of(pid, -1);
        EXPECT(thread.hart_mask, 1U << hart);
        EXPECT(thread.hart, hart);
        kill(pid, SIGKILL);
        EXPECT(waitpid(pid, NULL, 0), pid);
    }
}

/* Two children write to one pipe; one is killed, one exits: then it ends. */
TEST(pipe_ends_with_its_last_writer)
{
    int fds[2], status;
    char text[8], *sleeper[] = {as_child, "sleep", NULL};
    char *echo[] = {as_child, "echo", "abc", NULL};
    EXPECT(pipe(fds), 0);
    const struct spawn_action actions[] = {
        {.kind = SPAWN_DUP2, .fd = 1, .from = fds[1]},
        {.kind = SPAWN_CLOSE, .fd = fds[0]},
        {.kind = SPAWN_CLOSE, .fd = fds[1]},
    };
    const struct spawn_options options = {.actions = actions,
                                          .action_count = 3};
    int64_t one = MUST(spawn_program(self, sleeper, NULL, &options));
    int64_t other = MUST(spawn_program(self, echo, NULL, &options));
    close(fds[1]);
    EXPECT(read(fds[0], text, sizeof(text)), 3);
    EXPECT(waitpid((pid_t)other, &status, 0), other);
    fcntl(fds[0], F_SETFL, O_NONBLOCK);
    EXPECT(read(fds[0], text, sizeof(text)), -1); /* one can still write */
    EXPECT(errno, EAGAIN);
    fcntl(fds[0], F_SETFL, 0);
    EXPECT(kill((pid_t)one, SIGKILL), 0);
    EXPECT(read(fds[0], text, sizeof(text)), 0);
    EXPECT(waitpid((pid_t)one, &status, 0), one);
    close(fds[0]);
}

static void one(char *what, char *argument)
{
    int status, pid = start(what, argument);
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
}

TEST(a_thousand)
{
    for (int i = 0; i < 20; i++) /* pools and caches fill */
        one(i % 2 ? "exit" : "crash", "0");
    uint64_t before = settled_free_memory();
    int64_t handle = sys_notification_create();
    sys_handle_close((uint64_t)handle);
    for (int i = 0; i < 1000; i++)
        one(i % 10 ? "exit" : "crash", "0");
    uint64_t after = settled_free_memory();
    int64_t next = sys_notification_create();
    sys_handle_close((uint64_t)next);
    EXPECT(after, before);
    EXPECT(next, handle);
}

int main(int argc, char **argv)
{
    if (strcmp(argv[0], "child") == 0)
        return child(argc, argv);
    return test_main(argc, argv);
}
