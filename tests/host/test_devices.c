/* link: build/host/libfdt.o */
/*
 * What init makes of the devices in a device tree: which it finds, which
 * handles it asks the kernel for, what it says about those that make no sense,
 * and that no mutation that the kernel lets through does harm.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "fdt_blob.h"

/* The kernel: it refuses RAM and sources that there are not. */
static int64_t sys_system_device(uint64_t system, uint64_t base, uint64_t size);
static int64_t sys_system_irq(uint64_t system, uint64_t source);
#define GEN_SYSCALLS_H
#include "user/servers/init/devices.c"

enum { SYSTEM = 7, SOURCES = 96, HANDLE_BASE = 1000 };
static char said[4000];
static int asked;

static int64_t sys_system_device(uint64_t system, uint64_t base, uint64_t size)
{
    assert_int_equal(system, SYSTEM);
    assert_int_equal((base | size) % PAGE_SIZE, 0);
    asked++;
    return base >= 0x80000000 ? E_OVERLAP : (int64_t)(base >> 12);
}

static int64_t sys_system_irq(uint64_t system, uint64_t source)
{
    assert_int_equal(system, SYSTEM);
    asked++;
    return source > SOURCES ? E_RANGE : (int64_t)(HANDLE_BASE + source);
}

const char *error_text(int64_t error)
{
    return error == E_RANGE ? "E_RANGE" : "E_OVERLAP";
}

void boot_log(const char *format, ...)
{
    size_t n = strlen(said);
    va_list args;
    va_start(args, format);
    vsnprintf(said + n, sizeof(said) - n - 1, format, args);
    va_end(args);
    strcat(said, "\n");
}

/* The small machine as init sees it: the kernel has checked the whole. */
static uint8_t *read_machine(void)
{
    uint32_t size;
    uint8_t *b = blob(&size);
    said[0] = 0;
    asked = 0;
    assert_int_equal(fdt_check_full(b, size), 0);
    devices_read(b, SYSTEM);
    return b;
}

static void finds_devices(void **state)
{
    (void)state;
    write_machine();
    uint8_t *b = read_machine();
    const struct device_node *d = device_find("ns16550a", 1);
    assert_non_null(d);
    assert_int_equal(d->base, 0x10000000);
    assert_int_equal(d->size, 0x100);
    assert_int_equal(d->source, 10);
    assert_int_equal(d->clock, 3686400);
    assert_int_equal(d->reg_shift, 2);
    assert_int_equal(d->mmio, 0x10000);
    assert_int_equal(d->irq, HANDLE_BASE + 10);
    assert_ptr_equal(d, device_find("snps,dw-apb-uart", 0));
    assert_true(device_is(d, "ns16550a"));
    assert_false(device_is(d, "ns16550"));
    assert_null(device_find("ns16550a", 2));
    assert_null(device_find("riscv,plic0", 0));
    assert_null(device_find("riscv,clint0", 0));
    assert_null(device_find("syscon-poweroff", 0));
    assert_int_equal(device_find("ns16550a", 0)->source, 12);
    assert_ptr_equal(device_nth(0), device_find("ns16550a", 0));
    assert_null(device_nth(3)); /* two serial ports, and an odd one */
    assert_string_equal(device_bootargs(), "run=/bin/ps");
    free(b);
}

static void says_what_it_leaves_out(void **state)
{
    (void)state;
    write_machine();
    uint8_t *b = read_machine();
    assert_non_null(strstr(
        said, "device tree: odd@20000000: interrupt 4000 refused: E_RANGE\n"));
    assert_int_equal(device_find("odd", 0)->irq, 0);
    assert_non_null(
        strstr(said, "device tree: wraps: its reg cannot be read, left out\n"));
    assert_non_null(
        strstr(said, "device tree: short: its reg cannot be read, left out\n"));
    assert_non_null(
        strstr(said, "device tree: child: its reg cannot be read, left out\n"));
    assert_non_null(
        strstr(said, "device tree: memory-in-disguise: registers 0x80000000, "
                     "size 0x1000, refused: E_OVERLAP\n"));
    assert_null(device_find("odd", 1));
    assert_null(strstr(said, "no-registers"));
    free(b);
}

static void console_is_what_chosen_says(void **state)
{
    static const struct {
        const char *path;
        uint32_t size, source;
        const char *says;
    } cases[] = {
        {"/soc/serial@10000000:115200n8", 0, 10, NULL},
        {"/soc/serial@10010000", 0, 12, NULL},
        {"/soc/odd@20000000", 0, 12, "'/soc/odd@20000000' is no ns16550a"},
        {"/soc/nobody", 0, 12, "'/soc/nobody' is no ns16550a"},
        {":", 0, 12, "'' is no ns16550a"},
        {"/soc/serial@10000000", 4, 12, NULL}, /* it does not end */
        {NULL, 0, 12, NULL},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        start(state);
        skipped = cases[i].path ? NULL : "stdout-path";
        stdout_path = cases[i].path;
        stdout_size = cases[i].size   ? cases[i].size
                      : cases[i].path ? strlen(cases[i].path) + 1
                                      : 0;
        write_machine();
        uint8_t *b = read_machine();
        said[0] = 0;
        assert_non_null(device_console());
        assert_int_equal(device_console()->source, cases[i].source);
        if (cases[i].says)
            assert_non_null(strstr(said, cases[i].says));
        else
            assert_string_equal(said, "");
        free(b);
    }
}

static void nothing_there(void **state)
{
    static const char *const missing[] = {"soc", "compatible", "reg"};
    for (unsigned i = 0; i < 3; i++) {
        start(state);
        skipped = missing[i];
        write_machine();
        uint8_t *b = read_machine();
        assert_null(device_nth(0));
        assert_null(device_console());
        free(b);
    }
    start(state);
    skipped = "chosen";
    write_machine();
    uint8_t *b = read_machine();
    assert_string_equal(device_bootargs(), "");
    assert_int_equal(device_console()->source, 12);
    free(b);
}

static void too_many_devices(void **state)
{
    (void)state;
    begin("");
    CELLS("#address-cells", 1);
    for (uint32_t i = 0; i < DEVICES_MAX + 1; i++) {
        begin(i == DEVICES_MAX ? "last" : "device");
        prop("compatible", "thing", 6);
        CELLS("reg", 0x1000 * (i + 1), 0x1000);
        end();
    }
    end();
    cell(FDT_END);
    uint8_t *b = read_machine();
    assert_non_null(device_nth(DEVICES_MAX - 1));
    assert_null(device_nth(DEVICES_MAX));
    assert_string_equal(said,
                        "device tree: more than 24 devices, last left out\n");
    free(b);
}

static void mutations_do_no_harm(void **state)
{
    (void)state;
    enum { ROUNDS = 20000 };
    uint32_t size, read = 0;
    write_machine();
    uint8_t *whole = blob(&size);
    srandom(19);
    for (int round = 0; round < ROUNDS; round++) {
        uint8_t *b = malloc(size);
        memcpy(b, whole, size);
        for (int flips = 1 + random() % 4; flips; flips--)
            b[STRUCTURE + random() % (size - STRUCTURE)] =
                random() % 3 ? random() : random() % 10;
        said[0] = 0;
        if (!fdt_check_full(b, size)) {
            read++;
            devices_read(b, SYSTEM);
            device_console();
            assert_in_range(strlen(device_bootargs()), 0, size);
        }
        free(b);
    }
    assert_in_range(read, ROUNDS / 20, ROUNDS - 1);
    free(whole);
}

#define TEST(f) cmocka_unit_test_setup(f, start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(finds_devices),    TEST(says_what_it_leaves_out),
        TEST(nothing_there),    TEST(console_is_what_chosen_says),
        TEST(too_many_devices), TEST(mutations_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
