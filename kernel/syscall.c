/*
 * The table that trap.S jumps through: made from abi/uinta.idl, padded to a
 * power of two so that one comparison bounds it.
 */
#include "gen/syscall_table.h"
#include "kernel/lib.h"
#include "kernel/offsets.h"

static_assert(SYSCALL_COUNT <= SYSCALL_SLOTS, "the table is large enough");

int64_t sys_unknown(void)
{
    return E_NOSYS;
}

int64_t sys_null(void)
{
    return OK;
}

typedef int64_t (*slot_fn)(void);

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wcast-function-type"
#pragma GCC diagnostic ignored "-Woverride-init"
const syscall_fn syscall_table[SYSCALL_SLOTS] = {
    [0 ... SYSCALL_SLOTS - 1] = (syscall_fn)sys_unknown, SYSCALL_TABLE};
#pragma GCC diagnostic pop
