/* Says what happened, through the firmware, and powers off with failure. */
#include "kernel/hart.h"
#include "kernel/log.h"
#include "kernel/sbi.h"

uint64_t panic_frame[36];
static char panic_stack[4096] __attribute__((aligned(16), used));
__asm__(".globl panic_stack_top\n"
        ".set panic_stack_top, panic_stack + 4096");

extern char kernel_start[], kernel_rodata[];

#define say(...) format_print(sbi_putchar, __VA_ARGS__)

/* Frame pointers: fp[-1] is the return address, fp[-2] the caller's fp. */
static void backtrace(const uint64_t *fp)
{
    say("backtrace (build/kernel/kernel.elf):");
    for (int depth = 0; depth < 16; depth++) {
        uint64_t at = (uint64_t)fp;

        if ((at & 7) || at < (uint64_t)kernel_rodata ||
            at > (uint64_t)kernel_start + (2 << 20))
            break;
        uint64_t ra = fp[-1];
        if (depth == 0 && (ra & ~0x1fffffUL) == (at & ~0x1fffffUL) &&
            ra > (uint64_t)kernel_rodata) {
            fp = (const uint64_t *)ra; /* a leaf: it kept only fp */
            continue;
        }
        if (ra < (uint64_t)kernel_start || ra >= (uint64_t)kernel_rodata)
            break;
        say(" 0x%lx", ra);
        fp = (const uint64_t *)fp[-2];
    }
    say("\n");
}

static _Noreturn void end(void)
{
    sbi_reset(SBI_RESET_SHUTDOWN, 1);
    for (;;)
        __asm__ volatile("wfi");
}

static void begin(void)
{
    say("\nPANIC hart %lu: ", this_hart ? this_hart->id : 0);
}

_Noreturn void panic(const char *format, ...)
{
    va_list args;

    begin();
    va_start(args, format);
    format_text(sbi_putchar, format, args);
    va_end(args);
    say("\n");
    backtrace(__builtin_frame_address(0));
    end();
}

_Noreturn void panic_trap(uint64_t cause, uint64_t address, uint64_t *frame)
{
    uint64_t *x = frame + 2; /* as struct thread: object header, then pc */

    begin();
    say("trap in the kernel, scause 0x%lx stval 0x%lx pc 0x%lx\n", cause,
        address, x[0]);
    say("ra %lx sp %lx tp %lx s0 %lx s1 %lx\n", x[1], x[2], x[4], x[8], x[9]);
    for (int i = 10; i < 18; i++)
        say("a%d %lx%c", i - 10, x[i], i == 17 ? '\n' : ' ');
    say("backtrace: 0x%lx 0x%lx\n", x[0], x[1]);
    backtrace((const uint64_t *)x[8]);
    end();
}
