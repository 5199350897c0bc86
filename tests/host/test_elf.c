/* link: user/lib/elf.c */
/*
 * The ELF checker: a good image, each way to be bad by name, and every
 * truncation and many mutations under ASan: none may read beyond its bytes.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "uinta/elf.h"
#include "abi/layout.h"
#include "abi/object.h"

enum { HEADER = 64, PHDR = 56, FILE_SIZE = 0x3100 };
enum { TYPE = 16, MACHINE = 18, ENTRY = 24, PHOFF = 32, FLAGS = 48 };
enum { PHENTSIZE = 54, PHNUM = 56 };
enum {
    P_TYPE = 0,
    P_FLAGS = 4,
    P_OFFSET = 8,
    P_VADDR = 16,
    P_FILESZ = 32,
    P_MEMSZ = 40
};

static unsigned char *image;

static void put(size_t at, uint64_t value, size_t bytes)
{
    memcpy(image + at, &value, bytes);
}

static void put_segment(int i, uint32_t flags, uint64_t offset, uint64_t vaddr,
                        uint64_t filesz, uint64_t memsz)
{
    size_t at = HEADER + (size_t)i * PHDR;
    put(at + P_TYPE, 1, 4);
    put(at + P_FLAGS, flags, 4);
    put(at + P_OFFSET, offset, 8);
    put(at + P_VADDR, vaddr, 8);
    put(at + P_FILESZ, filesz, 8);
    put(at + P_MEMSZ, memsz, 8);
}

/* Text, constants, data with a bss of two pages. */
static int setup(void **state)
{
    (void)state;
    free(image);
    image = calloc(1, FILE_SIZE);
    memcpy(image, "\177ELF\2\1\1", 7);
    put(TYPE, 2, 2);
    put(MACHINE, 243, 2);
    put(ENTRY, 0x10004, 8);
    put(PHOFF, HEADER, 8);
    put(PHENTSIZE, PHDR, 2);
    put(PHNUM, 3, 2);
    put_segment(0, 5, 0x1000, 0x10000, 0x800, 0x800);
    put_segment(1, 4, 0x2000, 0x11000, 0x100, 0x100);
    put_segment(2, 6, 0x3000, 0x12000, 0x100, 0x2000);
    return 0;
}

static enum elf_error parse(void)
{
    struct elf_image out;
    return elf_parse(&out, image, FILE_SIZE);
}

static void good_image_lists_its_segments(void **state)
{
    (void)state;
    struct elf_image out;
    assert_int_equal(elf_parse(&out, image, FILE_SIZE), ELF_OK);
    assert_int_equal(out.count, 3);
    assert_int_equal(out.entry, 0x10004);
    assert_int_equal(out.segments[0].prot, PROT_R | PROT_X);
    assert_int_equal(out.segments[1].prot, PROT_R);
    assert_int_equal(out.segments[2].prot, PROT_R | PROT_W);
    assert_int_equal(out.segments[2].vaddr, 0x12000);
    assert_int_equal(out.segments[2].offset, 0x3000);
    assert_int_equal(out.segments[2].filesz, 0x100);
    assert_int_equal(out.segments[2].memsz, 0x2000);
}

static void start_inside_a_page_is_rounded_down(void **state)
{
    (void)state;
    struct elf_image out;
    put_segment(2, 6, 0x3010, 0x12010, 0xf0, 0x1000);
    assert_int_equal(elf_parse(&out, image, FILE_SIZE), ELF_OK);
    assert_int_equal(out.segments[2].vaddr, 0x12000);
    assert_int_equal(out.segments[2].offset, 0x3000);
    assert_int_equal(out.segments[2].filesz, 0x100);
    assert_int_equal(out.segments[2].memsz, 0x1010);
}

static void wrong_header(void **state)
{
    (void)state;
    put(0, 0, 1);
    assert_int_equal(parse(), ELF_NOT_ELF);
    setup(state);
    put(MACHINE, 62, 2);
    assert_int_equal(parse(), ELF_NOT_RISCV);
    setup(state);
    put(4, 1, 1);
    assert_int_equal(parse(), ELF_NOT_RISCV);
    setup(state);
    put(TYPE, 3, 2);
    assert_int_equal(parse(), ELF_DYNAMIC);
    setup(state);
    put(FLAGS, 4, 4);
    assert_int_equal(parse(), ELF_FLOAT);
    setup(state);
    put(PHNUM, 0, 2);
    assert_int_equal(parse(), ELF_BAD_PHDR);
    setup(state);
    put(PHENTSIZE, 32, 2);
    assert_int_equal(parse(), ELF_BAD_PHDR);
    setup(state);
    put(PHNUM, 0xffff, 2);
    assert_int_equal(parse(), ELF_TRUNCATED);
    setup(state);
    put(PHOFF, ~0UL, 8);
    assert_int_equal(parse(), ELF_TRUNCATED);
    setup(state);
    put(HEADER + P_TYPE, 3, 4);
    assert_int_equal(parse(), ELF_DYNAMIC);
}

static void wrong_segment(void **state)
{
    const struct {
        uint32_t flags;
        uint64_t offset, vaddr, filesz, memsz;
        enum elf_error error;
    } cases[] = {
        {7, 0x1000, 0x10000, 0x800, 0x800, ELF_WX},
        {5, 0x1000, 0x10000, 0x900, 0x800, ELF_BAD_SIZE},
        {5, 0x1000, 0x10000, 0x8000, 0x8000, ELF_TRUNCATED},
        {5, ~0UL, 0x10000, 0x800, 0x800, ELF_TRUNCATED},
        {5, 0x1000, 0x10000, ~0UL, ~0UL, ELF_TRUNCATED},
        {5, 0x1000, 0xf000, 0x800, 0x800, ELF_RANGE},
        {5, 0x1000, USER_MAPS, 0x800, 0x800, ELF_RANGE},
        {5, 0x1000, USER_MAPS - 0x1000, 0x800, 0x1001, ELF_RANGE},
        {5, 0x1000, 0x10000, 0x800, ~0UL, ELF_RANGE},
        {5, 0x1000, ~0UL - 0xfff, 0x800, 0x800, ELF_RANGE},
        {5, 0x1001, 0x10000, 0x800, 0x800, ELF_MISALIGNED},
        {5, 0x1000, 0x10000, 0x800, 0x1001, ELF_OVERLAP},
        {5, 0x1000, 0x20000, 0x800, 0x800, ELF_OVERLAP},
        {4, 0x1000, 0x10000, 0x800, 0x800, ELF_BAD_ENTRY},
        {0, 0x1000, 0x10000, 0x800, 0x800, ELF_BAD_PHDR},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        setup(state);
        put_segment(0, cases[i].flags, cases[i].offset, cases[i].vaddr,
                    cases[i].filesz, cases[i].memsz);
        assert_int_equal(parse(), cases[i].error);
    }
}

static void entry_must_be_code(void **state)
{
    (void)state;
    put(ENTRY, 0x12000, 8);
    assert_int_equal(parse(), ELF_BAD_ENTRY);
    put(ENTRY, 0x10800, 8);
    assert_int_equal(parse(), ELF_BAD_ENTRY);
    put(ENTRY, 0x10001, 8);
    assert_int_equal(parse(), ELF_BAD_ENTRY);
}

static void too_many_segments(void **state)
{
    (void)state;
    put(PHNUM, ELF_SEGMENTS_MAX + 1, 2);
    for (int i = 0; i <= ELF_SEGMENTS_MAX; i++)
        put_segment(i, 5, 0x1000, 0x10000 + 0x1000 * (uint64_t)i, 0x10, 0x10);
    assert_int_equal(parse(), ELF_BAD_PHDR);
}

/* Each prefix in a buffer of exactly its size. */
static void every_truncation_is_refused(void **state)
{
    (void)state;
    struct elf_image out;
    for (size_t size = 0; size < 0x3100; size += size < 300 ? 1 : 61) {
        unsigned char *prefix = malloc(size ? size : 1);
        memcpy(prefix, image, size);
        enum elf_error error = elf_parse(&out, prefix, size);
        assert_true(error == ELF_TRUNCATED || error == ELF_NOT_ELF);
        free(prefix);
    }
}

/* Whatever it says, what it accepts must be safe to map. */
static void mutations_never_pass_unsafe(void **state)
{
    uint64_t seed = 88172645463325252UL;
    for (int round = 0; round < 200000; round++) {
        if (round % 8 == 0)
            setup(state);
        seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
        image[seed % (HEADER + 3 * PHDR)] = (unsigned char)(seed >> 32);
        struct elf_image out;
        if (elf_parse(&out, image, FILE_SIZE) != ELF_OK)
            continue;
        uint64_t end = USER_TEXT;
        for (int i = 0; i < out.count; i++) {
            const struct elf_segment *s = &out.segments[i];
            assert_true(s->vaddr % PAGE_SIZE == 0 && s->vaddr >= end);
            end = s->vaddr + s->memsz;
            assert_true(end > s->vaddr && end <= USER_MAPS);
            assert_true(s->filesz <= s->memsz);
            assert_true(s->offset <= FILE_SIZE &&
                        s->filesz <= FILE_SIZE - s->offset);
            assert_false((s->prot & PROT_W) && (s->prot & PROT_X));
        }
    }
}

static void every_error_has_a_sentence(void **state)
{
    (void)state;
    for (int e = ELF_OK; e < ELF_ERRORS; e++)
        assert_non_null(elf_error_text((enum elf_error)e));
    assert_string_equal(elf_error_text((enum elf_error)99), "unknown error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(good_image_lists_its_segments, setup),
        cmocka_unit_test_setup(start_inside_a_page_is_rounded_down, setup),
        cmocka_unit_test_setup(wrong_header, setup),
        cmocka_unit_test_setup(wrong_segment, setup),
        cmocka_unit_test_setup(entry_must_be_code, setup),
        cmocka_unit_test_setup(too_many_segments, setup),
        cmocka_unit_test_setup(every_truncation_is_refused, setup),
        cmocka_unit_test_setup(mutations_never_pass_unsafe, setup),
        cmocka_unit_test(every_error_has_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
