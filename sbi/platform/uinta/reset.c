/*
 * Power off with failure. OpenSBI's sifive_test driver writes the code 0 with
 * it, and QEMU then exits with status 0 as if all were well; ours is asked
 * first for that one case and writes 1 [QEMU hw/misc/sifive_test.c].
 */
#include <sbi/riscv_io.h>
#include <sbi/sbi_ecall_interface.h>
#include <sbi/sbi_system.h>
#include <sbi_utils/fdt/fdt_helper.h>
#include <libfdt.h>

#include "reset.h"

enum { FINISHER_FAIL = 0x3333, EXIT_STATUS = 1, BEFORE_OPENSBI = 2 };

static void *finisher;

static int failure_check(u32 type, u32 reason)
{
    return type == SBI_SRST_RESET_TYPE_SHUTDOWN &&
                   reason != SBI_SRST_RESET_REASON_NONE
               ? BEFORE_OPENSBI
               : 0;
}

static void failure_reset(u32 type, u32 reason)
{
    writel(EXIT_STATUS << 16 | FINISHER_FAIL, finisher);
}

static struct sbi_system_reset_device failure_device = {
    .name = "sifive_test (failure)",
    .system_reset_check = failure_check,
    .system_reset = failure_reset,
};

void reset_init(void *fdt)
{
    int node = fdt_node_offset_by_compatible(fdt, -1, "sifive,test1");
    uint64_t address;

    if (node < 0 || fdt_get_node_addr_size(fdt, node, 0, &address, NULL))
        return;
    finisher = (void *)(unsigned long)address;
    sbi_system_reset_add_device(&failure_device);
}
