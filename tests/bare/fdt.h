/* The little of the device tree that bare-metal programs need. */
#ifndef BARE_FDT_H
#define BARE_FDT_H

#include <stdint.h>

typedef unsigned long ulong;

extern const void *bare_dtb; /* the tree; set before all else */

/*
 * Property `name` of the `index`-th node that is compatible with
 * `compatible`, as it lies there (big-endian); NULL if there is none. `*size`
 * is in bytes.
 */
const void *fdt_property(const char *compatible, unsigned index,
                         const char *name, unsigned *size);
/* The same of the first node that has such a property. */
const void *fdt_anywhere(const char *name, unsigned *size);
/* Cell n of a property. */
uint32_t fdt_cell(const void *property, unsigned n);
/* First address of the node's reg. 0 if there is no such node. */
ulong fdt_address(const char *compatible, unsigned index);
/* The PLIC's context for that hart's interrupt (M 11, S 9, U 8); -1: none. */
int fdt_context(ulong hart, uint32_t interrupt);
unsigned fdt_harts(void);

#endif
