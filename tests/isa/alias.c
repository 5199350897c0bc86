/*
 * The U bits of sip, sie and sstatus are the bits of uip, uie and ustatus.
 * Those CSRs exist on a hart without N, so they do not trap, and an emulation
 * cannot show these bits: listed as not shown there, checked elsewhere.
 */
#include "isa.h"

/* A write to either must show in the other, for each bit. */
static void alias(const char *name, ulong user, ulong bits)
{
    struct ctx ctx;

    if (delivery == EMULATED) {
        not_shown(name, "the hart lacks N and does not trap this CSR");
        return;
    }
    begin(name);
    reset(&ctx);
    for (ulong bit = 1; bit <= bits; bit <<= 4) {
        if (!(bit & bits))
            continue;
        if (user == CSR_USTATUS) {
            csr_set(CSR_USTATUS, bit);
            check("set by user CSR", csr_read(CSR_SSTATUS) & bit, bit);
            csr_clear(CSR_SSTATUS, bit);
            check("cleared by supervisor CSR", csr_read(CSR_USTATUS) & bit, 0);
        } else if (user == CSR_UIE) {
            csr_set(CSR_UIE, bit);
            check("set by user CSR", csr_read(CSR_SIE) & bit, bit);
            csr_clear(CSR_SIE, bit);
            check("cleared by supervisor CSR", csr_read(CSR_UIE) & bit, 0);
        } else {
            csr_set(CSR_UIP, bit);
            check("set by user CSR", csr_read(CSR_SIP) & bit, bit);
            csr_clear(CSR_SIP, bit);
            check("cleared by supervisor CSR", csr_read(CSR_UIP) & bit, 0);
        }
    }
    end();
}

/*
 * What sie enables and sideleg does not delegate is the supervisor's, after
 * its own, in the order external, software, timer [priv 3.1.9].
 */
static void kept(const char *name)
{
    static const ulong order[] = {8, 0, 4};
    struct ctx ctx;

    if (delivery == EMULATED) {
        not_shown(name, "the hart lacks N and sie has no such bits");
        return;
    }
    begin(name);
    reset(&ctx);
    ctx.pc = user_address(user_nops);
    csr_write(CSR_USTATUS, USTATUS_UIE);
    csr_write(CSR_UIE, UIRQ_ALL);
    csr_write(CSR_UIP, UIRQ_ALL);
    csr_write(CSR_SIDELEG, 0);
    csr_set(CSR_SIP, SIP_SSIP);
    sie_write(SIP_SSIP);
    run(&ctx, MODE_U);
    check("scause of its own", ctx.cause, INTERRUPT | 1);
    csr_clear(CSR_SIP, SIP_SSIP);
    for (int i = 0; i < 3; i++) {
        run(&ctx, MODE_U);
        check("scause", ctx.cause, INTERRUPT | order[i]);
        check("sepc", ctx.pc, user_address(user_nops));
        csr_clear(CSR_SIE, 1UL << order[i]);
    }
    run(&ctx, MODE_U);
    check("scause at the end", ctx.cause, EXC_ECALL_U);
    check("user interrupts", user_log.count, 0);
    end();
}

void alias_cases(void)
{
    kept("alias.sie-takes-what-sideleg-keeps");
    alias("alias.sstatus-shows-uie-and-upie", CSR_USTATUS,
          USTATUS_UIE | USTATUS_UPIE);
    alias("alias.sie-shows-the-user-bits", CSR_UIE, UIRQ_ALL);
    alias("alias.sip-shows-the-user-bits", CSR_UIP, UIRQ_ALL);
}
