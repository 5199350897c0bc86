/*
 * A bare-metal M-mode test program for QEMU's virt machine (-bios none): what
 * tests/plic and tests/uart16550 share. It owns the machine: it polls uart0
 * to print, and ends QEMU through the test device.
 *
 *     CASE(name)
 *     {
 *         EXPECT(read32(x), 7);
 *         CHECK(ready);
 *         UNTIL(read32(x) == 8, 1000);
 *     }
 *
 * Cases run in the order of the link, by hart 0, with interrupts off. Each
 * prints `ok NAME` or `FAIL NAME: why`; what fails first ends the case. The
 * last line is `N ok, N failed`; QEMU's status is 0 if none failed.
 */
#ifndef BARE_H
#define BARE_H

#define BARE_HARTS 8
#define BARE_STACK 8192

#ifndef __ASSEMBLER__
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef unsigned long ulong;

struct bare_case {
    const char *name;
    void (*run)(void);
};

#define CASE(name_)                                                 \
    static void name_(void);                                        \
    static const struct bare_case case_##name_                      \
        __attribute__((used, section(".cases"))) = {#name_, name_}; \
    static void name_(void)

/* End the running case as failed. */
__attribute__((noreturn, format(printf, 3, 4))) void
bare_fail(const char *file, int line, const char *format, ...);

#define FAIL(...) bare_fail(__FILE__, __LINE__, __VA_ARGS__)
#define CHECK(what)                    \
    do {                               \
        if (!(what))                   \
            FAIL("not so: %s", #what); \
    } while (0)
#define EXPECT(what, value)                                       \
    do {                                                          \
        ulong got_ = (ulong)(what), wanted_ = (ulong)(value);     \
        if (got_ != wanted_)                                      \
            FAIL("%s is 0x%lx, not 0x%lx", #what, got_, wanted_); \
    } while (0)
/* It becomes true within so many microseconds. */
#define UNTIL(what, us)                                \
    do {                                               \
        uint64_t end_ = bare_time() + (us)*10ull;      \
        while (!(what))                                \
            if (bare_time() > end_)                    \
                FAIL("not in %d us: %s", (us), #what); \
    } while (0)

/* One in tests/NAME/: runs before every case, to put the machine in order. */
void bare_before(void);

/* Of the machine -------------------------------------------------------- */

#define csr_read(csr)                                            \
    ({                                                           \
        ulong v_;                                                \
        __asm__ volatile("csrr %0, " #csr : "=r"(v_)::"memory"); \
        v_;                                                      \
    })
#define csr_write(csr, v) \
    __asm__ volatile("csrw " #csr ", %0" ::"r"((ulong)(v)) : "memory")
#define csr_set(csr, v) \
    __asm__ volatile("csrs " #csr ", %0" ::"r"((ulong)(v)) : "memory")
#define csr_clear(csr, v) \
    __asm__ volatile("csrc " #csr ", %0" ::"r"((ulong)(v)) : "memory")

static inline uint32_t read32(ulong address)
{
    return *(volatile uint32_t *)address;
}
static inline void write32(ulong address, uint32_t value)
{
    *(volatile uint32_t *)address = value;
}
static inline uint8_t read8(ulong address)
{
    return *(volatile uint8_t *)address;
}
static inline void write8(ulong address, uint8_t value)
{
    *(volatile uint8_t *)address = value;
}

/* Time of the machine, 100 ns each. */
static inline uint64_t bare_time(void)
{
    return *(volatile uint64_t *)0x200bff8;
}
void bare_sleep(unsigned us);

/* %s %d %u %x %lx %lu %c only. */
__attribute__((format(printf, 1, 2))) void bare_print(const char *format, ...);

/*
 * Traps and interrupts of any hart go to this function; without one they end
 * the case as failed. regs[n] is register xn; mepc may be changed by csr.
 */
extern void (*bare_hook)(ulong mcause, ulong mepc, ulong *regs);

/* How many harts there are, and let another one run a function to its end. */
unsigned bare_harts(void);
ulong bare_on(unsigned hart, ulong (*function)(ulong), ulong argument);

#include "tests/bare/fdt.h"

#endif
#endif
