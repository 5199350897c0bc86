/* link: user/lib/cpio.c user/servers/fs/tree.c */
/*
 * The archive reader and the file server's tree over it, against archives made
 * here byte by byte, and against every truncation and many mutations.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "uinta/cpio.h"
#include "user/servers/fs/tree.h"
#include "abi/errors.h"

static char *archive;
static size_t archive_size;

static void append(const void *bytes, size_t n)
{
    archive = realloc(archive, archive_size + n + 4);
    memcpy(archive + archive_size, bytes, n);
    archive_size += n;
    while (archive_size % 4)
        archive[archive_size++] = 0;
}

static void add(const char *name, unsigned mode, const char *content)
{
    char header[400];
    size_t n = strlen(name) + 1;
    int length =
        snprintf(header, sizeof(header),
                 "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x"
                 "%08zx%08x%s",
                 1, mode, 0, 0, 1, 0, strlen(content), 0, 0, 0, 0, n, 0, name);
    append(header, (size_t)length + 1);
    append(content, strlen(content));
}

static int setup(void **state)
{
    (void)state;
    free(archive);
    archive = NULL;
    archive_size = 0;
    add(".", 040755, "");
    add("bin", 040755, "");
    add("bin/ls", 0100755, "the ls program");
    add("./bin/cat", 0100755, "cat");
    add("/etc/motd", 0100644, "hello\n");
    add("bin-old/x/y", 0100644, "y");
    add("empty", 0100644, "");
    add("TRAILER!!!", 0, "");
    return 0;
}

static void finds_files_however_spelled(void **state)
{
    (void)state;
    struct cpio_entry e;
    const char *paths[] = {"bin/cat", "/bin/cat"};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(cpio_find(archive, archive_size, paths[i], &e),
                         CPIO_OK);
        assert_int_equal(e.size, 3);
        assert_memory_equal(archive + e.offset, "cat", 3);
    }
    assert_int_equal(cpio_find(archive, archive_size, "/etc/motd", &e),
                     CPIO_OK);
    assert_int_equal(cpio_find(archive, archive_size, "/bin/ca", &e),
                     CPIO_NOT_FOUND);
    assert_int_equal(cpio_find(archive, archive_size, "/bin/cats", &e),
                     CPIO_NOT_FOUND);
}

static enum cpio_error read_all(const char *bytes, size_t size)
{
    struct cpio_entry e;
    size_t position = 0;
    enum cpio_error error;
    while (!(error = cpio_next(bytes, size, &position, &e))) {
        assert_true(e.offset <= size && e.size <= size - e.offset);
        assert_true(e.name >= bytes && e.name + e.name_size < bytes + size);
    }
    return error;
}

static void damage_is_named(void **state)
{
    assert_int_equal(read_all(archive, archive_size), CPIO_END);
    archive[0] = 'x';
    assert_int_equal(read_all(archive, archive_size), CPIO_BAD_MAGIC);
    setup(state);
    archive[20] = 'g';
    assert_int_equal(read_all(archive, archive_size), CPIO_BAD_NUMBER);
    setup(state);
    memcpy(archive + 6 + 8 * 11, "00000000", 8);
    assert_int_equal(read_all(archive, archive_size), CPIO_BAD_NAME);
    setup(state);
    memcpy(archive + 6 + 8 * 11, "ffffffff", 8);
    assert_int_equal(read_all(archive, archive_size), CPIO_TRUNCATED);
    setup(state);
    memcpy(archive + 6 + 8 * 6, "ffffffff", 8);
    assert_int_equal(read_all(archive, archive_size), CPIO_TRUNCATED);
}

static void bad_names_are_refused(void **state)
{
    (void)state;
    const char *bad[] = {"a/../b", "..", "a//b", "a/", "a/./b", "//a"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        free(archive);
        archive = NULL;
        archive_size = 0;
        add(bad[i], 0100644, "");
        assert_int_equal(read_all(archive, archive_size), CPIO_BAD_NAME);
    }
}

static void every_truncation_is_noticed(void **state)
{
    (void)state;
    /* The trailer's own padding is not missed. */
    for (size_t size = 0; size < archive_size - 4; size++) {
        char *prefix = malloc(size ? size : 1);
        memcpy(prefix, archive, size);
        assert_int_equal(read_all(prefix, size), CPIO_TRUNCATED);
        free(prefix);
    }
}

static void mutations_stay_inside(void **state)
{
    uint64_t seed = 88172645463325252UL;
    for (int round = 0; round < 100000; round++) {
        if (round % 4 == 0)
            setup(state);
        seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
        archive[seed % archive_size] = (char)(seed >> 32);
        read_all(archive, archive_size);
    }
}

static struct tree tree;

static int setup_tree(void **state)
{
    bool memory_short;
    setup(state);
    free(tree.files);
    assert_int_equal(tree_build(&tree, archive, archive_size, &memory_short),
                     CPIO_END);
    assert_false(memory_short);
    return 0;
}

static void tree_knows_files_and_implied_directories(void **state)
{
    (void)state;
    struct tree_node node;
    assert_true(tree_find(&tree, "/bin/ls", &node));
    assert_int_equal(node.type, FILE_REGULAR);
    assert_int_equal(node.size, 14);
    const char *directories[] = {"/", "/bin", "/etc", "/bin-old", "/bin-old/x"};
    for (size_t i = 0; i < 5; i++) {
        assert_true(tree_find(&tree, directories[i], &node));
        assert_int_equal(node.type, FILE_DIRECTORY);
    }
    const char *absent[] = {"",         "bin",       "/bi", "/bin/", "/bin/l",
                            "/bin/ls/", "/bin/ls/x", "/z",  "/bin-"};
    for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
        assert_false(tree_find(&tree, absent[i], &node));
}

static void list(const char *path, const char *expected)
{
    char text[200] = "", name[PATH_SIZE + 1];
    struct tree_node node;
    size_t i = 0;
    int64_t error;
    while (!(error = tree_list(&tree, path, i, name, &node))) {
        strcat(text, name);
        strcat(text, node.type == FILE_DIRECTORY ? "/ " : " ");
        i++;
    }
    assert_int_equal(error, E_NOENT);
    assert_string_equal(text, expected);
}

static void tree_lists_each_child_once(void **state)
{
    (void)state;
    struct tree_node node;
    char name[PATH_SIZE + 1];
    list("/", "bin/ bin-old/ empty etc/ ");
    list("/bin", "cat ls ");
    list("/bin-old", "x/ ");
    list("/bin-old/x", "y ");
    assert_int_equal(tree_list(&tree, "/empty", 0, name, &node), E_TYPE);
    assert_int_equal(tree_list(&tree, "/none", 0, name, &node), E_NOENT);
}

static void
tree_takes_the_last_of_doubles_and_skips_what_it_cannot(void **state)
{
    (void)state;
    bool memory_short;
    struct tree t;
    struct tree_node node;
    free(archive);
    archive = NULL;
    archive_size = 0;
    add("a", 0100644, "1");
    add("link", 0120777, "a");
    add("a", 0100644, "22");
    add("a-name-that-has-more-than-forty-eight-bytes-in-it", 0100644, "");
    add("TRAILER!!!", 0, "");
    assert_int_equal(tree_build(&t, archive, archive_size, &memory_short),
                     CPIO_END);
    assert_int_equal(t.count, 1);
    assert_int_equal(t.skipped, 2);
    assert_true(tree_find(&t, "/a", &node));
    assert_int_equal(node.size, 2);
    free(t.files);
}

static int teardown(void **state)
{
    (void)state;
    free(archive);
    free(tree.files);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(finds_files_however_spelled, setup),
        cmocka_unit_test_setup(damage_is_named, setup),
        cmocka_unit_test(bad_names_are_refused),
        cmocka_unit_test_setup(every_truncation_is_noticed, setup),
        cmocka_unit_test_setup(mutations_stay_inside, setup),
        cmocka_unit_test_setup(tree_knows_files_and_implied_directories,
                               setup_tree),
        cmocka_unit_test_setup(tree_lists_each_child_once, setup_tree),
        cmocka_unit_test(
            tree_takes_the_last_of_doubles_and_skips_what_it_cannot),
    };
    return cmocka_run_group_tests(tests, NULL, teardown);
}
