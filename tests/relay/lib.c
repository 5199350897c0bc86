/* What relay.h promises. */
#include "relay.h"

enum { UART0 = 0x10000000, TEST_DEVICE = 0x100000 };
enum { IER = 1, IIR = 2, LSR = 5, IER_THRE = 2, LSR_THRE = 0x20 };
enum { ALARM_LOW = 8, ALARM_HIGH = 12, ENABLED = 16, ALARM_OFF = 20 };
enum { INTERRUPT_OFF = 28, TEST_PASS = 0x5555, TEST_FAIL = 0x13333 };
enum { PRIORITY = 4, ENABLE = 0x2000, CONTEXT = 0x200000, CLAIM = 4 };
enum { SSIP = 2, S_EXTERNAL = 9 };

static ulong root[512] __attribute__((aligned(4096)));
static ulong rtc, plic, context;
ulong rtc_source, word, here;
const char *running;
bool failed;

/* ---- printing and judging ----------------------------------------------- */

void print(const char *s)
{
    for (; *s; s++) {
        while (!(read8(UART0 + LSR) & LSR_THRE)) {}
        write8(UART0, *s);
    }
}

void print_number(long value)
{
    char text[24];
    int n = sizeof(text) - 1;
    ulong rest = value < 0 ? -(ulong)value : (ulong)value;

    text[n] = 0;
    do {
        text[--n] = "0123456789"[rest % 10];
        rest /= 10;
    } while (rest);
    if (value < 0)
        text[--n] = '-';
    print(text + n);
}

void show(const char *what, long value)
{
    print("# ");
    print(what);
    print(": ");
    print_number(value);
    print("\n");
}

void expect(const char *what, long got, long wanted)
{
    if (got == wanted || failed)
        return;
    failed = true;
    print("FAIL ");
    print(running);
    print(": ");
    print(what);
    print(" is ");
    print_number(got);
    print(", not ");
    print_number(wanted);
    print("\n");
}

_Noreturn void finish(bool good)
{
    write32(TEST_DEVICE, good ? TEST_PASS : TEST_FAIL);
    for (;;) {}
}

/* From start.S. */
_Noreturn void trapped(ulong cause, ulong pc, ulong value);
_Noreturn void trapped(ulong cause, ulong pc, ulong value)
{
    print("FAIL ");
    print(running ? running : "start");
    print(": trap into S-mode, cause, pc, value:\n");
    show("cause", cause);
    show("pc", pc);
    show("value", value);
    finish(false);
}

/* ---- the machine -------------------------------------------------------- */

struct answer uinta(ulong function, ulong x0, ulong x1)
{
    return sbi(SBI_EXT_UINTA, function, x0, x1, 0);
}

long count(ulong which)
{
    return uinta(SBI_UINTA_RELAY_COUNT, which, 0).value;
}

/* The context whose line the firmware shows as this hart's S line. */
void find_machine(ulong hart, const void *tree)
{
    unsigned size;

    here = hart;
    bare_dtb = tree;

    plic = fdt_address("riscv,plic0", 0);
    rtc = fdt_address("google,goldfish-rtc", 0);
    rtc_source = fdt_cell(
        fdt_property("google,goldfish-rtc", 0, "interrupts", &size), 0);
    context = fdt_context(hart, S_EXTERNAL);
}

void paging_on(void)
{
    enum { V = 1, R = 2, W = 4, X = 8, A = 64, D = 128 };
    ulong ram = 0x80000000UL >> 12 << 10;

    root[0] = V | R | W | A | D;
    root[2] = ram | V | R | W | X | A | D;
    root[3] = ram | V | R | W | A | D; /* ALIAS */
    csr_write(satp, 8UL << 60 | (ulong)root >> 12);
    __asm__ volatile("sfence.vma" ::: "memory");
}

ulong claim_register(void)
{
    return plic + CONTEXT + 0x1000 * context + CLAIM;
}

void rtc_raise(void)
{
    write32(rtc + ENABLED, 1);
    write32(rtc + ALARM_HIGH, 0);
    write32(rtc + ALARM_LOW, 1);
}

void rtc_lower(void)
{
    write32(rtc + ALARM_OFF, 1);
    write32(rtc + INTERRUPT_OFF, 1);
}

void uart_raise(void)
{
    write8(UART0 + IER, IER_THRE);
}

void uart_lower(void)
{
    write8(UART0 + IER, 0);
    read8(UART0 + IIR);
}

void begin(void)
{
    rtc_lower();
    uart_lower();
    write32(plic + PRIORITY * rtc_source, 1);
    write32(plic + PRIORITY * UART_SOURCE, 1);
    write32(plic + ENABLE + 0x80 * context,
            1u << rtc_source | 1 << UART_SOURCE);
    write32(plic + CONTEXT + 0x1000 * context, 0);
    write32(claim_register(), rtc_source);
    write32(claim_register(), UART_SOURCE);
    /* QEMU's PLIC forgets a pending source only when it is claimed */
    for (uint32_t source; (source = read32(claim_register()));)
        write32(claim_register(), source);
    csr_clear(sip, SSIP);
    word = 0;
}

long take(void)
{
    csr_clear(sip, SSIP);
    return __atomic_exchange_n(&word, 0, __ATOMIC_ACQUIRE);
}

bool ssip(void)
{
    return csr_read(sip) & SSIP;
}
