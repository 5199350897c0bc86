/*
 * What each step costs, in instructions; exact with -icount shift=0 and
 * without meaning otherwise. The trapping instruction is counted, the clock
 * reads are not.
 */
#include "isa.h"

static void start(struct ctx *ctx, const char *code_)
{
    reset(ctx);
    ctx->pc = user_address(code_);
}

static void csr_counts(void)
{
    struct ctx ctx;

    start(&ctx, user_time_csr);
    run(&ctx, MODE_U);
    ulong clock = ctx.x[A1];
    measured("csrr-ucause", ctx.x[A0] - clock);
    start(&ctx, user_time_write);
    run(&ctx, MODE_U);
    measured("csrw-uscratch", ctx.x[A0] - clock);
    measured("csrci-ustatus-uie", ctx.x[A1] - clock);
    measured("csrsi-ustatus-uie", ctx.x[A2] - clock);
    measured("csrci-uip-usip", ctx.x[A3] - clock);
    start(&ctx, user_time_uret);
    csr_write(CSR_USTATUS, USTATUS_UPIE);
    csr_write(CSR_UIE, UIRQ_EXT);
    run(&ctx, MODE_U);
    measured("uret", ctx.x[A0] - clock);
}

static void delivery_counts(void)
{
    struct ctx ctx;

    start(&ctx, user_time_fire);
    device_enable(here_context());
    ctx.x[S10] = ACT_DEVICE;
    csr_write(CSR_UIE, UIRQ_EXT);
    csr_write(CSR_USTATUS, USTATUS_UIE);
    run(&ctx, MODE_U);
    /* minus the store and the clock read */
    measured("interrupt-to-utvec", user_log.cycle - ctx.x[A0] - 2);

    start(&ctx, user_exit);
    device_enable(here_context());
    code_begin();
    code_add(insn_csr(CSRRW, 0, 0x141, A1)); /* sepc */
    code_add(0xc0002573);                    /* rdcycle a0 */
    code_add(INSN_SRET);
    code_end(MODE_S);
    ctx.pc = code_at(MODE_S);
    ctx.x[A1] = user_address(user_exit);
    ctx.x[S10] = ACT_DEVICE;
    csr_write(CSR_UIE, UIRQ_EXT);
    csr_write(CSR_USTATUS, USTATUS_UIE);
    device_fire();
    run(&ctx, MODE_S);
    measured("sret-that-delivers", user_log.cycle - ctx.x[A0] - 1);
}

static void supervisor_counts(void)
{
    struct ctx ctx;

    reset(&ctx);
    ulong t0 = csr_read(0xc00);
    ulong t1 = csr_read(0xc00);
    csr_read(CSR_UIP);
    ulong t2 = csr_read(0xc00);
    csr_write(CSR_SIDELEG, UIRQ_ALL);
    ulong t3 = csr_read(0xc00);
    csr_write(CSR_UIE, UIRQ_EXT);
    ulong t4 = csr_read(0xc00);
    measured("s-csrr-uip", t2 - t1 - (t1 - t0));
    measured("s-csrw-sideleg", t3 - t2 - (t1 - t0));
    measured("s-csrw-uie", t4 - t3 - (t1 - t0));
}

void count_cases(void)
{
    csr_counts();
    supervisor_counts();
    if (here_context() >= 0)
        delivery_counts();
}
