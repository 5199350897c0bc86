/* What trace.c and syscall.S share. */
#pragma once

#define TRACE_HART_INDEX   40 /* struct hart, index */
#define TRACE_WRITER_SHIFT 5  /* struct trace_writer: its size, and fields */
#define TRACE_WRITER_END   8
#define TRACE_WRITER_START 16

#ifndef __ASSEMBLER__
#include "abi/trace.h"

struct trace_writer {
    struct trace_record *next, *end, *start;
    uint64_t reserved;
};

#define CSR_CYCLE 0xc00

extern struct trace_writer trace_writers[];
extern const syscall_fn trace_calls[];
#endif
