/*
 * Reader of flattened device trees [Devicetree Specification 0.3, 5]. Pure:
 * no allocation, compiles on a host. The blob is not trusted: every offset is
 * checked, and a malformed one ends the walk with E_FORMAT.
 */
#ifndef KERNEL_FDT_H
#define KERNEL_FDT_H

#include <stdbool.h>
#include <stdint.h>

struct fdt {
    const uint8_t *structure, *strings;
    uint32_t structure_size, strings_size; /* bytes */
    uint32_t total_size;
};

enum { FDT_DEPTH_MAX = 16 };

struct fdt_node {
    const struct fdt *fdt;
    const char *name;                   /* with the unit address */
    uint32_t properties;                /* offset of its first property */
    int depth;                          /* 0 = root */
    uint32_t address_cells, size_cells; /* of its parent: for its "reg" */
};

/* OK or E_FORMAT. At most `limit` bytes of the blob are looked at. */
int fdt_open(struct fdt *fdt, const void *blob, uint32_t limit);

/*
 * Visit every node, parents before children. OK, or E_FORMAT where the tree
 * is malformed or deeper than FDT_DEPTH_MAX.
 */
int fdt_walk(const struct fdt *fdt,
             void (*visit)(const struct fdt_node *, void *), void *context);

/* A property's bytes, NULL if the node has none of that name. */
const void *fdt_property(const struct fdt_node *node, const char *name,
                         uint32_t *size);
/* Its first cell, or `otherwise` if it is missing or shorter. */
uint32_t fdt_u32(const struct fdt_node *node, const char *name,
                 uint32_t otherwise);
/* Entry `index` of "reg"; false if there is none. Bytes. */
bool fdt_reg(const struct fdt_node *node, uint32_t index, uint64_t *address,
             uint64_t *size);
/* Is `text` one of the NUL-separated strings of "compatible"? */
bool fdt_compatible(const struct fdt_node *node, const char *text);
/* Big-endian number of `cells` 32-bit cells. */
uint64_t fdt_cells(const void *at, uint32_t cells);

#endif
