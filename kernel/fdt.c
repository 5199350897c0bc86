/* Flattened device tree: token walk with every offset checked. */
#include "kernel/fdt.h"
#include "kernel/lib.h"

enum { MAGIC = 0xd00dfeed, HEADER_SIZE = 40 };
enum { BEGIN_NODE = 1, END_NODE = 2, PROP = 3, NOP = 4, END = 9 };

struct property {
    const char *name;
    const uint8_t *value;
    uint32_t size;
};

uint64_t fdt_cells(const void *at, uint32_t cells)
{
    const uint8_t *b = at;
    uint64_t value = 0;

    for (uint32_t i = 0; i < cells * 4; i++)
        value = value << 8 | b[i];
    return value;
}

int fdt_open(struct fdt *fdt, const void *blob, uint32_t limit)
{
    const uint8_t *b = blob;

    if (limit < HEADER_SIZE || fdt_cells(b, 1) != MAGIC)
        return E_FORMAT;
    uint32_t total = (uint32_t)fdt_cells(b + 4, 1);
    uint64_t structure = fdt_cells(b + 8, 1);
    uint64_t strings = fdt_cells(b + 12, 1);
    uint64_t strings_size = fdt_cells(b + 32, 1);
    uint64_t structure_size = fdt_cells(b + 36, 1);
    if (total > limit || structure % 4 || structure + structure_size > total ||
        strings + strings_size > total)
        return E_FORMAT;
    fdt->structure = b + structure;
    fdt->structure_size = (uint32_t)structure_size;
    fdt->strings = b + strings;
    fdt->strings_size = (uint32_t)strings_size;
    fdt->total_size = total;
    return OK;
}

/* The token at *offset, which moves on; END past the end. */
static uint32_t token(const struct fdt *fdt, uint32_t *offset)
{
    uint32_t t;

    if (*offset + 4 > fdt->structure_size)
        return END;
    t = (uint32_t)fdt_cells(fdt->structure + *offset, 1);
    *offset += 4;
    return t;
}

/* A NUL-terminated string inside [from, from + size), or NULL. */
static const char *string(const uint8_t *from, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++) {
        if (from[i] == 0)
            return (const char *)from;
    }
    return NULL;
}

/* The rest of a PROP token; false if it is malformed. */
static bool property(const struct fdt *fdt, uint32_t *offset,
                     struct property *p)
{
    uint32_t left = fdt->structure_size - *offset;

    if (left < 8)
        return false;
    p->size = (uint32_t)fdt_cells(fdt->structure + *offset, 1);
    uint32_t name = (uint32_t)fdt_cells(fdt->structure + *offset + 4, 1);
    if (p->size > left - 8 || name >= fdt->strings_size)
        return false;
    p->value = fdt->structure + *offset + 8;
    p->name = string(fdt->strings + name, fdt->strings_size - name);
    *offset += 8 + ((p->size + 3) & ~3u);
    return p->name && *offset <= fdt->structure_size;
}

const void *fdt_property(const struct fdt_node *node, const char *name,
                         uint32_t *size)
{
    uint32_t offset = node->properties;
    struct property p;

    for (;;) {
        uint32_t t = token(node->fdt, &offset);

        if (t == NOP)
            continue;
        if (t != PROP || !property(node->fdt, &offset, &p))
            return NULL;
        if (strcmp(p.name, name) == 0) {
            *size = p.size;
            return p.value;
        }
    }
}

uint32_t fdt_u32(const struct fdt_node *node, const char *name,
                 uint32_t otherwise)
{
    uint32_t size;
    const void *value = fdt_property(node, name, &size);

    return value && size >= 4 ? (uint32_t)fdt_cells(value, 1) : otherwise;
}

bool fdt_reg(const struct fdt_node *node, uint32_t index, uint64_t *address,
             uint64_t *size)
{
    uint32_t a = node->address_cells, s = node->size_cells, bytes;
    const uint8_t *reg = fdt_property(node, "reg", &bytes);
    uint64_t at = (uint64_t)index * (a + s) * 4;

    if (!reg || a > 2 || s > 2 || a == 0 || at + (a + s) * 4 > bytes)
        return false;
    *address = fdt_cells(reg + at, a);
    *size = fdt_cells(reg + at + a * 4, s);
    return true;
}

bool fdt_compatible(const struct fdt_node *node, const char *text)
{
    uint32_t size;
    const char *list = fdt_property(node, "compatible", &size);

    while (list && size > 0) {
        const char *s = string((const uint8_t *)list, size);

        if (!s)
            return false;
        if (strcmp(s, text) == 0)
            return true;
        size -= strlen(s) + 1;
        list += strlen(s) + 1;
    }
    return false;
}

int fdt_walk(const struct fdt *fdt,
             void (*visit)(const struct fdt_node *, void *), void *context)
{
    /* cells[d]: what a node at depth d says about its children */
    struct {
        uint32_t address, size;
    } cells[FDT_DEPTH_MAX];
    uint32_t offset = 0;
    int depth = -1;

    for (;;) {
        uint32_t t = token(fdt, &offset);
        struct fdt_node node = {.fdt = fdt};

        if (t == END)
            return depth == -1 && offset > 4 ? OK : E_FORMAT;
        if (t == NOP)
            continue;
        if (t == END_NODE) {
            if (depth-- < 0)
                return E_FORMAT;
        } else if (t == PROP) {
            struct property p;

            if (depth < 0 || !property(fdt, &offset, &p))
                return E_FORMAT;
        } else if (t == BEGIN_NODE) {
            node.name =
                string(fdt->structure + offset, fdt->structure_size - offset);
            if (!node.name || ++depth >= FDT_DEPTH_MAX)
                return E_FORMAT;
            offset += (strlen(node.name) + 4) & ~3u;
            node.properties = offset;
            node.depth = depth;
            node.address_cells = depth ? cells[depth - 1].address : 2;
            node.size_cells = depth ? cells[depth - 1].size : 1;
            cells[depth].address = fdt_u32(&node, "#address-cells", 2);
            cells[depth].size = fdt_u32(&node, "#size-cells", 1);
            visit(&node, context);
        } else {
            return E_FORMAT;
        }
    }
}
