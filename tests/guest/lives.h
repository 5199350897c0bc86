/* Processes that come and go, and that nothing of them stays. */
#ifndef TEST_LIVES_H
#define TEST_LIVES_H

#include <uinta/thread.h>
#include "child.h"

enum { SPAWNS = 1000 };

static __attribute__((unused)) void spawn_and_exit(int code)
{
    struct child c;
    child_make(&c);
    script(&c, 0, SCRIPT_EXIT, code, 0, 0, 0, 0, 0);
    child_run(&c, child_script, PRIORITY_NORMAL);
    EXPECT(child_wait_end(&c, 2000).code, code);
    child_close(&c);
}

static __attribute__((unused)) void nothing_lost(struct memory_info before)
{
    struct memory_info after = test_memory();
    for (int i = 0; i < OBJECT_TYPES; i++)
        if (after.objects[i] != before.objects[i])
            FAIL("objects of type %d: %lu before, %lu after", i,
                 before.objects[i], after.objects[i]);
    if (after.free != before.free)
        FAIL("%lu bytes free before, %lu after", before.free, after.free);
}

#endif
