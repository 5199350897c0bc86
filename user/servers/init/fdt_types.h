/* What libfdt, as OpenSBI carries it, needs of C to run in a program. */
#ifndef INIT_FDT_TYPES_H
#define INIT_FDT_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#endif
