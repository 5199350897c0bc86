/*
 * Exceptions that sedeleg hands to U-mode, and those it must not.
 */
#include "isa.h"

enum { UNMAPPED_SLOT = 4 };
#define UNMAPPED ((ulong)UNMAPPED_SLOT << 30)
/* The firmware's memory: PMP lets nobody below M-mode in. */
#define FIRMWARE (0x80000000UL + USER_ALIAS)

/* One faulting instruction and what it must report. */
struct fault {
    const char *name;
    char *code; /* in user.S, or 0 for the one word below */
    uint32_t insn;
    ulong causes;  /* bit mask: any of these codes may be reported */
    ulong address; /* a0, and the trap value */
};

/* QEMU 7.2 reports a load where the manual says store/AMO. */
enum {
    MISALIGNED_AMO = 1 << EXC_STORE_MISALIGNED | 1 << EXC_STORE_ACCESS |
                     1 << EXC_LOAD_MISALIGNED
};

static const struct fault faults[] = {
    {"illegal-instruction", 0, 0xffffffff, 1 << EXC_ILLEGAL, 0},
    {"supervisor-csr", 0, 0x14002573, 1 << EXC_ILLEGAL, 0},
    {"breakpoint", 0, INSN_EBREAK, 1 << EXC_BREAKPOINT, 0},
    {"load-page-fault", user_load, 0, 1 << EXC_LOAD_PAGE, UNMAPPED},
    {"store-page-fault", user_store, 0, 1 << EXC_STORE_PAGE, UNMAPPED + 16},
    {"fetch-page-fault", user_jump, 0, 1 << EXC_FETCH_PAGE, UNMAPPED + 32},
    {"load-access-fault", user_load, 0, 1 << EXC_LOAD_ACCESS, FIRMWARE},
    {"store-access-fault", user_store, 0, 1 << EXC_STORE_ACCESS, FIRMWARE + 8},
    {"fetch-access-fault", user_jump, 0, 1 << EXC_FETCH_ACCESS, FIRMWARE},
    {"load-reserved-misaligned", user_lr, 0,
     1 << EXC_LOAD_MISALIGNED | 1 << EXC_LOAD_ACCESS,
     (ulong)&user_log + USER_ALIAS + 0x801},
    {"amo-misaligned", user_amo, 0, MISALIGNED_AMO,
     (ulong)&user_log + USER_ALIAS + 0x801},
};

static bool is_jump(const struct fault *f)
{
    return f->code == user_jump;
}

/* Set up to run `f` in U-mode; returns the pc that must be reported. */
static ulong fault_prepare(struct ctx *ctx, const struct fault *f)
{
    reset(ctx);
    if (f->code) {
        ctx->pc = user_address(f->code);
    } else {
        code_begin();
        code_add(f->insn);
        code_add(0x00158593); /* addi a1, a1, 1 */
        code_end(MODE_U);
        ctx->pc = code_at(MODE_U);
    }
    ctx->x[A0] = f->address;
    return is_jump(f) ? f->address : ctx->pc;
}

static bool cause_fits(const struct fault *f, ulong cause)
{
    return cause < 32 && (f->causes >> cause & 1);
}

static void begin_for(char *name, const char *group, const struct fault *f)
{
    char *p = name;

    for (const char *s = group; *s;)
        *p++ = *s++;
    for (const char *s = f->name; *s;)
        *p++ = *s++;
    *p = 0;
    begin(name);
}

/* With the bit set it goes to utvec, whatever UIE is. */
static void delegated(const struct fault *f)
{
    struct ctx ctx;
    char name[64];

    begin_for(name, "sedeleg.to-user.", f);
    for (ulong uie = 0; uie < 2; uie++) {
        ulong pc = fault_prepare(&ctx, f);
        ctx.x[A6] = user_address(user_exit);
        ctx.x[S10] = is_jump(f) ? ACT_RESUME : ACT_SKIP;
        csr_write(CSR_SEDELEG, f->causes);
        csr_write(CSR_USTATUS, uie);
        run(&ctx, MODE_U);
        check("scause", ctx.cause, EXC_ECALL_U);
        check("user traps", user_log.count, 1);
        check("ucause fits", cause_fits(f, user_log.entry[0].cause), true);
        check("uepc", user_log.entry[0].epc, pc);
        if (f->code)
            check("utval", user_log.entry[0].tval, f->address);
        check("ustatus in the handler", user_log.entry[0].status,
              uie ? USTATUS_UPIE : 0);
        check("ustatus after", csr_read(CSR_USTATUS), USTATUS_UPIE | uie);
        if (!is_jump(f))
            check("went on behind it", ctx.x[A1], 1);
    }
    end();
}

/* Without the bit, or with all others, it is the supervisor's. */
static void not_delegated(const struct fault *f)
{
    struct ctx ctx;
    char name[64];

    begin_for(name, "sedeleg.to-supervisor.", f);
    for (unsigned others = 0; others < 2; others++) {
        ulong pc = fault_prepare(&ctx, f);
        if (others)
            csr_write(CSR_SEDELEG, ~f->causes);
        run(&ctx, MODE_U);
        check("scause fits", cause_fits(f, ctx.cause), true);
        check("sepc", ctx.pc, pc);
        if (f->code)
            check("stval", ctx.tval, f->address);
        check("SPP", ctx.status & SSTATUS_SPP, 0);
        check("user traps", user_log.count, 0);
    }
    end();
}

/* What happens in S-mode stays in S-mode. */
static void from_supervisor(void)
{
    struct ctx ctx;
    static const struct {
        uint32_t insn;
        ulong cause, address;
    } in_s[] = {
        {0x00053283, EXC_LOAD_PAGE, UNMAPPED},     /* ld t0, (a0) */
        {0x00553023, EXC_STORE_PAGE, UNMAPPED},    /* sd t0, (a0) */
        {0x00053283, EXC_LOAD_ACCESS, 0x80000000}, /* ld t0, (a0) */
        {INSN_EBREAK, EXC_BREAKPOINT, 0},          {0xffffffff, EXC_ILLEGAL, 0},
        {0x00050067, EXC_FETCH_PAGE, UNMAPPED}, /* jr a0 */
    };

    begin("sedeleg.not-for-traps-from-s");
    for (unsigned i = 0; i < sizeof(in_s) / sizeof(in_s[0]); i++) {
        reset(&ctx);
        code_begin();
        code_add(in_s[i].insn);
        code_end(MODE_S);
        ctx.pc = code_at(MODE_S);
        ctx.x[A0] = in_s[i].address;
        csr_write(CSR_SEDELEG, ~0UL);
        run(&ctx, MODE_S);
        check("scause", ctx.cause, in_s[i].cause);
        check("sepc", ctx.pc,
              in_s[i].cause == EXC_FETCH_PAGE ? UNMAPPED : code_at(MODE_S));
        check("SPP", ctx.status & SSTATUS_SPP, SSTATUS_SPP);
        check("user traps", user_log.count, 0);
    }
    end();
}

static void ecall_case(void)
{
    struct ctx ctx;

    begin("sedeleg.environment-call-goes-to-s");
    reset(&ctx);
    ctx.pc = user_address(user_exit);
    csr_write(CSR_SEDELEG, ~0UL);
    run(&ctx, MODE_U);
    check("scause", ctx.cause, EXC_ECALL_U);
    check("user traps", user_log.count, 0);
    end();
}

/* An exception in U-mode with an interrupt waiting: exception first. */
static void with_interrupt(void)
{
    struct ctx ctx;

    begin("sedeleg.interrupt-waits-for-the-exception-handler");
    reset(&ctx);
    code_begin();
    code_add(INSN_EBREAK);
    code_add(INSN_INC_A0);
    code_end(MODE_U);
    ctx.pc = code_at(MODE_U);
    ctx.x[S10] = ACT_USIP | ACT_RESUME | ACT_DISABLE;
    ctx.x[A6] = ctx.pc + 4;
    csr_write(CSR_SEDELEG, 1 << EXC_BREAKPOINT);
    csr_write(CSR_UIE, UIRQ_SOFT);
    csr_write(CSR_USTATUS, USTATUS_UIE);
    run(&ctx, MODE_U);
    check("scause", ctx.cause, EXC_ECALL_U);
    check("user traps", user_log.count, 2);
    check("first", user_log.entry[0].cause, EXC_BREAKPOINT);
    check("second", user_log.entry[1].cause, INTERRUPT | 0);
    check("second uepc", user_log.entry[1].epc, code_at(MODE_U) + 4);
    check("went on", ctx.x[A0], 1);
    end();
}

void exception_cases(void)
{
    for (unsigned i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        delegated(&faults[i]);
        not_delegated(&faults[i]);
    }
    from_supervisor();
    ecall_case();
    with_interrupt();
}
