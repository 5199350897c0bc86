/*
 * Taking a user trap and returning: what the CSRs say, where it goes, the
 * UIE/UPIE stack, uret, nesting.
 */
#include "isa.h"

/* csrsi uip, 1 and two counted instructions, then out. */
static void prepare_usip(struct ctx *ctx, ulong act)
{
    reset(ctx);
    code_begin();
    code_add(insn_csr(CSRRSI, 0, CSR_UIP, UIRQ_SOFT));
    code_add(INSN_INC_A0);
    code_add(INSN_INC_A0);
    code_end(MODE_U);
    ctx->pc = code_at(MODE_U);
    ctx->x[S10] = act;
    csr_write(CSR_UIE, UIRQ_ALL);
    csr_write(CSR_USTATUS, USTATUS_UIE);
}

static void check_came_out(const struct ctx *ctx)
{
    check("scause", ctx->cause, EXC_ECALL_U);
    check("instructions after", ctx->x[A0], 2);
}

static void usip_cases(void)
{
    struct ctx ctx;

    begin("trap.usip-write-traps-at-the-next-instruction");
    prepare_usip(&ctx, ACT_CLEAR_USIP);
    run(&ctx, MODE_U);
    check_came_out(&ctx);
    check("interrupts", user_log.count, 1);
    check("uepc", user_log.entry[0].epc, code_at(MODE_U) + 4);
    end();
    begin("trap.ucause-and-utval-of-an-interrupt");
    check("ucause", user_log.entry[0].cause, INTERRUPT | 0);
    check("utval", user_log.entry[0].tval, 0);
    end();
    begin("trap.uie-upie-stack");
    check("ustatus in the handler", user_log.entry[0].status, USTATUS_UPIE);
    check("ustatus after uret", csr_read(CSR_USTATUS),
          USTATUS_UIE | USTATUS_UPIE);
    end();
    begin("trap.handler-runs-once-until-usip-is-cleared");
    prepare_usip(&ctx, ACT_DISABLE);
    run(&ctx, MODE_U);
    check_came_out(&ctx);
    check("interrupts", user_log.count, 1);
    check("uip", csr_read(CSR_UIP), UIRQ_SOFT);
    end();
    begin("trap.not-taken-with-uie-clear");
    prepare_usip(&ctx, ACT_CLEAR_USIP);
    csr_write(CSR_USTATUS, USTATUS_UPIE);
    run(&ctx, MODE_U);
    check_came_out(&ctx);
    check("interrupts", user_log.count, 0);
    check("uip", csr_read(CSR_UIP), UIRQ_SOFT);
    end();
    begin("trap.not-taken-when-not-enabled");
    prepare_usip(&ctx, ACT_CLEAR_USIP);
    csr_write(CSR_UIE, UIRQ_TIMER | UIRQ_EXT);
    run(&ctx, MODE_U);
    check_came_out(&ctx);
    check("interrupts", user_log.count, 0);
    end();
    begin("trap.not-taken-when-not-delegated");
    prepare_usip(&ctx, ACT_CLEAR_USIP);
    csr_write(CSR_SIDELEG, UIRQ_TIMER | UIRQ_EXT);
    run(&ctx, MODE_U);
    check_came_out(&ctx);
    check("interrupts", user_log.count, 0);
    end();
}

/* Where each interrupt enters, direct and vectored. */
static void vector_case(const char *name, ulong bit, ulong code_, bool vectored)
{
    struct ctx ctx;

    begin(name);
    reset(&ctx);
    ctx.pc = user_address(user_nops);
    ctx.x[S10] = ACT_DISABLE;
    if (vectored)
        csr_write(CSR_UTVEC, user_address(user_vectors) | 1);
    csr_write(CSR_UIE, bit);
    csr_write(CSR_UIP, bit);
    csr_write(CSR_USTATUS, USTATUS_UIE);
    run(&ctx, MODE_U);
    check("scause", ctx.cause, EXC_ECALL_U);
    check("interrupts", user_log.count, 1);
    check("ucause", user_log.entry[0].cause, INTERRUPT | code_);
    check("vector slot", user_log.entry[0].slot, vectored ? code_ : ~0UL);
    check("uepc", user_log.entry[0].epc, user_address(user_nops));
    end();
}

static void vector_exception(void)
{
    struct ctx ctx;

    begin("utvec.vectored-exception-goes-to-base");
    reset(&ctx);
    code_begin();
    code_add(INSN_EBREAK);
    code_end(MODE_U);
    ctx.pc = code_at(MODE_U);
    ctx.x[S10] = ACT_SKIP;
    csr_write(CSR_UTVEC, user_address(user_vectors) | 1);
    csr_write(CSR_SEDELEG, 1 << EXC_BREAKPOINT);
    run(&ctx, MODE_U);
    check("scause", ctx.cause, EXC_ECALL_U);
    check("ucause", user_log.entry[0].cause, EXC_BREAKPOINT);
    check("vector slot", user_log.entry[0].slot, 0);
    end();
}

/* uret by itself, in both modes, for each value of UPIE. */
static void uret_case(const char *name, enum mode mode, ulong before,
                      ulong after)
{
    struct ctx ctx;
    ulong target;

    begin(name);
    reset(&ctx);
    code_begin();
    code_add(INSN_URET);
    code_add(INSN_INC_A0);
    code_add(INSN_INC_A0);
    code_end(mode);
    ctx.pc = code_at(mode);
    target = ctx.pc + 8;
    csr_write(CSR_UEPC, target);
    csr_write(CSR_USTATUS, before);
    run(&ctx, mode);
    check("trap", ctx.cause, mode ? EXC_BREAKPOINT : EXC_ECALL_U);
    check("went to uepc", ctx.x[A0], 1);
    check("mode", ctx.status & SSTATUS_SPP, mode ? SSTATUS_SPP : 0);
    check("ustatus", csr_read(CSR_USTATUS), after);
    end();
}

static void uret_encoding(void)
{
    struct ctx ctx;

    begin("uret.other-encodings-are-illegal");
    for (unsigned i = 0; i < 2; i++) {
        reset(&ctx);
        code_begin();
        code_add(INSN_URET | (i ? 1 << 15 : 1 << 7));
        code_end(MODE_U);
        ctx.pc = code_at(MODE_U);
        run(&ctx, MODE_U);
        check("scause", ctx.cause, EXC_ILLEGAL);
        check("sepc", ctx.pc, code_at(MODE_U));
    }
    end();
    begin("sret.from-u-is-illegal");
    reset(&ctx);
    code_begin();
    code_add(INSN_SRET);
    code_end(MODE_U);
    ctx.pc = code_at(MODE_U);
    csr_write(CSR_UIE, UIRQ_SOFT);
    csr_write(CSR_UIP, UIRQ_SOFT);
    run(&ctx, MODE_U);
    check("scause", ctx.cause, EXC_ILLEGAL);
    check("sepc", ctx.pc, code_at(MODE_U));
    end();
}

static void nested_case(void)
{
    struct ctx ctx;

    begin("trap.nested-when-the-handler-sets-uie");
    prepare_usip(&ctx, 0);
    csr_write(CSR_UTVEC, user_address(user_nested));
    run(&ctx, MODE_U);
    check("scause", ctx.cause, EXC_ECALL_U);
    check("instructions after, one in the handler", ctx.x[A0], 3);
    check("interrupts", user_log.count, 2);
    check("first uepc", user_log.entry[0].epc, code_at(MODE_U) + 4);
    check("first ustatus", user_log.entry[0].status, USTATUS_UPIE);
    check("second uepc", user_log.entry[1].epc, ctx.x[A2]);
    check("second ustatus", user_log.entry[1].status, USTATUS_UPIE);
    check("ustatus at the end", csr_read(CSR_USTATUS),
          USTATUS_UIE | USTATUS_UPIE);
    end();
}

void trap_cases(void)
{
    usip_cases();
    vector_case("utvec.direct-software", UIRQ_SOFT, 0, false);
    vector_case("utvec.direct-timer", UIRQ_TIMER, 4, false);
    vector_case("utvec.direct-external", UIRQ_EXT, 8, false);
    vector_case("utvec.vectored-software", UIRQ_SOFT, 0, true);
    vector_case("utvec.vectored-timer", UIRQ_TIMER, 4, true);
    vector_case("utvec.vectored-external", UIRQ_EXT, 8, true);
    vector_exception();
    uret_case("uret.from-u-upie-set", MODE_U, USTATUS_UPIE,
              USTATUS_UIE | USTATUS_UPIE);
    uret_case("uret.from-u-upie-clear", MODE_U, USTATUS_UIE, USTATUS_UPIE);
    uret_case("uret.from-s-stays-in-s", MODE_S, USTATUS_UPIE,
              USTATUS_UIE | USTATUS_UPIE);
    uret_encoding();
    nested_case();
}
