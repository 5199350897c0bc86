/* What fdt.h promises. Too deep a tree is one that ends there. */
#include "tests/bare/fdt.h"

#include <stdbool.h>
#include <stddef.h>

enum { BEGIN = 1, END, PROPERTY, NOP, FINISH = 9, DEPTH = 16 };

const void *bare_dtb;

uint32_t fdt_cell(const void *property, unsigned n)
{
    const uint8_t *p = (const uint8_t *)property + 4 * n;

    return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

static bool same(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

static unsigned length(const char *s)
{
    unsigned n = 0;

    while (s[n])
        n++;
    return n;
}

/* Property of the node whose tokens begin at `at`; not of its children. */
static const void *property_at(const uint8_t *at, const char *name,
                               unsigned *size)
{
    const char *strings = (const char *)bare_dtb + fdt_cell(bare_dtb, 3);

    for (;;) {
        uint32_t token = fdt_cell(at, 0);

        if (token == NOP) {
            at += 4;
        } else if (token == PROPERTY) {
            *size = fdt_cell(at, 1);
            if (same(strings + fdt_cell(at, 2), name))
                return at + 12;
            at += 12 + (*size + 3) / 4 * 4;
        } else {
            return NULL;
        }
    }
}

/*
 * Walk over all nodes; `visit` gets the tokens of the node and of its parent
 * and says whether to go on. What it stopped at, or NULL.
 */
static const uint8_t *walk(bool (*visit)(const uint8_t *node,
                                         const uint8_t *parent, void *arg),
                           void *arg)
{
    const uint8_t *at = (const uint8_t *)bare_dtb + fdt_cell(bare_dtb, 2);
    const uint8_t *path[DEPTH] = {NULL};
    unsigned depth = 0;

    for (;;) {
        uint32_t token = fdt_cell(at, 0);

        at += 4;
        if (token == BEGIN) {
            at += (length((const char *)at) + 4) / 4 * 4;
            if (depth == DEPTH)
                return NULL;
            path[depth] = at;
            if (!visit(at, depth ? path[depth - 1] : NULL, arg))
                return at;
            depth++;
        } else if (token == END) {
            depth--;
        } else if (token == PROPERTY) {
            at += 8 + (fdt_cell(at, 0) + 3) / 4 * 4;
        } else if (token == FINISH) {
            return NULL;
        }
    }
}

struct wanted {
    const char *compatible;
    unsigned index;
    uint32_t phandle;
    int hart;
};

static bool not_compatible(const uint8_t *node, const uint8_t *parent,
                           void *arg)
{
    struct wanted *wanted = arg;
    unsigned size = 0;
    const char *list = property_at(node, "compatible", &size);

    (void)parent;
    for (unsigned i = 0; list && i < size; i += length(list + i) + 1)
        if (same(list + i, wanted->compatible))
            return wanted->index-- != 0;
    return true;
}

const void *fdt_property(const char *compatible, unsigned index,
                         const char *name, unsigned *size)
{
    struct wanted wanted = {.compatible = compatible, .index = index};
    const uint8_t *node = walk(not_compatible, &wanted);

    return node ? property_at(node, name, size) : NULL;
}

static bool not_of_hart(const uint8_t *node, const uint8_t *parent, void *arg)
{
    struct wanted *wanted = arg;
    unsigned size;
    const void *phandle = property_at(node, "phandle", &size);
    const void *reg = parent ? property_at(parent, "reg", &size) : NULL;

    if (!phandle || !reg || fdt_cell(phandle, 0) != wanted->phandle)
        return true;
    wanted->hart = fdt_cell(reg, 0);
    return false;
}

/* The hart whose interrupt controller has this phandle; -1 if none. */
static int hart_of(uint32_t phandle)
{
    struct wanted wanted = {.phandle = phandle, .hart = -1};

    walk(not_of_hart, &wanted);
    return wanted.hart;
}

int fdt_context(ulong hart, uint32_t interrupt)
{
    unsigned size = 0;
    const void *to =
        fdt_property("riscv,plic0", 0, "interrupts-extended", &size);

    for (unsigned i = 0; i < size / 8; i++)
        if (fdt_cell(to, 2 * i + 1) == interrupt &&
            hart_of(fdt_cell(to, 2 * i)) == (int)hart)
            return i;
    return -1;
}

static bool without(const uint8_t *node, const uint8_t *parent, void *name)
{
    unsigned size;

    (void)parent;
    return !property_at(node, name, &size);
}

const void *fdt_anywhere(const char *name, unsigned *size)
{
    const uint8_t *node = walk(without, (void *)name);

    return node ? property_at(node, name, size) : NULL;
}

ulong fdt_address(const char *compatible, unsigned index)
{
    unsigned size;
    const void *reg = fdt_property(compatible, index, "reg", &size);

    return reg ? (ulong)fdt_cell(reg, 0) << 32 | fdt_cell(reg, 1) : 0;
}

static bool count(const uint8_t *node, const uint8_t *parent, void *arg)
{
    unsigned size;
    const char *type = property_at(node, "device_type", &size);

    (void)parent;
    if (type && same(type, "cpu"))
        ++*(unsigned *)arg;
    return true;
}

unsigned fdt_harts(void)
{
    unsigned harts = 0;

    walk(count, &harts);
    return harts;
}
