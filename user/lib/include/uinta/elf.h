/*
 * ELF files, checked: turns the bytes of a statically linked riscv64 program
 * into the list of its segments, or says exactly why not. Pure: makes no
 * system call, runs on the host too. Nothing in the file is believed: every
 * offset is checked against the size given.
 */
#ifndef UINTA_ELF_H
#define UINTA_ELF_H

#include <stddef.h>
#include <stdint.h>

enum { ELF_SEGMENTS_MAX = 8 };

struct elf_segment {
    uint64_t vaddr;  /* page-aligned down: the segment starts at vaddr + skew */
    uint64_t memsz;  /* bytes from vaddr, not rounded */
    uint64_t offset; /* in the file, of the byte that belongs at vaddr */
    uint64_t filesz; /* bytes from `offset`; the rest up to memsz is zero */
    uint32_t prot;   /* PROT_R | PROT_W | PROT_X of abi/object.h */
    uint32_t reserved;
};

struct elf_image {
    uint64_t entry;
    int count;
    struct elf_segment segments[ELF_SEGMENTS_MAX]; /* by rising address */
};

enum elf_error {
    ELF_OK,
    ELF_TRUNCATED,  /* shorter than its headers or segments say */
    ELF_NOT_ELF,    /* no magic */
    ELF_NOT_RISCV,  /* not a 64-bit little-endian RISC-V executable */
    ELF_DYNAMIC,    /* wants an interpreter or is position independent */
    ELF_BAD_PHDR,   /* program headers: wrong size, no or too many segments */
    ELF_BAD_SIZE,   /* filesz > memsz, empty, or wraps around */
    ELF_OVERLAP,    /* two segments in one page, or not in rising order */
    ELF_WX,         /* a segment both writable and executable */
    ELF_RANGE,      /* outside USER_TEXT..USER_MAPS */
    ELF_MISALIGNED, /* offset and address differ within the page */
    ELF_BAD_ENTRY,  /* the entry point is in no executable segment */
    ELF_FLOAT,      /* uses floating-point registers (flags of the psABI) */
    ELF_ERRORS
};

/*
 * Check and list. At most the first `size` bytes of `file` are read. On an
 * error `image` is undefined.
 */
enum elf_error elf_parse(struct elf_image *image, const void *file,
                         size_t size);

/* A sentence for the error. */
const char *elf_error_text(enum elf_error error);

#endif
