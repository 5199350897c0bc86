/*
 * The CSRs as registers: every instruction form, from both modes, against a
 * model; WARL fields; what sideleg hides.
 */
#include "isa.h"

/* A CSR, the bits that can be written, and values that are legal in it. */
struct csr {
    const char *name;
    unsigned number;
    ulong writable;
    bool supervisor;
};

static const struct csr csrs[] = {
    {"ustatus", CSR_USTATUS, USTATUS_UIE | USTATUS_UPIE, false},
    {"uie", CSR_UIE, UIRQ_ALL, false},
    {"utvec", CSR_UTVEC, ~2UL, false},
    {"uscratch", CSR_USCRATCH, ~0UL, false},
    {"uepc", CSR_UEPC, ~1UL, false},
    {"ucause", CSR_UCAUSE, INTERRUPT | 15, false},
    {"utval", CSR_UTVAL, ~0UL, false},
    {"sideleg", CSR_SIDELEG, UIRQ_ALL, true},
};

/* Only values every implementation must accept: the rest is WARL. */
static const ulong patterns[] = {
    0, ~0UL, 0x5555555555555555, 0xaaaaaaaaaaaaaaaa, 0x8000000000000004, 0x111};

static ulong model(unsigned f3, ulong old, ulong operand)
{
    return (f3 & 3) == CSRRW   ? operand
           : (f3 & 3) == CSRRS ? old | operand
                               : old & ~operand;
}

static void case_name_for(char *out, const char *a, const char *b,
                          const char *c)
{
    const char *parts[] = {a, b, c};

    for (int i = 0; i < 3; i++)
        for (const char *s = parts[i]; *s;)
            *out++ = *s++;
    *out = 0;
}

/* All six forms over all patterns; the CSR starts from each pattern too. */
static void csr_forms(const struct csr *csr, enum mode mode)
{
    static const unsigned forms[] = {CSRRW,  CSRRS,  CSRRC,
                                     CSRRWI, CSRRSI, CSRRCI};
    struct ctx ctx;
    char name[40];

    case_name_for(name, "csr.", csr->name, mode ? ".from-s" : ".from-u");
    begin(name);
    reset(&ctx);
    csr_write(CSR_UIE, 0);
    for (unsigned f = 0; f < 6; f++)
        for (unsigned i = 0; i < 6; i++)
            for (unsigned j = 0; j < 6; j++) {
                ulong start = patterns[i] & csr->writable;
                ulong operand = patterns[j] & csr->writable;
                bool immediate = forms[f] & 4;
                if (immediate)
                    operand &= 31;
                code_begin();
                code_add(insn_csr(CSRRW, 0, csr->number, A0));
                code_add(insn_csr(forms[f], A2, csr->number,
                                  immediate ? operand : A1));
                code_add(insn_csr(CSRRS, A3, csr->number, 0));
                code_end(mode);
                ctx.pc = code_at(mode);
                ctx.x[A0] = start;
                ctx.x[A1] = operand;
                run(&ctx, mode);
                check("trap", ctx.cause, mode ? EXC_BREAKPOINT : EXC_ECALL_U);
                check("old value", ctx.x[A2], start);
                check("new value", ctx.x[A3],
                      model(forms[f], start, operand) & csr->writable);
            }
    end();
}

/* Every register as rd and as rs1, x0, sp and tp among them. */
static void csr_registers(enum mode mode)
{
    struct ctx ctx;

    begin(mode ? "csr.every-register.from-s" : "csr.every-register.from-u");
    reset(&ctx);
    for (unsigned rd = 0; rd < 32; rd++)
        for (unsigned rs1 = 0; rs1 < 32; rs1++) {
            code_begin();
            code_add(insn_csr(CSRRW, rd, CSR_USCRATCH, rs1));
            code_end(mode);
            for (unsigned i = 1; i < 32; i++)
                ctx.x[i] = 0x1000 + i;
            ctx.pc = code_at(mode);
            csr_write(CSR_USCRATCH, 0x77);
            run(&ctx, mode);
            check("uscratch", csr_read(CSR_USCRATCH), rs1 ? 0x1000 + rs1 : 0);
            for (unsigned i = 1; i < 32; i++)
                check("a register", ctx.x[i], i == rd ? 0x77 : 0x1000 + i);
        }
    end();
}

/* Set and clear with x0 or immediate 0 do not write [unpriv 9.1]. */
static void csr_no_write(enum mode mode)
{
    static const unsigned forms[] = {CSRRS, CSRRC, CSRRSI, CSRRCI};
    struct ctx ctx;

    begin(mode ? "csr.rs1-x0-does-not-write.from-s"
               : "csr.rs1-x0-does-not-write.from-u");
    for (unsigned f = 0; f < 4; f++) {
        reset(&ctx);
        csr_write(CSR_USCRATCH, 0x1234);
        code_begin();
        code_add(insn_csr(forms[f], A1, CSR_USCRATCH, 0));
        code_add(insn_csr(forms[f], 0, CSR_USCRATCH, 0));
        code_end(mode);
        ctx.pc = code_at(mode);
        run(&ctx, mode);
        check("value read", ctx.x[A1], 0x1234);
        check("value after", csr_read(CSR_USCRATCH), 0x1234);
    }
    end();
}

/* x0 as rs1 of csrrw writes zero; rd = x0 still writes. */
static void csr_write_x0(void)
{
    struct ctx ctx;

    begin("csr.csrrw-x0-writes-zero");
    reset(&ctx);
    csr_write(CSR_USCRATCH, 0x1234);
    code_begin();
    code_add(insn_csr(CSRRW, A1, CSR_USCRATCH, 0));
    code_end(MODE_U);
    ctx.pc = code_at(MODE_U);
    run(&ctx, MODE_U);
    check("old value", ctx.x[A1], 0x1234);
    check("value after", csr_read(CSR_USCRATCH), 0);
    end();
}

/* sedeleg and sideleg belong to S-mode: each form is illegal from U-mode. */
static void csr_supervisor_only(const char *name, unsigned number)
{
    struct ctx ctx;

    begin(name);
    for (unsigned f3 = 1; f3 < 8; f3++) {
        if (f3 == 4)
            continue;
        reset(&ctx);
        csr_write(CSR_SIDELEG, UIRQ_SOFT);
        code_begin();
        code_add(insn_csr(f3, A0, number, f3 == CSRRW ? A1 : 0));
        code_end(MODE_U);
        ctx.pc = code_at(MODE_U);
        ctx.x[A0] = 99;
        run(&ctx, MODE_U);
        check("scause", ctx.cause, EXC_ILLEGAL);
        check("sepc", ctx.pc, code_at(MODE_U));
        check("rd", ctx.x[A0], 99);
        check("sideleg", csr_read(CSR_SIDELEG), UIRQ_SOFT);
    }
    end();
}

static void csr_warl(void)
{
    struct ctx ctx;

    begin("utvec.mode-is-0-or-1");
    reset(&ctx);
    for (ulong mode = 0; mode < 4; mode++) {
        csr_write(CSR_UTVEC, 0x4000 | mode);
        check("mode < 2", (csr_read(CSR_UTVEC) & 3) < 2, true);
        if (mode < 2)
            check("utvec", csr_read(CSR_UTVEC), 0x4000 | mode);
    }
    end();
    begin("uepc.bit-0-is-0");
    csr_write(CSR_UEPC, 0x4003);
    check("uepc", csr_read(CSR_UEPC), 0x4002);
    end();
    begin("ustatus.only-uie-and-upie");
    csr_write(CSR_USTATUS, ~0UL);
    check("ustatus", csr_read(CSR_USTATUS), 0x11);
    end();
    begin("sideleg.only-user-interrupts-used");
    csr_write(CSR_SIDELEG, ~0UL);
    check("sideleg", csr_read(CSR_SIDELEG) & 0xfff, UIRQ_ALL);
    end();
    begin("sedeleg.environment-calls-hardwired-to-0");
    csr_write(CSR_SEDELEG, ~0UL);
    check("sedeleg", csr_read(CSR_SEDELEG) & 0xf00, 0);
    end();
    begin("sedeleg.delegates-what-a-user-can-cause");
    check("sedeleg", csr_read(CSR_SEDELEG) & 0xb0af, 0xb0af);
    csr_write(CSR_SEDELEG, 0);
    check("sedeleg", csr_read(CSR_SEDELEG), 0);
    end();
}

/* What sideleg does not delegate reads as 0 and ignores writes. */
static void csr_masking(void)
{
    struct ctx ctx;

    begin("uie.masked-by-sideleg");
    reset(&ctx);
    for (ulong d = 0; d < 8; d++) {
        ulong bits = (d & 1) | (d & 2) << 3 | (d & 4) << 6;
        csr_write(CSR_SIDELEG, UIRQ_ALL);
        csr_write(CSR_UIE, 0);
        csr_write(CSR_SIDELEG, bits);
        csr_write(CSR_UIE, UIRQ_ALL);
        check("uie", csr_read(CSR_UIE), bits);
    }
    end();
    begin("uip.masked-by-sideleg");
    for (ulong d = 0; d < 8; d++) {
        ulong bits = (d & 1) | (d & 2) << 3 | (d & 4) << 6;
        csr_write(CSR_SIDELEG, UIRQ_ALL);
        csr_write(CSR_UIP, 0);
        csr_write(CSR_SIDELEG, bits);
        csr_write(CSR_UIP, UIRQ_ALL);
        check("uip", csr_read(CSR_UIP), bits);
        csr_write(CSR_SIDELEG, 0);
        check("uip undelegated", csr_read(CSR_UIP), 0);
    }
    end();
    begin("uip.user-writes-usip-only");
    reset(&ctx);
    code_begin();
    code_add(insn_csr(CSRRW, 0, CSR_UIP, A0));
    code_add(insn_csr(CSRRS, A1, CSR_UIP, 0));
    code_add(insn_csr(CSRRW, 0, CSR_UIP, 0));
    code_add(insn_csr(CSRRS, A2, CSR_UIP, 0));
    code_end(MODE_U);
    ctx.x[A0] = ~0UL;
    ctx.pc = code_at(MODE_U);
    run(&ctx, MODE_U);
    check("uip set", ctx.x[A1], UIRQ_SOFT);
    check("uip cleared", ctx.x[A2], 0);
    csr_write(CSR_UIP, UIRQ_ALL);
    ctx.pc = code_at(MODE_U);
    run(&ctx, MODE_U);
    check("uip with UTIP and UEIP", ctx.x[A1], UIRQ_ALL);
    check("uip, only USIP cleared", ctx.x[A2], UIRQ_TIMER | UIRQ_EXT);
    end();
    begin("uip.supervisor-writes-all");
    reset(&ctx);
    for (ulong bit = 1; bit <= UIRQ_EXT; bit <<= 4) {
        csr_write(CSR_UIP, 0);
        csr_set(CSR_UIP, bit);
        check("set", csr_read(CSR_UIP), bit);
        csr_clear(CSR_UIP, bit);
        check("cleared", csr_read(CSR_UIP), 0);
    }
    end();
}

void csr_cases(void)
{
    for (unsigned i = 0; i < sizeof(csrs) / sizeof(csrs[0]); i++) {
        csr_forms(&csrs[i], MODE_S);
        if (!csrs[i].supervisor)
            csr_forms(&csrs[i], MODE_U);
    }
    csr_registers(MODE_U);
    csr_registers(MODE_S);
    csr_no_write(MODE_U);
    csr_no_write(MODE_S);
    csr_write_x0();
    csr_supervisor_only("sideleg.illegal-from-u", CSR_SIDELEG);
    csr_supervisor_only("sedeleg.illegal-from-u", CSR_SEDELEG);
    csr_warl();
    csr_masking();
}
