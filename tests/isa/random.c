/*
 * Random walks over all N CSRs, against a model of a few lines: S-mode sets a
 * random state by random instructions, then U-mode is entered and goes on
 * with random instructions until an interrupt must be taken. Where, why and
 * with which CSR values it is taken is predicted.
 */
#include "isa.h"

enum { WALKS = 5000, S_STEPS = 6, U_STEPS = 6 };

struct state {
    ulong ustatus, uie, soft, line, sideleg, storage[3];
};

/* utvec stays as it is: the handler must be found. */
static const unsigned storage_csrs[] = {CSR_USCRATCH, CSR_UEPC, CSR_UTVAL};
static const ulong storage_bits[] = {~0UL, ~1UL, ~0UL};

static ulong seed = 88172645463325252;

static ulong rnd(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

/* One random instruction and the value it has in rs1. */
struct step {
    unsigned csr, f3, rd, rs1, slot;
    ulong operand;
};

static struct step step_random(enum mode mode)
{
    static const unsigned regs[] = {0,  1,  SP, 3,  TP, T0, T1, T2,
                                    A5, 17, 20, T3, T4, 30, 31};
    static const unsigned forms[] = {CSRRW,  CSRRS,  CSRRC,
                                     CSRRWI, CSRRSI, CSRRCI};
    static const unsigned csrs[] = {CSR_USTATUS, CSR_UIE, CSR_UIP, CSR_SIDELEG};
    struct step s = {0};
    unsigned which = rnd() % 7;

    if (which >= 4 || (which == 3 && mode == MODE_U)) {
        s.slot = rnd() % 3;
        s.csr = storage_csrs[s.slot];
        s.operand = rnd();
    } else {
        s.csr = csrs[which];
        s.operand = rnd() & rnd() & (UIRQ_ALL | USTATUS_UPIE);
    }
    s.f3 = forms[rnd() % 6];
    s.rd = regs[rnd() % 15];
    s.rs1 = regs[rnd() % 15];
    if (s.f3 & 4) {
        s.rs1 = rnd() & 31;
        if (s.csr != CSR_USCRATCH)
            s.rs1 &= USTATUS_UIE | USTATUS_UPIE;
        s.operand = s.rs1;
    } else if (s.rs1 == 0) {
        s.operand = 0;
    }
    return s;
}

static ulong read_model(const struct state *m, const struct step *s)
{
    switch (s->csr) {
    case CSR_USTATUS:
        return m->ustatus;
    case CSR_UIE:
        return m->uie & m->sideleg;
    case CSR_UIP:
        return (m->soft | m->line) & m->sideleg;
    case CSR_SIDELEG:
        return m->sideleg;
    default:
        return m->storage[s->slot];
    }
}

static void write_model(struct state *m, const struct step *s, enum mode mode)
{
    ulong old = s->csr == CSR_UIP ? m->soft : read_model(m, s);
    ulong op = s->f3 & 3;
    ulong value = op == CSRRW   ? s->operand
                  : op == CSRRS ? old | s->operand
                                : old & ~s->operand;
    ulong writable = m->sideleg;

    switch (s->csr) {
    case CSR_USTATUS:
        m->ustatus = value & (USTATUS_UIE | USTATUS_UPIE);
        break;
    case CSR_UIE:
        m->uie = (m->uie & ~writable) | (value & writable);
        break;
    case CSR_UIP:
        writable &= mode == MODE_S ? UIRQ_ALL : UIRQ_SOFT;
        m->soft = (m->soft & ~writable) | (value & writable);
        break;
    case CSR_SIDELEG:
        m->sideleg = value & UIRQ_ALL;
        break;
    default:
        m->storage[s->slot] = value & storage_bits[s->slot];
    }
}

static ulong first(ulong pending)
{
    return pending & UIRQ_EXT    ? INTERRUPT | 8
           : pending & UIRQ_SOFT ? INTERRUPT | 0
           : pending             ? INTERRUPT | 4
                                 : 0;
}

static ulong due(const struct state *m)
{
    ulong pending = (m->soft | m->line) & m->uie & m->sideleg;

    return m->ustatus & USTATUS_UIE ? first(pending) : 0;
}

/* What sideleg keeps goes to S-mode; an emulation has no sie bits for it. */
static ulong kept_due(const struct state *m)
{
    ulong pending = (m->soft | m->line) & m->uie & ~m->sideleg;

    return delivery == EMULATED ? 0 : first(pending);
}

/* The instruction alone, with every register known before and after. */
static void step_run(struct ctx *ctx, struct state *m, const struct step *s,
                     enum mode mode)
{
    ulong old = read_model(m, s);

    code_begin();
    code_add(insn_csr(s->f3, s->rd, s->csr, s->rs1));
    code_end(mode);
    for (unsigned i = 1; i < 32; i++)
        ctx->x[i] = 0x5000 + i;
    ctx->x[S11] = user_address(&user_log);
    ctx->x[S10] = ACT_EXIT;
    if (!(s->f3 & 4) && s->rs1)
        ctx->x[s->rs1] = s->operand;
    ulong kept = s->rs1 && !(s->f3 & 4) ? s->rs1 : 0;
    ctx->pc = code_at(mode);
    run(ctx, mode);
    write_model(m, s, mode);
    if (user_log.count)
        return; /* the handler used some registers */
    for (unsigned i = 1; i < 32; i++) {
        ulong before = i == S11    ? user_address(&user_log)
                       : i == S10  ? ACT_EXIT
                       : i == kept ? s->operand
                                   : 0x5000 + i;
        check("a register", ctx->x[i], i == s->rd ? old : before);
    }
}

/* The user trap that was due, before the instruction at pc. */
static void check_taken(const struct ctx *ctx, ulong cause, ulong pc)
{
    check("scause", ctx->cause, EXC_ECALL_U);
    check("interrupts", user_log.count, 1);
    check("ucause", user_log.entry[0].cause, cause);
    check("uepc", user_log.entry[0].epc, pc);
    check("utval", user_log.entry[0].tval, 0);
    check("ustatus", user_log.entry[0].status, USTATUS_UPIE);
}

static void walk(bool with_device)
{
    struct ctx ctx;
    struct state m = {.sideleg = UIRQ_ALL};

    reset(&ctx);
    if (with_device)
        device_enable(here_context());
    for (int i = 0; i < S_STEPS; i++) {
        if (with_device && rnd() % 8 == 0) {
            device_fire();
            m.line = UIRQ_EXT;
            /* it may take a moment; the model has sideleg for the look */
            for (int j = 0; m.sideleg & UIRQ_EXT && j < 1000; j++)
                if (csr_read(CSR_UIP) & UIRQ_EXT)
                    break;
        }
        struct step s = step_random(MODE_S);
        step_run(&ctx, &m, &s, MODE_S);
        check("trap in S", ctx.cause, EXC_BREAKPOINT);
    }
    if (kept_due(&m)) {
        ctx.pc = user_address(user_nops);
        run(&ctx, MODE_U);
        check("scause of what S keeps", ctx.cause, kept_due(&m));
        check("sepc", ctx.pc, user_address(user_nops));
        check("interrupts", user_log.count, 0);
        return;
    }
    for (int i = 0; i < U_STEPS; i++) {
        struct step s = step_random(MODE_U);
        ulong cause = due(&m);
        if (cause) {
            ctx.pc = user_address(user_nops);
            ctx.x[S11] = user_address(&user_log);
            ctx.x[S10] = ACT_EXIT;
            run(&ctx, MODE_U);
            check_taken(&ctx, cause, user_address(user_nops));
            return;
        }
        step_run(&ctx, &m, &s, MODE_U);
        cause = due(&m);
        if (cause) {
            check_taken(&ctx, cause, code_at(MODE_U) + 4);
            return;
        }
        check("trap in U", ctx.cause, EXC_ECALL_U);
        check("interrupts", user_log.count, 0);
    }
}

void random_cases(void)
{
    begin("random.walks-over-all-csrs");
    for (int i = 0; i < WALKS; i++)
        walk(false);
    end();
    if (here_context() < 0)
        return;
    begin("random.walks-with-the-device-line");
    for (int i = 0; i < WALKS; i++)
        walk(true);
    end();
}
