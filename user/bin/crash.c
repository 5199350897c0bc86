/*
 * crash KIND: does one thing that the machine forbids, so that one can see
 * what becomes of a process that does. If it is still there afterwards, the
 * protection failed, and it says so.
 */
#include <stdint.h>
#include "abi/layout.h"
#include "tool.h"

static const int constant = 1;
static uint32_t data[2] = {0x00000013, 0x00008067}; /* nop; ret */

static void null_load(void)
{
    *(volatile int *)0;
}

static void null_store(void)
{
    *(volatile int *)0 = 1;
}

static void null_call(void)
{
    void (*volatile f)(void) = NULL;
    f();
}

static void store_rodata(void)
{
    *(volatile int *)&constant = 2;
}

static void store_text(void)
{
    *(volatile uint32_t *)(uintptr_t)store_rodata = 0;
}

static void exec_data(void)
{
    void (*volatile f)(void) = (void (*)(void))(uintptr_t)data;
    f();
}

static void exec_stack(void)
{
    volatile uint32_t code[2] = {0x00000013, 0x00008067};
    void (*volatile f)(void) = (void (*)(void))(uintptr_t)code;
    f();
}

static void illegal(void)
{
    __asm__ volatile("unimp");
}

/* S-mode's registers are not for programs [priv 2.1]. */
static void privileged(void)
{
    __asm__ volatile("csrr t0, sstatus" ::: "t0");
}

static void breakpoint(void)
{
    __asm__ volatile("ebreak");
}

static void kernel(void)
{
    *(volatile int *)0xffffffc000000000UL;
}

/* A word that lies half in a page that is there and half in none. */
static void misaligned(void)
{
    *(volatile uint64_t *)(USER_TEXT - 4);
}

static void jump_odd(void)
{
    __asm__ volatile("li t0, 2\n jr t0" ::: "t0");
}

static volatile int depth_wanted = 1 << 30;

static int deeper(volatile char *above, int depth)
{
    volatile char here[1024];
    here[0] = *above;
    return depth == depth_wanted ? 0 : deeper(here, depth + 1) + here[0];
}

static void stack(void)
{
    char start = 0;
    deeper(&start, 0);
}

static void do_abort(void)
{
    abort();
}

static const struct {
    const char *name;
    void (*run)(void);
    const char *what;
} kinds[] = {
    {"null", null_load, "load from address 0"},
    {"null-store", null_store, "store to address 0"},
    {"null-call", null_call, "call address 0"},
    {"store-rodata", store_rodata, "store to a constant"},
    {"store-text", store_text, "store to code"},
    {"exec-data", exec_data, "jump to data"},
    {"exec-stack", exec_stack, "jump to the stack"},
    {"illegal", illegal, "an illegal instruction"},
    {"privileged", privileged, "read a register of S-mode"},
    {"breakpoint", breakpoint, "ebreak with no debugger"},
    {"kernel", kernel, "load from the kernel's half"},
    {"misaligned", misaligned, "a load across the edge of a mapping"},
    {"jump", jump_odd, "jump into unmapped memory"},
    {"stack", stack, "recursion without end"},
    {"abort", do_abort, "abort()"},
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

int main(int argc, char **argv)
{
    if (argc == 2)
        for (int i = 0; i < KINDS; i++)
            if (strcmp(argv[1], kinds[i].name) == 0) {
                kinds[i].run();
                printf("crash: %s: survived, protection failed\n", argv[1]);
                return 1;
            }
    if (argc == 2)
        fprintf(stderr, "crash: no kind '%s'\n", argv[1]);
    fprintf(stderr, "usage: crash KIND\n");
    for (int i = 0; i < KINDS; i++)
        fprintf(stderr, "  %-13s %s\n", kinds[i].name, kinds[i].what);
    return 2;
}
