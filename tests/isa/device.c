/*
 * User external interrupts from a real device, the goldfish RTC, through the
 * hart's U context of the PLIC.
 */
#include "isa.h"

enum { MANY = 1000, ALARMS = 300 };

static void prepare(struct ctx *ctx, const char *code_, ulong ustatus)
{
    reset(ctx);
    device_enable(here_context());
    ctx->pc = user_address(code_);
    ctx->x[A1] = limit();
    ctx->x[S10] = ACT_DEVICE;
    csr_write(CSR_UIE, UIRQ_EXT);
    csr_write(CSR_USTATUS, ustatus);
}

/* Read until it shows, as a line may take time; the value then. */
static ulong uip_wait(ulong bits)
{
    for (int i = 0; i < 1000 && (csr_read(CSR_UIP) & UIRQ_EXT) != bits; i++)
        ;
    return csr_read(CSR_UIP);
}

static void raised_in_u(void)
{
    struct ctx ctx;

    begin("external.raised-in-u");
    prepare(&ctx, user_fire, USTATUS_UIE);
    run(&ctx, MODE_U);
    check("scause", ctx.cause, EXC_ECALL_U);
    check("interrupts", user_log.count, 1);
    check("ucause", user_log.entry[0].cause, INTERRUPT | 8);
    check("uepc behind the store",
          user_log.entry[0].epc > user_address(user_fire) &&
              user_log.entry[0].epc < user_address(user_fire_end),
          true);
    check("source claimed", user_log.claim, machine.rtc_source);
    check("uip after", csr_read(CSR_UIP), 0);
    check("went on", ctx.x[A0], 1);
    end();
}

/* The same by vector, with the line raised in either mode. */
static void vectored(void)
{
    struct ctx ctx;

    begin("external.vectored");
    for (int in_s = 0; in_s < 2; in_s++) {
        prepare(&ctx, in_s ? user_nops : user_fire, USTATUS_UIE);
        csr_write(CSR_UTVEC, user_address(user_vectors) | 1);
        if (in_s) {
            device_fire();
            uip_wait(UIRQ_EXT);
        }
        run(&ctx, MODE_U);
        check("scause", ctx.cause, EXC_ECALL_U);
        check("interrupts", user_log.count, 1);
        check("vector slot", user_log.entry[0].slot, 8);
    }
    end();
}

static void raised_in_s(void)
{
    struct ctx ctx;

    begin("external.raised-in-s");
    prepare(&ctx, user_nops, USTATUS_UIE);
    device_fire();
    check("uip", uip_wait(UIRQ_EXT), UIRQ_EXT);
    check("not taken in s", user_log.count, 0);
    run(&ctx, MODE_U);
    check("scause", ctx.cause, EXC_ECALL_U);
    check("interrupts", user_log.count, 1);
    check("uepc", user_log.entry[0].epc, user_address(user_nops));
    check("uip after", csr_read(CSR_UIP), 0);
    end();
    begin("external.raised-in-s-and-gone-before-sret");
    prepare(&ctx, user_nops, USTATUS_UIE);
    device_fire();
    uip_wait(UIRQ_EXT);
    device_silence(here_context());
    run(&ctx, MODE_U);
    check("interrupts", user_log.count, 0);
    device_fire();
    ctx.pc = user_address(user_nops);
    uip_wait(UIRQ_EXT);
    run(&ctx, MODE_U);
    check("interrupts, raised again", user_log.count, 1);
    end();
    begin("external.gone-in-s-unseen-then-raised-in-u");
    prepare(&ctx, user_fire, USTATUS_UIE);
    device_fire();
    device_silence(here_context());
    run(&ctx, MODE_U);
    check("interrupts", user_log.count, 1);
    end();
}

static void raised_while_clear(void)
{
    struct ctx ctx;

    begin("external.raised-with-uie-clear");
    prepare(&ctx, user_fire_enable, 0);
    run(&ctx, MODE_U);
    check("scause", ctx.cause, EXC_ECALL_U);
    check("uip seen", ctx.x[A3], UIRQ_EXT);
    check("taken before UIE", ctx.x[A2], 0);
    check("interrupts", user_log.count, 1);
    check("uepc", user_log.entry[0].epc, user_address(user_fire_enabled) + 4);
    check("went on", ctx.x[A0], 1);
    end();
    begin("external.raised-while-not-enabled");
    prepare(&ctx, user_nops, USTATUS_UIE);
    csr_write(CSR_UIE, 0);
    device_fire();
    check("uip", uip_wait(UIRQ_EXT), UIRQ_EXT);
    run(&ctx, MODE_U);
    check("interrupts", user_log.count, 0);
    ctx.pc = user_address(user_nops);
    csr_write(CSR_UIE, UIRQ_EXT);
    run(&ctx, MODE_U);
    check("interrupts when enabled", user_log.count, 1);
    end();
    begin("external.raised-while-not-delegated");
    prepare(&ctx, user_nops, USTATUS_UIE);
    csr_write(CSR_SIDELEG, 0);
    device_fire();
    run(&ctx, MODE_U);
    check("interrupts", user_log.count, 0);
    ctx.pc = user_address(user_nops);
    csr_write(CSR_SIDELEG, UIRQ_ALL);
    check("uip", uip_wait(UIRQ_EXT), UIRQ_EXT);
    run(&ctx, MODE_U);
    check("interrupts when delegated", user_log.count, 1);
    end();
}

/* The line, and what software wrote, are two things [priv 3.1.9]. */
static void line_and_software(void)
{
    struct ctx ctx;

    begin("external.claim-clears-ueip");
    prepare(&ctx, user_nops, 0);
    device_fire();
    check("uip", uip_wait(UIRQ_EXT), UIRQ_EXT);
    device_silence(here_context());
    check("uip after the claim", uip_wait(0), 0);
    end();
    begin("external.software-ueip-is-ored-with-the-line");
    prepare(&ctx, user_nops, 0);
    csr_set(CSR_UIP, UIRQ_EXT);
    check("software", csr_read(CSR_UIP), UIRQ_EXT);
    device_fire();
    uip_wait(UIRQ_EXT);
    csr_clear(CSR_UIP, UIRQ_EXT);
    check("line", uip_wait(UIRQ_EXT), UIRQ_EXT);
    csr_set(CSR_UIP, UIRQ_EXT);
    device_silence(here_context());
    check("software again", csr_read(CSR_UIP), UIRQ_EXT);
    csr_clear(CSR_UIP, UIRQ_EXT);
    check("neither", csr_read(CSR_UIP), 0);
    end();
    begin("external.read-modify-write-does-not-latch-the-line");
    prepare(&ctx, user_nops, 0);
    device_fire();
    check("uip", uip_wait(UIRQ_EXT), UIRQ_EXT);
    csr_set(CSR_UIP, UIRQ_SOFT);
    check("uip with both", csr_read(CSR_UIP), UIRQ_EXT | UIRQ_SOFT);
    csr_clear(CSR_UIP, UIRQ_TIMER);
    device_silence(here_context());
    check("uip after the claim", uip_wait(0), UIRQ_SOFT);
    end();
    begin("external.software-ueip-is-taken");
    prepare(&ctx, user_nops, USTATUS_UIE);
    ctx.x[S10] = ACT_DISABLE;
    csr_set(CSR_UIP, UIRQ_EXT);
    run(&ctx, MODE_U);
    check("interrupts", user_log.count, 1);
    check("ucause", user_log.entry[0].cause, INTERRUPT | 8);
    end();
    begin("priority.external-line-before-software");
    prepare(&ctx, user_nops, USTATUS_UIE);
    ctx.x[S10] = ACT_DEVICE | ACT_DISABLE;
    device_fire();
    csr_set(CSR_UIP, UIRQ_SOFT);
    csr_write(CSR_UIE, UIRQ_EXT | UIRQ_SOFT);
    uip_wait(UIRQ_EXT);
    run(&ctx, MODE_U);
    check("interrupts", user_log.count, 2);
    check("first", user_log.entry[0].cause, INTERRUPT | 8);
    check("second", user_log.entry[1].cause, INTERRUPT | 0);
    end();
}

static void supervisor_first(void)
{
    struct ctx ctx;

    begin("priority.s-software-before-external");
    prepare(&ctx, user_nops, USTATUS_UIE);
    device_fire();
    uip_wait(UIRQ_EXT);
    csr_set(CSR_SIP, SIP_SSIP);
    sie_write(SIP_SSIP);
    run(&ctx, MODE_U);
    check("scause", ctx.cause, INTERRUPT | 1);
    check("sepc", ctx.pc, user_address(user_nops));
    check("user interrupts yet", user_log.count, 0);
    csr_clear(CSR_SIP, SIP_SSIP);
    run(&ctx, MODE_U);
    check("scause", ctx.cause, EXC_ECALL_U);
    check("user interrupts then", user_log.count, 1);
    end();
}

/* One store raises the supervisor's line and the user's together. */
static void both_lines(void)
{
    struct ctx ctx;
    int supervisor = machine.supervisor_context;

    if (supervisor < 0)
        return;
    begin("priority.s-external-before-external");
    prepare(&ctx, user_fire, USTATUS_UIE);
    device_enable(supervisor);
    sie_write(SIP_SEIP);
    run(&ctx, MODE_U);
    check("scause", ctx.cause, INTERRUPT | 9);
    check("sepc behind the store",
          ctx.pc > user_address(user_fire) &&
              ctx.pc < user_address(user_fire_end),
          true);
    check("user interrupts", user_log.count, 0);
    sie_write(0);
    device_disable(supervisor);
    uip_wait(UIRQ_EXT);
    run(&ctx, MODE_U);
    check("scause", ctx.cause, EXC_ECALL_U);
    check("user interrupts then", user_log.count, 1);
    end();
}

static void none_lost(void)
{
    struct ctx ctx;

    begin("external.1000-back-to-back-none-lost");
    prepare(&ctx, user_burst, USTATUS_UIE);
    ctx.x[A0] = MANY;
    run(&ctx, MODE_U);
    check("scause", ctx.cause, EXC_ECALL_U);
    check("raised", ctx.x[A0], 0);
    check("interrupts", user_log.count, MANY);
    end();
    begin("external.alarms-while-uie-toggles-none-lost");
    prepare(&ctx, user_toggle, USTATUS_UIE);
    ctx.x[A0] = ALARMS;
    ctx.x[A4] = 3001;
    ctx.x[A5] = ALARMS - 1;
    ctx.x[S10] = ACT_DEVICE | ACT_REARM;
    device_alarm(1000);
    run(&ctx, MODE_U);
    check("scause", ctx.cause, EXC_ECALL_U);
    check("interrupts", user_log.count, ALARMS);
    end();
    begin("external.alarms-between-u-and-s-none-lost");
    ulong end_time = limit();
    prepare(&ctx, user_ecalls, USTATUS_UIE);
    ctx.x[A4] = 2003;
    ctx.x[A5] = ALARMS - 1;
    ctx.x[S10] = ACT_DEVICE | ACT_REARM;
    device_alarm(1000);
    for (int i = 0; csr_read(CSR_TIME) < end_time && user_log.count < ALARMS;
         i++) {
        run(&ctx, MODE_U);
        check("scause", ctx.cause, EXC_ECALL_U);
        ctx.pc += 4;
        if (i % 7 == 0)
            csr_read(CSR_UIP);
        if (i % 11 == 0)
            csr_write(CSR_UIE, UIRQ_EXT);
    }
    check("interrupts", user_log.count, ALARMS);
    end();
}

/* Both kinds arrive at all distances from each other, in U-mode. */
static void among_timers(void)
{
    struct ctx ctx;
    ulong timers = 0;

    begin("external.alarms-among-s-timer-interrupts-none-lost");
    prepare(&ctx, user_wait, USTATUS_UIE);
    ctx.x[A0] = ALARMS;
    ctx.x[A4] = 2003;
    ctx.x[A5] = ALARMS - 1;
    ctx.x[S10] = ACT_DEVICE | ACT_REARM;
    device_alarm(1000);
    do {
        timer_set(csr_read(CSR_TIME) + 100 + 7 * timers++ % 400);
        sie_write(SIP_STIP);
        run(&ctx, MODE_U);
    } while (ctx.cause == (INTERRUPT | 5));
    sie_write(0);
    check("scause", ctx.cause, EXC_ECALL_U);
    check("interrupts", user_log.count, ALARMS);
    end();
}

void device_cases(void)
{
    begin("external.device-tree-names-the-u-context");
    check("found", here_context() >= 0 && machine.rtc && machine.plic, true);
    end();
    if (here_context() < 0)
        return;
    raised_in_u();
    vectored();
    raised_in_s();
    raised_while_clear();
    line_and_software();
    supervisor_first();
    both_lines();
    none_lost();
    among_timers();
}
