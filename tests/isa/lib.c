/*
 * What the cases stand on: SBI, printing, the run-time code buffer, the RTC
 * and the PLIC, and the reset between cases.
 */
#include "isa.h"
#include "tests/bare/sbi.h"

enum { SBI_PUTCHAR = 1, SBI_TIME = 0x54494d45 };
enum { PLIC_ENABLE = 0x2000, PLIC_CONTEXT = 0x200000 };
enum { RTC_TIME_LOW, RTC_TIME_HIGH, RTC_ALARM_LOW, RTC_ALARM_HIGH };
enum { RTC_IRQ_ENABLED = 4, RTC_CLEAR_ALARM, RTC_CLEAR_INTERRUPT = 7 };

unsigned failed;
static unsigned passed, hidden;
static const char *case_name;
static bool case_failed;

struct log user_log __attribute__((aligned(4096)));
uint32_t code[1024] __attribute__((aligned(4096)));
static unsigned code_length;
static ulong root_table[512] __attribute__((aligned(4096)));

long sbi_call(ulong extension, ulong function, ulong a0, ulong a1, ulong a2)
{
    struct answer answer = sbi(extension, function, a0, a1, a2);

    return extension < 16 || answer.error ? answer.error : answer.value;
}

void print(const char *s)
{
    for (; *s; s++)
        sbi_call(SBI_PUTCHAR, 0, (unsigned char)*s, 0, 0);
}

void print_hex(ulong v)
{
    char text[19] = "0x";
    int n = 2;

    for (int shift = 60; shift >= 0; shift -= 4)
        if (v >> shift || shift == 0)
            text[n++] = "0123456789abcdef"[v >> shift & 15];
    text[n] = 0;
    print(text);
}

void print_dec(ulong v)
{
    char text[21];
    int n = 20;

    text[n] = 0;
    do {
        text[--n] = '0' + v % 10;
        v /= 10;
    } while (v);
    print(text + n);
}

void begin(const char *name)
{
    case_name = name;
    case_failed = false;
}

void check(const char *what, ulong got, ulong expected)
{
    if (case_failed || got == expected)
        return;
    case_failed = true;
    print("FAIL ");
    print(case_name);
    print(": ");
    print(what);
    print(" expected ");
    print_hex(expected);
    print(" got ");
    print_hex(got);
    print("\n");
}

void end(void)
{
    if (case_failed) {
        failed++;
        return;
    }
    passed++;
    print("ok ");
    print(case_name);
    print("\n");
}

void not_shown(const char *name, const char *reason)
{
    hidden++;
    print("not-shown ");
    print(name);
    print(": ");
    print(reason);
    print("\n");
}

void measured(const char *name, ulong instructions)
{
    print("count ");
    print(name);
    print(": ");
    print_dec(instructions);
    print("\n");
}

_Noreturn void finish(void)
{
    volatile uint32_t *test = (void *)0x100000UL; /* sifive_test */

    print_dec(passed);
    print(" ok, ");
    print_dec(failed);
    print(" failed, ");
    print_dec(hidden);
    print(" not shown\n");
    *test = failed ? 0x3333 | 1 << 16 : 0x5555;
    for (;;)
        ;
}

_Noreturn void checker_trapped(ulong cause, ulong pc, ulong tval)
{
    print("FAIL ");
    print(case_name ? case_name : "start");
    print(": the checker trapped, cause ");
    print_hex(cause);
    print(" pc ");
    print_hex(pc);
    print(" value ");
    print_hex(tval);
    print("\n");
    failed++;
    finish();
}

/* Identity for S-mode in slots 0 and 2, the user's alias in 1 and 3. */
void paging_on(void)
{
    enum { V = 1, R = 2, W = 4, X = 8, U = 16, A = 64, D = 128 };
    ulong ram = 0x80000000UL >> 12 << 10;

    root_table[0] = V | R | W | A | D;
    root_table[1] = V | R | W | A | D | U;
    root_table[2] = ram | V | R | W | X | A | D;
    root_table[3] = ram | V | R | W | X | A | D | U;
    csr_write(CSR_SATP, 8UL << 60 | (ulong)root_table >> 12);
    __asm__ volatile("sfence.vma" ::: "memory");
}

void run(struct ctx *ctx, enum mode mode)
{
    run_status(ctx, mode == MODE_S ? SSTATUS_SPP : 0);
}

void code_begin(void)
{
    code_length = 0;
}

void code_add(uint32_t insn)
{
    code[code_length++] = insn;
}

void code_end(enum mode mode)
{
    code_add(mode == MODE_S ? INSN_EBREAK : INSN_ECALL);
    __asm__ volatile("fence.i" ::: "memory");
}

ulong code_at(enum mode mode)
{
    return mode == MODE_S ? (ulong)code : user_address(code);
}

uint32_t insn_csr(unsigned f3, unsigned rd, unsigned csr, unsigned rs1)
{
    return csr << 20 | rs1 << 15 | f3 << 12 | rd << 7 | 0x73;
}

ulong limit(void)
{
    return csr_read(CSR_TIME) + 15UL * machine.timebase;
}

void sie_write(ulong bits)
{
    csr_clear(CSR_SIE, SIP_SSIP | SIP_STIP | SIP_SEIP);
    csr_set(CSR_SIE, bits);
}

void timer_set(ulong ticks)
{
    sbi_call(SBI_TIME, 0, ticks, 0, 0);
}

static volatile uint32_t *plic(ulong offset)
{
    return (void *)(machine.plic + offset);
}

static volatile uint32_t *rtc(void)
{
    return (void *)machine.rtc;
}

int here_context(void)
{
    return machine.user_context;
}

/* The threshold write makes QEMU's PLIC look at the enable bits again. */
static void device_route(unsigned context, bool on)
{
    volatile uint32_t *enable =
        plic(PLIC_ENABLE + 0x80 * context + machine.rtc_source / 32 * 4);
    uint32_t bit = 1U << machine.rtc_source % 32;

    *plic(4 * machine.rtc_source) = 1;
    *enable = on ? *enable | bit : *enable & ~bit;
    *plic(PLIC_CONTEXT + 0x1000 * context) = 0;
}

void device_enable(unsigned context)
{
    device_route(context, true);
}

void device_disable(unsigned context)
{
    device_route(context, false);
}

void device_fire(void)
{
    rtc()[RTC_ALARM_HIGH] = 0;
    rtc()[RTC_ALARM_LOW] = 0;
}

void device_alarm(ulong ns)
{
    ulong now = rtc()[RTC_TIME_LOW];

    now |= (ulong)rtc()[RTC_TIME_HIGH] << 32;
    now += ns;
    rtc()[RTC_ALARM_HIGH] = now >> 32;
    rtc()[RTC_ALARM_LOW] = (uint32_t)now;
}

void device_silence(unsigned context)
{
    volatile uint32_t *claim = plic(PLIC_CONTEXT + 0x1000 * context + 4);
    uint32_t source = *claim;

    rtc()[RTC_CLEAR_ALARM] = 1;
    rtc()[RTC_CLEAR_INTERRUPT] = 1;
    if (source)
        *claim = source;
}

void user_device(struct ctx *ctx)
{
    ctx->x[S8] = machine.rtc + USER_ALIAS;
    ctx->x[S9] =
        machine.plic + PLIC_CONTEXT + 0x1000 * here_context() + 4 + USER_ALIAS;
}

void reset_hart(struct ctx *ctx, struct log *log)
{
    for (unsigned i = 0; i < 32; i++)
        ctx->x[i] = 0;
    ctx->x[S11] = user_address(log);
    ctx->pc = ctx->cause = ctx->tval = 0;
    *log = (struct log){0};
    csr_write(CSR_SIE, 0);
    csr_write(CSR_SIP, 0);
    timer_set(-1UL);
    csr_write(CSR_USTATUS, 0);
    csr_write(CSR_SIDELEG, UIRQ_ALL);
    csr_write(CSR_UIP, 0);
    csr_write(CSR_UIE, 0);
    csr_write(CSR_SEDELEG, 0);
    csr_write(CSR_UTVEC, user_address(user_handler));
    csr_write(CSR_USCRATCH, 0);
    csr_write(CSR_UEPC, 0);
    csr_write(CSR_UCAUSE, 0);
    csr_write(CSR_UTVAL, 0);
}

void reset(struct ctx *ctx)
{
    int context = here_context();

    csr_write(CSR_USTATUS, 0);
    rtc()[RTC_IRQ_ENABLED] = 1;
    if (context >= 0) {
        device_enable(context);
        device_silence(context);
        device_disable(context);
    }
    reset_hart(ctx, &user_log);
    if (context >= 0)
        user_device(ctx);
}
