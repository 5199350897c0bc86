/* link: */
/*
 * Frame and object allocators of the kernel, over a piece of host memory:
 * against a model that knows only which frames are out, and for the mistakes
 * they must catch (a panic ends the test case that expects it).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static uintptr_t phys_offset;
#define PHYS_OFFSET phys_offset
#include "kernel/frame.c"
#include "kernel/pool.c"

enum { BASE = 0x80000000, FRAMES = 300, BITMAP_FRAMES = 1 };
enum { END = BASE + FRAMES * PAGE_SIZE, FREE = FRAMES - BITMAP_FRAMES };

static jmp_buf panicked;
static void *memory;

_Noreturn void panic(const char *format, ...)
{
    (void)format;
    longjmp(panicked, 1);
}

#define EXPECT_PANIC(statement)                   \
    do {                                          \
        if (setjmp(panicked) == 0) {              \
            statement;                            \
            fail_msg("no panic: %s", #statement); \
        }                                         \
    } while (0)

static int setup(void **state)
{
    (void)state;
    memory = aligned_alloc(PAGE_SIZE, FRAMES * PAGE_SIZE);
    phys_offset = (uintptr_t)memory - BASE;
    uint64_t used = frame_init(BASE, END, BASE);
    assert_int_equal(used, BITMAP_FRAMES * PAGE_SIZE);
    assert_int_equal(frame_count_free(), 0);
    frame_release(BASE + used, END);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(memory);
    return 0;
}

static bool valid(uint64_t f)
{
    return page_aligned(f) && f >= BASE + BITMAP_FRAMES * PAGE_SIZE && f < END;
}

static void all_frames_once_then_none(void **state)
{
    (void)state;
    bool out[FRAMES] = {false};
    assert_int_equal(frame_count_free(), FREE);
    for (int i = 0; i < FREE; i++) {
        uint64_t f = frame_alloc();
        assert_true(valid(f));
        assert_false(out[(f - BASE) / PAGE_SIZE]);
        out[(f - BASE) / PAGE_SIZE] = true;
        memset(phys_to_virt(f), 0xee, PAGE_SIZE); /* all of it is ours */
    }
    assert_int_equal(frame_alloc(), 0);
    assert_int_equal(frame_alloc_zero(), 0);
    assert_int_equal(frame_alloc_run(1), 0);
    assert_int_equal(frame_count_free(), 0);
}

static void zeroed_is_zero_and_freed_is_junk(void **state)
{
    (void)state;
    uint64_t f = frame_alloc();
    memset(phys_to_virt(f), 0x77, PAGE_SIZE);
    frame_free(f);
    const unsigned char *bytes = phys_to_virt(f);
    for (unsigned i = sizeof(struct list); i < PAGE_SIZE; i++)
        assert_int_equal(bytes[i], JUNK);
    for (int i = 0; i < FREE; i++) {
        bytes = phys_to_virt(frame_alloc_zero());
        for (unsigned k = 0; k < PAGE_SIZE; k++)
            assert_int_equal(bytes[k], 0);
    }
}

static void runs_are_contiguous(void **state)
{
    (void)state;
    assert_int_equal(frame_alloc_run(0), 0);
    assert_int_equal(frame_alloc_run(FREE + 1), 0);
    assert_int_equal(frame_alloc_run(~0UL), 0);
    uint64_t all = frame_alloc_run(FREE);
    assert_int_equal(all, BASE + BITMAP_FRAMES * PAGE_SIZE);
    assert_int_equal(frame_alloc(), 0);
    /* Every other frame free: no run of two, though half is free. */
    for (uint64_t i = 0; i < FREE; i += 2)
        frame_free(all + i * PAGE_SIZE);
    assert_int_equal(frame_alloc_run(2), 0);
    assert_true(valid(frame_alloc_run(1)));
    frame_free(all + 101 * PAGE_SIZE);
    uint64_t run = frame_alloc_run(3);
    assert_int_equal(run, all + 100 * PAGE_SIZE);
}

static void release_gives_whole_frames_of_ram(void **state)
{
    (void)state;
    uint64_t from = frame_alloc_run(FREE) + 50 * PAGE_SIZE;
    frame_release(0, BASE + 1); /* outside RAM, and the bitmap: no effect */
    frame_release(END - 1, END + 10 * PAGE_SIZE);
    assert_int_equal(frame_count_free(), 0);
    frame_release(from + 1, from + 3 * PAGE_SIZE - 1);
    assert_int_equal(frame_count_free(), 1);
    frame_release(from, from + 4 * PAGE_SIZE);
    assert_int_equal(frame_count_free(), 4);
}

static void mistakes_are_caught(void **state)
{
    (void)state;
    uint64_t f = frame_alloc();
    frame_free(f);
    EXPECT_PANIC(frame_free(f)); /* twice */
    EXPECT_PANIC(frame_free(frame_alloc() + 8));
    EXPECT_PANIC(frame_free(BASE - PAGE_SIZE));
    EXPECT_PANIC(frame_free(END));
    EXPECT_PANIC(frame_free(0));
}

static void ram_or_not(void **state)
{
    (void)state;
    assert_true(frame_is_ram(BASE, PAGE_SIZE));
    assert_true(frame_is_ram(END - 1, 1));
    assert_true(frame_is_ram(0, END));
    assert_false(frame_is_ram(0, BASE));
    assert_false(frame_is_ram(END, PAGE_SIZE));
    /* A range that goes round 2^64 is no way past the check. */
    assert_true(frame_is_ram(BASE, -(uint64_t)BASE));
}

/* Singles and runs, freed in any order: counts and owners always agree. */
static void random_against_model(void **state)
{
    (void)state;
    uint64_t held[FRAMES];
    bool out[FRAMES] = {false};
    unsigned count = 0;
    srandom(29);
    for (int round = 0; round < 100000; round++) {
        if (random() % 2 && count) {
            unsigned k = random() % count;
            out[(held[k] - BASE) / PAGE_SIZE] = false;
            frame_free(held[k]);
            held[k] = held[--count];
        } else {
            uint64_t n = random() % 3 ? 1 : 1 + random() % 20;
            uint64_t f = n == 1 ? frame_alloc() : frame_alloc_run(n);
            if (!f) {
                /* Then the model must find no such run either. */
                uint64_t length = 0;
                for (int i = BITMAP_FRAMES; i < FRAMES; i++) {
                    length = out[i] ? 0 : length + 1;
                    assert_true(length < n);
                }
                continue;
            }
            for (uint64_t i = 0; i < n; i++) {
                uint64_t one = f + i * PAGE_SIZE;
                assert_true(valid(one));
                assert_false(out[(one - BASE) / PAGE_SIZE]);
                out[(one - BASE) / PAGE_SIZE] = true;
                held[count++] = one;
            }
        }
        assert_int_equal(frame_count_free(), FREE - count);
    }
}

/* Objects */

static void objects_do_not_overlap(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {8, 24, 72, 400, 2000, 4000};
    for (unsigned s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
        struct pool pool = {.size = sizes[s]};
        unsigned char *objects[200];
        unsigned count = 0;
        srandom(31);
        for (int round = 0; round < 20000; round++) {
            if (count < 200 && random() % 2) {
                unsigned char *o = pool_alloc(&pool);
                assert_non_null(o);
                for (uint32_t i = 0; i < pool.size; i++)
                    assert_int_equal(o[i], 0);
                memset(o, 1 + count % 255, pool.size);
                objects[count++] = o;
            } else if (count) {
                unsigned k = random() % count;
                unsigned char *o = objects[k];
                for (uint32_t i = 1; i < pool.size; i++)
                    assert_int_equal(o[i], o[0]); /* nobody wrote here */
                pool_free(&pool, o);
                objects[k] = objects[--count];
            }
            assert_int_equal(pool.live, count);
        }
        while (count)
            pool_free(&pool, objects[--count]);
        /* Nothing stays behind. */
        assert_int_equal(frame_count_free(), FREE);
    }
}

static void a_pool_without_memory_says_so(void **state)
{
    (void)state;
    struct pool pool = {.size = 1000};
    void *last = NULL, *o;
    unsigned count = 0;
    for (; (o = pool_alloc(&pool)); count++)
        last = o;
    assert_int_equal(count, FREE * 4);
    assert_null(pool_alloc(&pool));
    pool_free(&pool, last);
    assert_ptr_equal(pool_alloc(&pool), last);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_frames_once_then_none),
        TEST(zeroed_is_zero_and_freed_is_junk),
        TEST(runs_are_contiguous),
        TEST(release_gives_whole_frames_of_ram),
        TEST(mistakes_are_caught),
        TEST(ram_or_not),
        TEST(random_against_model),
        TEST(objects_do_not_overlap),
        TEST(a_pool_without_memory_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
