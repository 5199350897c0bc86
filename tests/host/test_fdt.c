/* link: kernel/fdt.c */
/*
 * Device-tree reader: blobs written here token by token, and every truncation
 * and many mutations of one, each in a heap block of its exact size so that
 * ASan sees a read beyond it.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "kernel/fdt.h"
#include "abi/errors.h"

enum { BEGIN_NODE = 1, END_NODE = 2, PROP = 3, NOP = 4, END = 9 };
enum { HEADER = 40, STRUCTURE = 40, MAX = 4096 };

/* The blob being written. */
static uint8_t structure[MAX], strings[MAX];
static uint32_t structure_size, strings_size;

static void cell(uint32_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        structure[structure_size++] = value >> shift;
}

static void bytes(const void *from, uint32_t n)
{
    memcpy(structure + structure_size, from, n);
    structure_size += n;
    while (structure_size % 4)
        structure[structure_size++] = 0;
}

static void begin(const char *name)
{
    cell(BEGIN_NODE);
    bytes(name, strlen(name) + 1);
}

static void prop(const char *name, const void *value, uint32_t n)
{
    cell(PROP);
    cell(n);
    cell(strings_size);
    memcpy(strings + strings_size, name, strlen(name) + 1);
    strings_size += strlen(name) + 1;
    bytes(value, n);
}

static void prop_cells(const char *name, unsigned count, const uint32_t *values)
{
    uint8_t big[64];
    for (unsigned i = 0; i < 4 * count; i++)
        big[i] = values[i / 4] >> (24 - i % 4 * 8);
    prop(name, big, 4 * count);
}

#define CELLS(name, ...)                                    \
    prop_cells(name, sizeof((uint32_t[]){__VA_ARGS__}) / 4, \
               (uint32_t[]){__VA_ARGS__})

static void put32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = value >> (24 - 8 * i);
}

/* The finished blob on the heap, exactly *size bytes. */
static uint8_t *blob(uint32_t *size)
{
    *size = STRUCTURE + structure_size + strings_size;
    uint8_t *b = calloc(1, *size);
    put32(b, 0xd00dfeed);
    put32(b + 4, *size);
    put32(b + 8, STRUCTURE);
    put32(b + 12, STRUCTURE + structure_size);
    put32(b + 20, 17);
    put32(b + 32, strings_size);
    put32(b + 36, structure_size);
    memcpy(b + STRUCTURE, structure, structure_size);
    memcpy(b + STRUCTURE + structure_size, strings, strings_size);
    return b;
}

static int start(void **state)
{
    (void)state;
    structure_size = strings_size = 0;
    return 0;
}

/* A machine with one of everything the reader looks at. */
static void write_machine(void)
{
    begin("");
    CELLS("#address-cells", 2);
    CELLS("#size-cells", 2);
    cell(NOP);
    prop("compatible", "riscv-virtio\0qemu,virt", 23);
    begin("memory@80000000");
    prop("device_type", "memory", 7);
    CELLS("reg", 0, 0x80000000, 0, 0x8000000, 1, 0, 2, 3);
    cell(END_NODE);
    begin("cpus");
    CELLS("#address-cells", 1);
    CELLS("#size-cells", 0);
    CELLS("timebase-frequency", 10000000);
    begin("cpu@3");
    CELLS("reg", 3);
    cell(END_NODE);
    cell(END_NODE);
    cell(NOP);
    begin("odd");
    CELLS("#address-cells", 3);
    begin("child");
    CELLS("reg", 1, 2, 3, 4);
    cell(END_NODE);
    cell(END_NODE);
    cell(END_NODE);
    cell(END);
}

/* What a walk saw: names with depths, as text. */
static char seen[2000];

static void note(const struct fdt_node *node, void *context)
{
    char line[300];
    (void)context;
    snprintf(line, sizeof(line), "%d:%.250s ", node->depth, node->name);
    strncat(seen, line, sizeof(seen) - strlen(seen) - 1);
}

static void visits_every_node_parents_first(void **state)
{
    (void)state;
    uint32_t size;
    struct fdt fdt;
    write_machine();
    uint8_t *b = blob(&size);
    seen[0] = 0;
    assert_int_equal(fdt_open(&fdt, b, size), OK);
    assert_int_equal(fdt_walk(&fdt, note, NULL), OK);
    assert_string_equal(seen,
                        "0: 1:memory@80000000 1:cpus 2:cpu@3 1:odd 2:child ");
    /* More room than the blob: the tail is not part of it. */
    b = realloc(b, size + 100);
    assert_int_equal(fdt_open(&fdt, b, size + 100), OK);
    free(b);
}

static void check_properties(const struct fdt_node *node, void *context)
{
    uint32_t n;
    uint64_t address, length;
    ++*(int *)context;
    if (!strcmp(node->name, "")) {
        assert_true(fdt_compatible(node, "riscv-virtio"));
        assert_true(fdt_compatible(node, "qemu,virt"));
        assert_false(fdt_compatible(node, "qemu"));
        assert_false(fdt_compatible(node, "riscv-virtio,"));
        assert_null(fdt_property(node, "reg", &n));
        assert_null(fdt_property(node, "device_type", &n)); /* a child's */
        assert_int_equal(fdt_u32(node, "missing", 77), 77);
    } else if (!strcmp(node->name, "memory@80000000")) {
        assert_string_equal(fdt_property(node, "device_type", &n), "memory");
        assert_int_equal(n, 7);
        assert_true(fdt_reg(node, 0, &address, &length));
        assert_int_equal(address, 0x80000000);
        assert_int_equal(length, 0x8000000);
        assert_true(fdt_reg(node, 1, &address, &length));
        assert_int_equal(address, 1UL << 32);
        assert_int_equal(length, 2UL << 32 | 3);
        assert_false(fdt_reg(node, 2, &address, &length));
        assert_false(fdt_reg(node, ~0u, &address, &length));
        assert_false(fdt_compatible(node, "memory"));
    } else if (!strcmp(node->name, "cpus")) {
        assert_int_equal(fdt_u32(node, "timebase-frequency", 0), 10000000);
    } else if (!strcmp(node->name, "cpu@3")) {
        assert_true(fdt_reg(node, 0, &address, &length));
        assert_int_equal(address, 3);
        assert_int_equal(length, 0);
        assert_false(fdt_reg(node, 1, &address, &length));
    } else if (!strcmp(node->name, "child")) {
        /* Three address cells do not fit 64 bits: not understood. */
        assert_false(fdt_reg(node, 0, &address, &length));
    }
}

static void finds_properties(void **state)
{
    (void)state;
    uint32_t size;
    struct fdt fdt;
    int nodes = 0;
    write_machine();
    uint8_t *b = blob(&size);
    assert_int_equal(fdt_open(&fdt, b, size), OK);
    assert_int_equal(fdt_walk(&fdt, check_properties, &nodes), OK);
    assert_int_equal(nodes, 6);
    free(b);
}

/* Ask a node everything: for blobs where only the sanitizers judge. */
static void ask_everything(const struct fdt_node *node, void *context)
{
    uint32_t n;
    uint64_t address, length, sum = strlen(node->name);
    const uint8_t *value = fdt_property(node, "reg", &n);
    for (uint32_t i = 0; value && i < n; i++)
        sum += value[i];
    for (uint32_t i = 0; i < 4; i++)
        if (fdt_reg(node, i, &address, &length))
            sum += address + length;
    sum += fdt_compatible(node, "qemu,virt");
    sum += fdt_u32(node, "timebase-frequency", 1);
    *(volatile uint64_t *)context = sum;
}

static int try_blob(const uint8_t *b, uint32_t size)
{
    struct fdt fdt;
    uint64_t sink;
    int result = fdt_open(&fdt, b, size);
    if (result == OK)
        result = fdt_walk(&fdt, ask_everything, &sink);
    assert_true(result == OK || result == E_FORMAT);
    return result;
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    uint32_t size;
    write_machine();
    uint8_t *whole = blob(&size);
    assert_int_equal(try_blob(whole, size), OK);
    for (uint32_t n = 0; n < size; n++) {
        uint8_t *cut = malloc(n ? n : 1);
        memcpy(cut, whole, n);
        assert_int_equal(try_blob(cut, n), E_FORMAT);
        free(cut);
    }
    /* And with a header that agrees with the truncation. */
    for (uint32_t n = 0; n < structure_size; n++) {
        uint32_t total = STRUCTURE + n;
        uint8_t *cut = malloc(total);
        memcpy(cut, whole, total);
        put32(cut + 4, total);
        put32(cut + 12, total);
        put32(cut + 32, 0);
        put32(cut + 36, n);
        assert_int_equal(try_blob(cut, total), E_FORMAT);
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
            int result = try_blob(b, size);
            /* Fields without use to the reader; names somewhere else. */
            bool unused = field >= 16 && field < 32;
            bool possible = unused || (field == 12 && lies[i] < size);
            assert_int_equal(result, possible ? OK : E_FORMAT);
            free(b);
        }
    free(whole);
}

static void mutations_do_no_harm(void **state)
{
    (void)state;
    uint32_t size, refused = 0;
    enum { ROUNDS = 300000 };
    write_machine();
    uint8_t *whole = blob(&size);
    srandom(17);
    for (int round = 0; round < ROUNDS; round++) {
        uint8_t *b = malloc(size);
        memcpy(b, whole, size);
        for (int flips = 1 + random() % 4; flips; flips--)
            b[random() % size] = random() % 3 ? random() : random() % 10;
        refused += try_blob(b, size) != OK;
        free(b);
    }
    assert_in_range(refused, ROUNDS / 20, ROUNDS);
    free(whole);
}

/* Structures made of random tokens: more often nearly right than flips. */
static void random_tokens_do_no_harm(void **state)
{
    (void)state;
    srandom(23);
    for (int round = 0; round < 200000; round++) {
        start(NULL);
        memcpy(strings, "reg\0compatible\0#size-cells", 27);
        strings_size = 27;
        for (int n = random() % 40; n; n--) {
            static const uint32_t tokens[] = {1, 1, 1, 2, 2, 3, 3, 4, 9, 5};
            cell(tokens[random() % 10]);
            if (random() % 2)
                cell(random() % 30);
            if (random() % 2)
                cell(random() % 30);
        }
        uint32_t size;
        uint8_t *b = blob(&size);
        try_blob(b, size);
        free(b);
    }
}

static void too_deep_is_refused(void **state)
{
    (void)state;
    for (int depth = FDT_DEPTH_MAX; depth <= FDT_DEPTH_MAX + 1; depth++) {
        uint32_t size;
        start(NULL);
        for (int i = 0; i < depth; i++)
            begin("n");
        for (int i = 0; i < depth; i++)
            cell(END_NODE);
        cell(END);
        uint8_t *b = blob(&size);
        assert_int_equal(try_blob(b, size),
                         depth <= FDT_DEPTH_MAX ? OK : E_FORMAT);
        free(b);
    }
}

static void wrong_nesting_is_refused(void **state)
{
    (void)state;
    static const uint32_t bad[][5] = {
        {END},                        /* no root */
        {END_NODE, END},              /* nothing open */
        {BEGIN_NODE, 0, END},         /* not closed */
        {BEGIN_NODE, 0, END_NODE, 7}, /* no such token */
        {BEGIN_NODE, 0, END_NODE, END_NODE, END},
        {PROP, 0, 0, END}, /* outside any node */
    };
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        uint32_t size;
        start(NULL);
        strings[0] = 0;
        strings_size = 1;
        for (int k = 0; k < 5; k++)
            cell(bad[i][k]);
        uint8_t *b = blob(&size);
        assert_int_equal(try_blob(b, size), E_FORMAT);
        free(b);
    }
}

#define TEST(f) cmocka_unit_test_setup(f, start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(visits_every_node_parents_first),
        TEST(finds_properties),
        TEST(every_truncation_is_refused),
        TEST(header_lies_are_refused),
        TEST(mutations_do_no_harm),
        TEST(random_tokens_do_no_harm),
        TEST(too_deep_is_refused),
        TEST(wrong_nesting_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
