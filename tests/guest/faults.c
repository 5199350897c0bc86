/*
 * Forbidden things: each kills the process that does it, with the right
 * cause, pc and address in its status, and nothing of it stays behind.
 */
#include "child.h"

/* scause [priv 4.1.8] */
enum {
    MISALIGNED_FETCH = 0,
    ILLEGAL = 2,
    BREAKPOINT = 3,
    LOAD_ACCESS = 5,
    STORE_ACCESS = 7,
    FETCH_PAGE = 12,
    LOAD_PAGE = 13,
    STORE_PAGE = 15
};

static struct process_status die(void (*fn)(volatile uint64_t *), uint64_t arg)
{
    struct child c;
    child_make(&c);
    c.data[1] = arg;
    child_run(&c, fn, PRIORITY_NORMAL);
    struct process_status status = child_wait_end(&c, 2000);
    struct process_info info;
    uint64_t pid = MUST(sys_process_id(c.process));
    MUST(test_find_process(pid, &info));
    EXPECT(info.threads, 0);
    EXPECT(info.handles, 0);
    child_close(&c);
    EXPECT(test_find_process(pid, &info), E_NOENT);
    EXPECT(status.reason, EXIT_FAULT);
    return status;
}

/* The address of the instruction that dies is put in data[2] first. */
#define DIES(name, code)                                    \
    static BLOB void name(volatile uint64_t *data)          \
    {                                                       \
        register uint64_t x __asm__("a1") = data[1];        \
        register volatile uint64_t *d __asm__("a0") = data; \
        __asm__ volatile("1:\n" code "\n"                   \
                         : "+r"(d), "+r"(x)                 \
                         :                                  \
                         : "t0", "memory");                 \
        blob_call(SYS_process_exit, 0, 0, 0, 0, 0, 0);      \
    }

DIES(do_load, "lw t0, 0(a1)")
DIES(do_store, "sw t0, 0(a1)")
DIES(do_amo, "amoadd.w t0, t0, (a1)")
DIES(do_jump, "jr a1")
DIES(do_illegal, "unimp")
DIES(do_break, "ebreak")
DIES(do_sret, ".word 0x10200073")
DIES(do_mret, ".word 0x30200073")
DIES(do_wfi, ".word 0x12000073") /* sfence.vma */
DIES(do_satp, "csrr t0, satp")
DIES(do_stvec, "csrw stvec, a1")
DIES(do_mstatus, "csrr t0, mstatus")
DIES(do_float, ".word 0x00007053")   /* fadd.s f0,f0,f0 */
DIES(do_sideleg, ".word 0x10302573") /* csrr a0, sideleg */

static void expect(void (*fn)(volatile uint64_t *), uint64_t arg,
                   uint64_t cause, uint64_t address)
{
    struct process_status s = die(fn, arg);
    EXPECT(s.cause, cause);
    EXPECT(s.address, address);
}

/* The pc is inside the function that died. */
static void expect_at(void (*fn)(volatile uint64_t *), uint64_t cause)
{
    struct process_status s = die(fn, 0);
    EXPECT(s.cause, cause);
    uint64_t start = child_address(fn);
    if (s.pc < start || s.pc > start + 64)
        FAIL("pc is 0x%lx, not in 0x%lx..", s.pc, start);
}

TEST(null_load)
{
    expect(do_load, 0, LOAD_PAGE, 0);
}

TEST(null_store)
{
    expect(do_store, 0, STORE_PAGE, 0);
}

TEST(null_jump)
{
    struct process_status s = die(do_jump, 0);
    EXPECT(s.cause, FETCH_PAGE);
    EXPECT(s.pc, 0);
}

TEST(store_to_text)
{
    expect(do_store, CHILD_TEXT, STORE_PAGE, CHILD_TEXT);
}

TEST(amo_to_text)
{
    expect(do_amo, CHILD_TEXT, STORE_PAGE, CHILD_TEXT);
}

TEST(jump_to_data)
{
    expect(do_jump, CHILD_DATA, FETCH_PAGE, CHILD_DATA);
}

TEST(jump_to_stack)
{
    expect(do_jump, CHILD_STACK - 64, FETCH_PAGE, CHILD_STACK - 64);
}

TEST(below_the_stack)
{
    expect(do_store, CHILD_DATA - 8, STORE_PAGE, CHILD_DATA - 8);
}

TEST(above_the_stack)
{
    expect(do_load, CHILD_STACK, LOAD_PAGE, CHILD_STACK);
}

TEST(kernel_half_load)
{
    expect(do_load, 0xffffffc000000000UL, LOAD_PAGE, 0xffffffc000000000UL);
}

TEST(kernel_half_store)
{
    expect(do_store, 0xffffffff80200000UL, STORE_PAGE, 0xffffffff80200000UL);
}

TEST(kernel_half_jump)
{
    expect(do_jump, 0xffffffff80200000UL, FETCH_PAGE, 0xffffffff80200000UL);
}

TEST(address_not_canonical)
{
    expect(do_load, 0x8000000000000000UL, LOAD_PAGE, 0x8000000000000000UL);
}

TEST(plic_not_there)
{
    expect(do_load, USER_UINTR_PLIC, LOAD_PAGE, USER_UINTR_PLIC);
}

TEST(illegal_instruction)
{
    expect_at(do_illegal, ILLEGAL);
}

TEST(breakpoint)
{
    expect_at(do_break, BREAKPOINT);
}

TEST(sret_from_user)
{
    expect_at(do_sret, ILLEGAL);
}

TEST(mret_from_user)
{
    expect_at(do_mret, ILLEGAL);
}

TEST(sfence_from_user)
{
    expect_at(do_wfi, ILLEGAL);
}

TEST(satp_from_user)
{
    expect_at(do_satp, ILLEGAL);
}

TEST(stvec_from_user)
{
    expect_at(do_stvec, ILLEGAL);
}

TEST(mstatus_from_user)
{
    expect_at(do_mstatus, ILLEGAL);
}

TEST(sideleg_from_user)
{
    expect_at(do_sideleg, ILLEGAL);
}

TEST(float_from_user)
{
    expect_at(do_float, ILLEGAL);
}

TEST(only_the_process_that_faults)
{
    struct child good;
    child_make(&good);
    script(&good, 0, SCRIPT_SPIN, 0, 0, 0, 0, 0, 0);
    child_run(&good, child_script, PRIORITY_NORMAL);
    for (int i = 0; i < 20; i++)
        expect(do_load, 0, LOAD_PAGE, 0);
    uint64_t before = good.data[7];
    CHECK(EVENTUALLY(good.data[7] > before, 5000));
    child_kill(&good);
}

/* A fault in one thread ends all the threads of its process. */
TEST(fault_ends_siblings)
{
    struct child c;
    child_make(&c);
    script(&c, 0, SCRIPT_SPIN, 0, 0, 0, 0, 0, 0);
    child_run(&c, child_script, PRIORITY_NORMAL);
    clock_sleep_ns(2 * MS);
    c.data[1] = 0;
    int64_t second =
        MUST(sys_thread_create(c.process, child_address(do_illegal),
                               CHILD_STACK - 4096, CHILD_DATA, 3, 0));
    struct process_status s = child_wait_end(&c, 2000);
    EXPECT(s.reason, EXIT_FAULT);
    EXPECT(s.cause, ILLEGAL);
    sys_handle_close(second);
    child_close(&c);
}

TEST(nothing_stays_behind)
{
    expect(do_load, 0, LOAD_PAGE, 0);
    uint64_t before = test_memory().free;
    for (int i = 0; i < 100; i++)
        expect(i & 1 ? do_load : do_store, 0, i & 1 ? LOAD_PAGE : STORE_PAGE,
               0);
    EXPECT(test_memory().free, before);
}

TEST_MAIN
