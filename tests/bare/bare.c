/* Cases, printing, traps and other harts of a bare-metal test program. */
#include <stdarg.h>

#include "tests/bare/bare.h"

enum { UART0 = 0x10000000, TEST = 0x100000, CLINT = 0x2000000 };
enum { LSR = 5, LSR_THRE = 0x20, TEST_PASS = 0x5555, TEST_FAIL = 0x13333 };

extern const struct bare_case bare_cases[], bare_cases_end[];

static const struct bare_case *running;
static void *out_of_case[5]; /* of __builtin_setjmp */

static struct {
    ulong (*volatile function)(ulong);
    volatile ulong argument, result;
} work[BARE_HARTS];

void (*bare_hook)(ulong mcause, ulong mepc, ulong *regs);

static ulong this_hart(void)
{
    return csr_read(mhartid);
}

/* ---- printing ----------------------------------------------------------- */

static void put(char c)
{
    while (!(read8(UART0 + LSR) & LSR_THRE)) {}
    write8(UART0, c);
}

static void put_number(ulong value, unsigned base)
{
    char digits[24];
    int n = 0;

    do {
        digits[n++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    while (n)
        put(digits[--n]);
}

static void print(const char *format, va_list values)
{
    for (; *format; format++) {
        if (*format != '%') {
            put(*format);
            continue;
        }
        bool wide = *++format == 'l';

        if (wide)
            format++;
        if (*format == 's') {
            for (const char *s = va_arg(values, const char *); *s; s++)
                put(*s);
        } else if (*format == 'c') {
            put(va_arg(values, int));
        } else if (*format == 'd') {
            long v = wide ? va_arg(values, long) : va_arg(values, int);

            if (v < 0)
                put('-');
            put_number(v < 0 ? -(ulong)v : (ulong)v, 10);
        } else {
            put_number(wide ? va_arg(values, ulong) : va_arg(values, unsigned),
                       *format == 'x' ? 16 : 10);
        }
    }
}

void bare_print(const char *format, ...)
{
    va_list values;

    va_start(values, format);
    print(format, values);
    va_end(values);
}

void bare_fail(const char *file, int line, const char *format, ...)
{
    va_list values;

    bare_print("FAIL %s: %s:%d: ", running ? running->name : "start", file,
               line);
    va_start(values, format);
    print(format, values);
    va_end(values);
    put('\n');
    if (!running || this_hart() != 0)
        write32(TEST, TEST_FAIL);
    __builtin_longjmp(out_of_case, 1);
}

/* ---- traps and other harts ---------------------------------------------- */

void bare_trap(ulong *regs); /* from start.S */
void bare_trap(ulong *regs)
{
    if (!bare_hook)
        FAIL("hart %lu: unexpected trap: mcause 0x%lx, mepc 0x%lx, mtval 0x%lx",
             this_hart(), csr_read(mcause), csr_read(mepc), csr_read(mtval));
    bare_hook(csr_read(mcause), csr_read(mepc), regs);
}

void bare_other(void); /* from start.S */
void bare_other(void)
{
    ulong hart = this_hart();

    for (;;) {
        __asm__ volatile("wfi");
        write32(CLINT + 4 * hart, 0);
        __asm__ volatile("fence" ::: "memory");
        if (work[hart].function) {
            work[hart].result = work[hart].function(work[hart].argument);
            __asm__ volatile("fence" ::: "memory");
            work[hart].function = NULL;
        }
    }
}

ulong bare_on(unsigned hart, ulong (*function)(ulong), ulong argument)
{
    if (hart == this_hart())
        return function(argument);
    CHECK(hart < bare_harts());
    work[hart].argument = argument;
    __asm__ volatile("fence" ::: "memory");
    work[hart].function = function;
    __asm__ volatile("fence" ::: "memory");
    write32(CLINT + 4 * hart, 1);
    UNTIL(!work[hart].function, 10000000);
    return work[hart].result;
}

unsigned bare_harts(void)
{
    unsigned harts = fdt_harts();

    return harts < BARE_HARTS ? harts : BARE_HARTS;
}

void bare_sleep(unsigned us)
{
    for (uint64_t end = bare_time() + us * 10ull; bare_time() < end;) {}
}

/* ---- cases -------------------------------------------------------------- */

__attribute__((weak)) void bare_before(void)
{
}

void bare_main(const void *dtb); /* from start.S */
void bare_main(const void *dtb)
{
    /* Static: the jump out of a case must not lose them. */
    static unsigned ok, failed;

    bare_dtb = dtb;
    for (running = bare_cases; running < bare_cases_end; running++) {
        if (__builtin_setjmp(out_of_case)) {
            failed++;
        } else {
            bare_hook = NULL;
            bare_before();
            running->run();
            bare_print("ok %s\n", running->name);
            ok++;
        }
        csr_clear(mstatus, 8);
        csr_write(mie, 0);
    }
    bare_print("%u ok, %u failed\n", ok, failed);
    write32(TEST, failed ? TEST_FAIL : TEST_PASS);
}
