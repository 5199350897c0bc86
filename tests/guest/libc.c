/*
 * The C library on the real kernel: arguments, files, directories, pipes,
 * descriptors, malloc, time, threads.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <uinta/log.h>
#include <uinta/map.h>
#include <uinta/process.h>
#include <uinta/thread.h>
#include "abi/errors.h"
#include "guest.h"

TEST(files)
{
    char text[64];
    struct stat st;
    int fd = open("/etc/motd", O_RDONLY);
    CHECK(fd >= 3);
    CHECK(fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0);
    ssize_t n = read(fd, text, sizeof(text));
    CHECK(n > 0 && n <= st.st_size);
    CHECK(lseek(fd, -1, SEEK_END) == st.st_size - 1);
    CHECK(read(fd, text, 2) == 1);
    CHECK(read(fd, text, 1) == 0);
    CHECK(lseek(fd, -1, SEEK_SET) == -1 && errno == EINVAL);
    CHECK(write(fd, text, 1) == -1 && errno == EINVAL);
    CHECK(close(fd) == 0);
    CHECK(close(fd) == -1 && errno == EBADF);
    CHECK(open("/etc/none", O_RDONLY) == -1 && errno == ENOENT);
    CHECK(open("/etc/motd", O_RDWR) == -1 && errno == EACCES);
    CHECK(open("/a-path-of-more-than-forty-eight-bytes/is-too-long-here",
               O_RDONLY) == -1 &&
          errno == ENAMETOOLONG);
    CHECK(stat("/bin/../etc//./motd", &st) == 0 && S_ISREG(st.st_mode));
    CHECK(stat("etc", &st) == 0 && S_ISDIR(st.st_mode));
    FILE *f = fopen("/etc/motd", "r");
    CHECK(f && fgets(text, sizeof(text), f));
    if (f)
        fclose(f);
    DIR *dir = opendir("/test");
    int seen = 0;
    for (struct dirent *e; dir && (e = readdir(dir));)
        seen += strcmp(e->d_name, "libc") == 0;
    CHECK(dir && seen == 1);
    if (dir)
        closedir(dir);
    CHECK(!opendir("/etc/motd") && errno == ENOTDIR);
}

TEST(descriptors)
{
    int fd = open("/dev/null", O_RDWR);
    CHECK(fd >= 0 && write(fd, "x", 1) == 1);
    CHECK(dup2(fd, 20) == 20 && close(fd) == 0);
    CHECK(write(20, "x", 1) == 1 && !isatty(20));
    CHECK(dup(20) == fd && close(fd) == 0 && close(20) == 0);
    CHECK(dup2(20, 5) == -1 && errno == EBADF);
    CHECK(isatty(1));
    CHECK(read(77, &fd, 1) == -1 && errno == EBADF);
    CHECK(fork() == -1 && errno == ENOSYS);
    int opened[64], n = 0;
    while (n < 64 && (opened[n] = open("/dev/null", O_RDONLY)) >= 0)
        n++;
    CHECK(n > 8 && n < 64 && errno == EMFILE);
    while (n)
        close(opened[--n]);
}

TEST(pipes)
{
    int fds[2];
    char buffer[5000];
    CHECK(pipe(fds) == 0);
    CHECK(write(fds[1], "hello", 5) == 5);
    CHECK(read(fds[0], buffer, sizeof(buffer)) == 5);
    CHECK(memcmp(buffer, "hello", 5) == 0);
    CHECK(write(fds[0], "x", 1) == -1 && errno == EINVAL);
    CHECK(fcntl(fds[1], F_SETFL, O_NONBLOCK) == 0);
    CHECK(write(fds[1], buffer, sizeof(buffer)) == 4096);
    CHECK(write(fds[1], buffer, 1) == -1 && errno == EAGAIN);
    close(fds[1]);
    CHECK(read(fds[0], buffer, sizeof(buffer)) == 4096);
    CHECK(read(fds[0], buffer, sizeof(buffer)) == 0);
    close(fds[0]);
    CHECK(pipe(fds) == 0);
    close(fds[0]);
    /* Fills it; then nobody will ever read. */
    CHECK(write(fds[1], buffer, 5000) == 4096);
    CHECK(write(fds[1], buffer, 1) == -1 && errno == EPIPE);
    close(fds[1]);
}

static int64_t pour(void *argument)
{
    int fd = *(int *)argument;
    for (int i = 0; i < 20000; i++)
        if (write(fd, &i, sizeof(i)) != sizeof(i))
            return i;
    close(fd);
    return -1;
}

TEST(pipe_between_threads)
{
    struct thread t;
    int fds[2], got, expected = 0;
    CHECK(pipe(fds) == 0);
    CHECK(thread_start(&t, pour, &fds[1], -1) == 0);
    while (read(fds[0], &got, sizeof(got)) == sizeof(got) && got == expected)
        expected++;
    CHECK(expected == 20000);
    CHECK(thread_join(&t) == -1);
    close(fds[0]);
}

TEST(memory)
{
    enum { BLOCKS = 200 };
    char *blocks[BLOCKS];
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < BLOCKS; i++) {
            blocks[i] = malloc((size_t)i * 97 + 1);
            CHECK(blocks[i]);
            memset(blocks[i], i, (size_t)i * 97 + 1);
        }
        for (int i = 0; i < BLOCKS; i++) {
            CHECK(blocks[i][0] == (char)i && blocks[i][i * 97] == (char)i);
            free(blocks[i]);
        }
    }
    char *large = malloc(3 << 20);
    CHECK(large);
    free(large);
    CHECK(!malloc(1UL << 40) && errno == ENOMEM);
    int64_t object = sys_memory_create(8192, 0);
    char *a = map_memory((handle_t)object, 8192, PROT_R | PROT_W);
    char *b = map_memory_at((handle_t)object, 4096, 4096, PROT_R);
    CHECK(a && b && a != b);
    a[4096] = 7;
    CHECK(b[0] == 7);
    CHECK(unmap_memory(a, 4096) == E_ARG);
    CHECK(unmap_memory(a, 8192) == 0 && unmap_memory(b, 4096) == 0);
    CHECK(unmap_memory(b, 4096) == E_ARG);
    CHECK(!map_memory(99999, 4096, PROT_R) && errno == EBADF);
    sys_handle_close((uint64_t)object);
}

TEST(times)
{
    struct timespec a, b, nap = {0, 20 * 1000 * 1000};
    CHECK(clock_gettime(CLOCK_MONOTONIC, &a) == 0);
    CHECK(nanosleep(&nap, NULL) == 0);
    CHECK(clock_gettime(CLOCK_MONOTONIC, &b) == 0);
    int64_t ns = (b.tv_sec - a.tv_sec) * 1000000000L + b.tv_nsec - a.tv_nsec;
    CHECK(ns >= nap.tv_nsec && ns < 1000000000L);
    nap.tv_nsec = 1000000000L;
    CHECK(nanosleep(&nap, NULL) == -1 && errno == EINVAL);
    CHECK(clock_gettime(77, &a) == -1 && errno == EINVAL);
}

static struct mutex lock;
static int counter;

static int64_t count(void *argument)
{
    for (int i = 0; i < 5000; i++) {
        mutex_lock(&lock);
        int before = counter;
        if (i % 500 == 0)
            sys_thread_yield();
        counter = before + 1;
        mutex_unlock(&lock);
        free(malloc(100));
    }
    return (int64_t)argument;
}

TEST(threads)
{
    struct thread t[4];
    for (long i = 0; i < 4; i++)
        CHECK(thread_start(&t[i], count, (void *)i, -1) == 0);
    for (long i = 0; i < 4; i++)
        CHECK(thread_join(&t[i]) == i);
    CHECK(counter == 20000);
}

TEST(arguments_and_identity)
{
    const struct startup *s = startup_get();
    CHECK(strcmp((const char *)s + s->argv, "/test/libc") == 0);
    CHECK(getpid() > 1 && getpid() == (pid_t)sys_process_id(0));
}

/* We were not given the handle "log". */
TEST(log_lines_without_a_log_go_to_stderr)
{
    char text[256];
    int ends[2], old = dup(STDERR_FILENO);
    CHECK(old >= 0 && pipe(ends) == 0);
    CHECK(dup2(ends[1], STDERR_FILENO) == STDERR_FILENO);
    log_line("the answer is %d", 42);
    log_line("%0300d", 0);
    CHECK(dup2(old, STDERR_FILENO) == STDERR_FILENO && close(old) == 0);
    CHECK(close(ends[1]) == 0);
    CHECK(read(ends[0], text, 17) == 17);
    CHECK(!memcmp(text, "the answer is 42\n", 17));
    CHECK(read(ends[0], text, sizeof(text)) == 199 && text[198] == '\n');
    CHECK(close(ends[0]) == 0);
}

TEST_MAIN
