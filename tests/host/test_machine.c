/* link: build/host/libfdt.o */
/*
 * What the kernel makes of a device tree: blobs written here token by token,
 * each of them without something, every truncation and many mutations of one,
 * in a heap block of its exact size so that ASan sees a read beyond it.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define PHYS_OFFSET 0UL
#include "kernel/machine.c"
#include "fdt_blob.h"

static jmp_buf panicked;
static char message[300];

_Noreturn void panic(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    longjmp(panicked, 1);
}

void log_print(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
}

/* false: the kernel panicked, `message` says why. */
static bool read_blob(const uint8_t *b)
{
    memset(&machine, 0, sizeof(machine));
    message[0] = 0;
    if (setjmp(panicked))
        return false;
    machine_read((uint64_t)(uintptr_t)b);
    return true;
}

static void reads_a_machine(void **state)
{
    (void)state;
    uint32_t size;
    write_machine();
    uint8_t *b = blob(&size);
    uint64_t at = (uint64_t)(uintptr_t)b;
    assert_true(read_blob(b));
    assert_int_equal(machine.ram.start, 0x80000000);
    assert_int_equal(machine.ram.end, 0x88000000);
    assert_int_equal(machine.timebase, 10000000);
    assert_true(machine.sstc);
    assert_int_equal(machine.harts, 2);
    assert_int_equal(machine.harts_found, 2);
    assert_int_equal(machine.hart[0].id, 3);
    assert_int_equal(machine.hart[0].context_s, 1);
    assert_int_equal(machine.hart[0].context_u, 0);
    assert_int_equal(machine.hart[1].id, 4);
    assert_int_equal(machine.hart[1].context_s, 3);
    assert_int_equal(machine.hart[1].context_u, -1);
    assert_int_equal(machine.plic.start, 0xc000000);
    assert_int_equal(machine.plic.end, 0xc600000);
    assert_int_equal(machine.plic_sources, 96);
    assert_int_equal(machine.archive.start, 0x84000000);
    assert_int_equal(machine.archive.end, 0x84001234);
    assert_int_equal(machine.tree.start, at);
    assert_int_equal(machine.tree.end, at + size);
    assert_int_equal(machine.reserved_count, 3);
    assert_int_equal(machine.reserved[0].start, at);
    assert_int_equal(machine.reserved[0].end, at + size);
    assert_int_equal(machine.reserved[1].end, 0x80080000);
    assert_int_equal(machine.reserved[2].end, 0x84001234);
    free(b);
}

/* Without this node or property: the message, or NULL if it is not needed. */
static void says_what_is_missing(void **state)
{
    static const struct {
        const char *what, *says;
    } cases[] = {
        {"memory@80000000", "device tree: no memory node"},
        {"cpus", "device tree: /cpus has no timebase-frequency"},
        {"timebase-frequency", "device tree: /cpus has no timebase-frequency"},
        {"cpu", "device tree: no cpu node"},
        {"device_type", "device tree: no memory node"},
        {"reg", "device tree: no memory node"},
        {"plic@c000000", "device tree: no riscv,plic0 interrupt controller"},
        {"interrupts-extended",
         "device tree: the PLIC has no S context for hart 3"},
        {"phandle", "device tree: the PLIC has no S context for hart 3"},
        {"chosen", NULL},
        {"reserved-memory", NULL},
        {"riscv,isa", NULL},
        {"status", NULL},
        {"riscv,ndev", NULL},
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint32_t size;
        start(state);
        skipped = cases[i].what;
        write_machine();
        uint8_t *b = blob(&size);
        assert_int_equal(read_blob(b), cases[i].says == NULL);
        assert_string_equal(message, cases[i].says ? cases[i].says : "");
        free(b);
    }
}

static void more_harts_than_it_can_use(void **state)
{
    (void)state;
    uint32_t size;
    cpus = HARTS_MAX + 3;
    skipped = "interrupts-extended";
    write_machine();
    uint8_t *b = blob(&size);
    assert_false(read_blob(b)); /* for want of contexts */
    assert_int_equal(machine.harts, HARTS_MAX);
    assert_int_equal(machine.harts_found, HARTS_MAX + 3);
    free(b);
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    uint32_t size;
    write_machine();
    uint8_t *whole = blob(&size);
    for (uint32_t n = STRUCTURE; n < size; n += 4) {
        uint8_t *cut = malloc(n);
        memcpy(cut, whole, n);
        put32(cut + 4, n); /* a header that agrees, as far as it can */
        assert_false(read_blob(cut));
        if (n < STRUCTURE + structure_size) {
            put32(cut + 12, n);
            put32(cut + 32, 0);
            put32(cut + 36, n - STRUCTURE);
            assert_false(read_blob(cut));
        }
        free(cut);
    }
    free(whole);
}

static void header_lies_are_refused(void **state)
{
    (void)state;
    static const uint32_t lies[] = {
        0, 1, 3, 0x7fffffff, 0x80000000, 0xfffffff0, 0xfffffffe, 0xffffffff};
    uint32_t size;
    write_machine();
    uint8_t *whole = blob(&size);
    for (unsigned field = 0; field < HEADER; field += 4)
        for (unsigned i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
            uint8_t *b = malloc(size);
            memcpy(b, whole, size);
            put32(b + field, lies[i]);
            bool read = read_blob(b);
            /* versions, the boot hart's id, sizes that happen to fit */
            assert_true(!read || field >= 20);
            free(b);
        }
    free(whole);
}

static void mutations_do_no_harm(void **state)
{
    (void)state;
    uint32_t size, refused = 0;
    enum { ROUNDS = 100000 };
    write_machine();
    uint8_t *whole = blob(&size);
    srandom(17);
    for (int round = 0; round < ROUNDS; round++) {
        uint8_t *b = malloc(size);
        memcpy(b, whole, size);
        for (int flips = 1 + random() % 4; flips; flips--)
            b[4 + random() % (size - 4)] =
                random() % 3 ? random() : random() % 10;
        put32(b + 4, size); /* the one field that nothing bounds but 1 MiB */
        refused += !read_blob(b);
        free(b);
    }
    assert_in_range(refused, ROUNDS / 20, ROUNDS);
    free(whole);
}

static void wrong_nesting_is_refused(void **state)
{
    static const uint32_t bad[][5] = {
        {FDT_END},                            /* no root */
        {FDT_END_NODE, FDT_END},              /* nothing open */
        {FDT_BEGIN_NODE, 0, FDT_END},         /* not closed */
        {FDT_BEGIN_NODE, 0, FDT_END_NODE, 7}, /* no such token */
        {FDT_BEGIN_NODE, 0, FDT_END_NODE, FDT_END_NODE, FDT_END},
    };
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        uint32_t size;
        start(state);
        for (int n = 0; n < 5; n++)
            cell(bad[i][n]);
        uint8_t *b = blob(&size);
        assert_false(read_blob(b));
        free(b);
    }
}

#define TEST(f) cmocka_unit_test_setup(f, start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reads_a_machine),
        TEST(says_what_is_missing),
        TEST(more_harts_than_it_can_use),
        TEST(every_truncation_is_refused),
        TEST(header_lies_are_refused),
        TEST(mutations_do_no_harm),
        TEST(wrong_nesting_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
