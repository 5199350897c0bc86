/*
 * A chain of processes without threads, each with the only handle to the next:
 * closing the first ends all of them, however long the chain is (the kernel's
 * stack is 8 KiB).
 */
#include "child.h"

enum { LENGTH = 200 };

TEST(a_chain_of_processes_ends_from_one_handle)
{
    uint64_t live = test_memory().objects[OBJECT_PROCESS];
    handle_t first = MUST(sys_process_create(0x30, 0, 1)), last = first;
    for (int i = 1; i < LENGTH; i++) {
        handle_t next = MUST(sys_process_create(0x31, 0, 1));
        MUST(sys_process_give(last, next, R_MANAGE | R_STATUS | R_DUP));
        if (last != first)
            MUST(sys_handle_close(last));
        last = next;
    }
    MUST(sys_handle_close(last));
    EXPECT(test_memory().objects[OBJECT_PROCESS], live + LENGTH);
    MUST(sys_handle_close(first));
    EXPECT(test_memory().objects[OBJECT_PROCESS], live);
}

TEST_MAIN
