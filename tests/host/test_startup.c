/* link: user/lib/spawn/startup_block.c */
/* The startup block that a spawner builds for its child. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "abi/errors.h"
#include "user/lib/spawn/startup_block.h"

static void strings_are_packed_in_exactly_their_size(void **state)
{
    (void)state;
    char *argv[] = {"ls", "-l", "", NULL}, *envp[] = {"A=1", NULL};
    int64_t size = startup_block_size(argv, envp);
    assert_int_equal(size, sizeof(struct startup) + 3 + 3 + 1 + 4);
    struct startup *block = calloc(1, (size_t)size);
    startup_block_fill(block, argv, envp);
    assert_true(block->magic == STARTUP_MAGIC);
    assert_int_equal(block->argc, 3);
    assert_int_equal(block->envc, 1);
    assert_memory_equal((char *)block + block->argv, "ls\0-l\0", 7);
    assert_string_equal((char *)block + block->envp, "A=1");
    free(block);
}

static void too_long_is_refused(void **state)
{
    (void)state;
    char *text = malloc(STARTUP_SIZE + 1);
    memset(text, 'x', STARTUP_SIZE);
    text[STARTUP_SIZE] = 0;
    char *argv[] = {text, NULL}, *none[] = {NULL};
    assert_int_equal(startup_block_size(argv, none), E_LIMIT);
    assert_int_equal(startup_block_size(none, argv), E_LIMIT);
    text[STARTUP_SIZE - sizeof(struct startup) - 1] = 0;
    assert_int_equal(startup_block_size(argv, none), STARTUP_SIZE);
    free(text);
}

static void handles_have_names_and_a_limit(void **state)
{
    (void)state;
    static struct startup block;
    assert_int_equal(startup_block_handle(&block, "", 1), E_RANGE);
    assert_int_equal(startup_block_handle(&block, "thirteen-byte", 1), E_RANGE);
    assert_int_equal(startup_block_handle(&block, "twelve-bytes", 7), OK);
    assert_memory_equal(block.handles[0].name, "twelve-bytes", 12);
    assert_int_equal(block.handles[0].handle, 7);
    for (int i = 1; i < STARTUP_HANDLES_MAX; i++)
        assert_int_equal(startup_block_handle(&block, "x", 1), OK);
    assert_int_equal(startup_block_handle(&block, "x", 1), E_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_are_packed_in_exactly_their_size),
        cmocka_unit_test(too_long_is_refused),
        cmocka_unit_test(handles_have_names_and_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
