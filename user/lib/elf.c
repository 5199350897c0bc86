/*
 * Reads an ELF file's headers [gABI; psABI for RISC-V] and lists what to map
 * where. One pass, each check with its own error, nothing is believed.
 */
#include <stdbool.h>
#include <string.h>
#include <uinta/elf.h>
#include "abi/layout.h"
#include "abi/object.h"

struct elf_header {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct elf_program_header {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

_Static_assert(sizeof(struct elf_header) == 64, "ELF64 header");
_Static_assert(sizeof(struct elf_program_header) == 56, "ELF64 phdr");

enum {
    CLASS_64 = 2,
    DATA_LITTLE = 1,
    TYPE_EXEC = 2,
    TYPE_DYN = 3,
    MACHINE_RISCV = 243,
    FLAG_FLOAT_ABI = 6, /* EF_RISCV_FLOAT_ABI: registers hold floats */
    PT_LOAD = 1,
    PT_DYNAMIC = 2,
    PT_INTERP = 3,
    PF_X = 1,
    PF_W = 2,
    PF_R = 4
};

static enum elf_error check_header(const struct elf_header *h, size_t size)
{
    if (memcmp(h->ident, "\177ELF", 4) != 0)
        return ELF_NOT_ELF;
    if (h->ident[4] != CLASS_64 || h->ident[5] != DATA_LITTLE ||
        h->machine != MACHINE_RISCV)
        return ELF_NOT_RISCV;
    if (h->type == TYPE_DYN)
        return ELF_DYNAMIC;
    if (h->type != TYPE_EXEC)
        return ELF_NOT_RISCV;
    if (h->flags & FLAG_FLOAT_ABI)
        return ELF_FLOAT;
    if (h->phentsize != sizeof(struct elf_program_header) || h->phnum == 0)
        return ELF_BAD_PHDR;
    if (h->phoff > size || (uint64_t)h->phnum * h->phentsize > size - h->phoff)
        return ELF_TRUNCATED;
    return ELF_OK;
}

static uint32_t prot_of(uint32_t flags)
{
    return (flags & PF_R ? PROT_R : 0) | (flags & PF_W ? PROT_W : 0) |
           (flags & PF_X ? PROT_X : 0);
}

/* Check one loadable segment and append it, start rounded down to its page. */
static enum elf_error add_segment(struct elf_image *image,
                                  const struct elf_program_header *p,
                                  size_t size)
{
    if (p->filesz > p->memsz)
        return ELF_BAD_SIZE;
    if (p->offset > size || p->filesz > size - p->offset)
        return ELF_TRUNCATED;
    if (p->vaddr < USER_TEXT || p->vaddr >= USER_MAPS ||
        p->memsz > USER_MAPS - p->vaddr)
        return ELF_RANGE;
    if ((p->flags & PF_W) && (p->flags & PF_X))
        return ELF_WX;
    if (!(p->flags & (PF_R | PF_W | PF_X)))
        return ELF_BAD_PHDR;
    uint64_t skew = p->vaddr % PAGE_SIZE;
    if (p->filesz && p->offset % PAGE_SIZE != skew)
        return ELF_MISALIGNED;
    if (image->count == ELF_SEGMENTS_MAX)
        return ELF_BAD_PHDR;
    struct elf_segment *s = &image->segments[image->count];
    *s = (struct elf_segment){
        .vaddr = p->vaddr - skew,
        .memsz = p->memsz + skew,
        .offset = p->filesz ? p->offset - skew : 0,
        .filesz = p->filesz ? p->filesz + skew : 0,
        .prot = prot_of(p->flags),
    };
    if (image->count > 0) {
        const struct elf_segment *before = s - 1;
        uint64_t end = before->vaddr + before->memsz;
        if (s->vaddr < ((end + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1)))
            return ELF_OVERLAP;
    }
    image->count++;
    return ELF_OK;
}

static bool entry_is_code(const struct elf_image *image)
{
    for (int i = 0; i < image->count; i++) {
        const struct elf_segment *s = &image->segments[i];
        if ((s->prot & PROT_X) && image->entry >= s->vaddr &&
            image->entry < s->vaddr + s->memsz)
            return image->entry % 2 == 0;
    }
    return false;
}

enum elf_error elf_parse(struct elf_image *image, const void *file, size_t size)
{
    struct elf_header h;
    if (size < 4 || memcmp(file, "\177ELF", 4) != 0)
        return ELF_NOT_ELF;
    if (size < sizeof(h))
        return ELF_TRUNCATED;
    memcpy(&h, file, sizeof(h)); /* the file may lie at any address */
    enum elf_error error = check_header(&h, size);
    if (error)
        return error;
    image->entry = h.entry;
    image->count = 0;
    for (unsigned i = 0; i < h.phnum; i++) {
        struct elf_program_header p;
        memcpy(&p, (const char *)file + h.phoff + i * sizeof(p), sizeof(p));
        if (p.type == PT_INTERP || p.type == PT_DYNAMIC)
            return ELF_DYNAMIC;
        if (p.type != PT_LOAD || p.memsz == 0)
            continue;
        error = add_segment(image, &p, size);
        if (error)
            return error;
    }
    if (image->count == 0)
        return ELF_BAD_PHDR;
    return entry_is_code(image) ? ELF_OK : ELF_BAD_ENTRY;
}

const char *elf_error_text(enum elf_error error)
{
    static const char *const text[ELF_ERRORS] = {
        [ELF_OK] = "no error",
        [ELF_TRUNCATED] = "the file is shorter than its headers say",
        [ELF_NOT_ELF] = "not an ELF file",
        [ELF_NOT_RISCV] = "not a 64-bit RISC-V executable",
        [ELF_DYNAMIC] = "dynamically linked or position independent",
        [ELF_BAD_PHDR] = "bad program headers",
        [ELF_BAD_SIZE] = "a segment has more bytes in the file than in memory",
        [ELF_OVERLAP] = "segments overlap or are out of order",
        [ELF_WX] = "a segment is both writable and executable",
        [ELF_RANGE] = "a segment is outside the program area",
        [ELF_MISALIGNED] = "a segment's file offset does not match its address",
        [ELF_BAD_ENTRY] = "the entry point is not in the program's code",
        [ELF_FLOAT] = "compiled for floating-point registers",
    };
    if ((unsigned)error >= ELF_ERRORS)
        return "unknown error";
    return text[error];
}
