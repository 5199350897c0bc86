/*
 * When a pending interrupt is taken: at sret, at uret, at each CSR write that
 * allows it; and which goes first when several are pending.
 */
#include "isa.h"

/* Pending and allowed before sret: taken before the first instruction. */
static void at_sret(void)
{
    struct ctx ctx;

    begin("pending.taken-at-sret");
    reset(&ctx);
    ctx.pc = user_address(user_nops);
    ctx.x[S10] = ACT_CLEAR_USIP;
    csr_write(CSR_UIE, UIRQ_SOFT);
    csr_write(CSR_UIP, UIRQ_SOFT);
    csr_write(CSR_USTATUS, USTATUS_UIE);
    run(&ctx, MODE_U);
    check("scause", ctx.cause, EXC_ECALL_U);
    check("interrupts", user_log.count, 1);
    check("uepc", user_log.entry[0].epc, user_address(user_nops));
    end();
}

/* sret to S-mode does not take it; everything else about that sret holds. */
static void not_in_s(void)
{
    struct ctx ctx;

    begin("pending.not-taken-in-s");
    reset(&ctx);
    code_begin();
    code_add(INSN_INC_A0);
    code_add(INSN_INC_A0);
    code_end(MODE_S);
    ctx.pc = code_at(MODE_S);
    ctx.x[S10] = ACT_CLEAR_USIP;
    csr_write(CSR_UIE, UIRQ_SOFT);
    csr_write(CSR_UIP, UIRQ_SOFT);
    csr_write(CSR_USTATUS, USTATUS_UIE);
    run(&ctx, MODE_S);
    check("scause", ctx.cause, EXC_BREAKPOINT);
    check("instructions", ctx.x[A0], 2);
    check("interrupts", user_log.count, 0);
    check("ustatus", csr_read(CSR_USTATUS), USTATUS_UIE);
    end();
}

/* sstatus as after any other sret, whether or not one was taken at it. */
static void sret_status(void)
{
    struct ctx ctx;

    begin("pending.sret-keeps-the-supervisor-stack");
    for (unsigned spie = 0; spie < 2; spie++) {
        for (unsigned pending = 0; pending < 2; pending++) {
            reset(&ctx);
            ctx.pc = user_address(user_nops);
            ctx.x[S10] = ACT_CLEAR_USIP;
            csr_write(CSR_UIE, UIRQ_SOFT);
            csr_write(CSR_UIP, pending);
            csr_write(CSR_USTATUS, USTATUS_UIE);
            run_status(&ctx, spie ? SSTATUS_SPIE : 0);
            check("scause", ctx.cause, EXC_ECALL_U);
            check("SPP, SPIE, SIE", ctx.status & 0x122,
                  spie ? SSTATUS_SPIE : 0);
            check("interrupts", user_log.count, pending);
        }
        reset(&ctx);
        code_begin();
        code_add(INSN_NOP);
        code_end(MODE_S);
        ctx.pc = code_at(MODE_S);
        csr_write(CSR_UIE, UIRQ_SOFT);
        csr_write(CSR_UIP, UIRQ_SOFT);
        csr_write(CSR_USTATUS, USTATUS_UIE);
        run_status(&ctx, SSTATUS_SPP | (spie ? SSTATUS_SPIE : 0));
        check("scause", ctx.cause, EXC_BREAKPOINT);
        check("SPP, SPIE, SIE from S", ctx.status & 0x122,
              SSTATUS_SPP | (spie ? SSTATUS_SPIE : 0));
    }
    end();
}

static void at_uret(void)
{
    struct ctx ctx;

    begin("pending.taken-at-uret");
    reset(&ctx);
    code_begin();
    code_add(INSN_URET);
    code_end(MODE_U);
    ctx.pc = code_at(MODE_U);
    ctx.x[S10] = ACT_CLEAR_USIP;
    csr_write(CSR_UEPC, user_address(user_nops));
    csr_write(CSR_UIE, UIRQ_SOFT);
    csr_write(CSR_UIP, UIRQ_SOFT);
    csr_write(CSR_USTATUS, USTATUS_UPIE);
    run(&ctx, MODE_U);
    check("interrupts", user_log.count, 1);
    check("uepc", user_log.entry[0].epc, user_address(user_nops));
    end();
    begin("pending.second-taken-at-the-uret-of-the-first");
    reset(&ctx);
    ctx.pc = user_address(user_nops);
    ctx.x[S10] = ACT_DISABLE;
    csr_write(CSR_UIE, UIRQ_SOFT | UIRQ_TIMER);
    csr_write(CSR_UIP, UIRQ_SOFT | UIRQ_TIMER);
    csr_write(CSR_USTATUS, USTATUS_UIE);
    run(&ctx, MODE_U);
    check("interrupts", user_log.count, 2);
    check("first uepc", user_log.entry[0].epc, user_address(user_nops));
    check("second uepc", user_log.entry[1].epc, user_address(user_nops));
    end();
    begin("pending.raised-in-the-handler-waits-for-uret");
    reset(&ctx);
    ctx.pc = user_address(user_nops);
    ctx.x[S10] = ACT_DISABLE | ACT_USIP;
    csr_write(CSR_UIE, UIRQ_SOFT | UIRQ_TIMER);
    csr_write(CSR_UIP, UIRQ_TIMER);
    csr_write(CSR_USTATUS, USTATUS_UIE);
    run(&ctx, MODE_U);
    check("interrupts", user_log.count, 2);
    check("first ucause", user_log.entry[0].cause, INTERRUPT | 4);
    check("second ucause", user_log.entry[1].cause, INTERRUPT | 0);
    check("second uepc", user_log.entry[1].epc, user_address(user_nops));
    end();
}

/* One CSR write in U-mode makes a pending interrupt allowed. */
static void at_write(const char *name, uint32_t insn, ulong operand, ulong uie,
                     ulong ustatus)
{
    struct ctx ctx;

    begin(name);
    reset(&ctx);
    code_begin();
    code_add(INSN_INC_A0);
    code_add(insn);
    code_add(INSN_INC_A0);
    code_end(MODE_U);
    ctx.pc = code_at(MODE_U);
    ctx.x[A1] = operand;
    ctx.x[S10] = ACT_CLEAR_USIP;
    csr_write(CSR_UIE, uie);
    csr_write(CSR_UIP, UIRQ_SOFT);
    csr_write(CSR_USTATUS, ustatus);
    run(&ctx, MODE_U);
    check("scause", ctx.cause, EXC_ECALL_U);
    check("interrupts", user_log.count, 1);
    check("uepc", user_log.entry[0].epc, code_at(MODE_U) + 8);
    check("instructions", ctx.x[A0], 2);
    check("ustatus in the handler", user_log.entry[0].status, USTATUS_UPIE);
    end();
}

/* S-mode makes it allowed; the sret after that takes it. */
static void at_supervisor_write(const char *name, int which)
{
    struct ctx ctx;

    begin(name);
    reset(&ctx);
    ctx.pc = user_address(user_nops);
    ctx.x[S10] = ACT_DISABLE;
    csr_write(CSR_UIE, which == 0 ? 0 : UIRQ_TIMER);
    csr_write(CSR_UIP, which == 1 ? 0 : UIRQ_TIMER);
    csr_write(CSR_USTATUS, which == 2 ? 0 : USTATUS_UIE);
    csr_write(CSR_SIDELEG, which == 3 ? 0 : UIRQ_ALL);
    run(&ctx, MODE_U);
    check("interrupts before", user_log.count, 0);
    ctx.pc = user_address(user_nops);
    csr_set(CSR_SIDELEG, which == 3 ? UIRQ_TIMER : 0);
    csr_set(CSR_UIE, which == 0 ? UIRQ_TIMER : 0);
    csr_set(CSR_UIP, which == 1 ? UIRQ_TIMER : 0);
    csr_set(CSR_USTATUS, which == 2 ? USTATUS_UIE : 0);
    run(&ctx, MODE_U);
    check("interrupts after", user_log.count, 1);
    check("uepc", user_log.entry[0].epc, user_address(user_nops));
    end();
}

/* S-mode takes the pending interrupt back before it goes to U-mode. */
static void withdrawn(void)
{
    struct ctx ctx;

    begin("pending.withdrawn-in-s-is-not-taken");
    for (unsigned which = 0; which < 4; which++) {
        reset(&ctx);
        ctx.pc = user_address(user_nops);
        csr_write(CSR_UIE, UIRQ_SOFT);
        csr_write(CSR_UIP, UIRQ_SOFT);
        csr_write(CSR_USTATUS, USTATUS_UIE);
        if (which == 0)
            csr_write(CSR_UIE, 0);
        else if (which == 1)
            csr_write(CSR_UIP, 0);
        else if (which == 2)
            csr_write(CSR_USTATUS, 0);
        else
            csr_write(CSR_SIDELEG, 0);
        run(&ctx, MODE_U);
        check("interrupts", user_log.count, 0);
    }
    end();
}

static void priorities(void)
{
    struct ctx ctx;

    begin("priority.external-software-timer");
    reset(&ctx);
    ctx.pc = user_address(user_nops);
    ctx.x[S10] = ACT_DISABLE;
    csr_write(CSR_UIE, UIRQ_ALL);
    csr_write(CSR_UIP, UIRQ_ALL);
    csr_write(CSR_USTATUS, USTATUS_UIE);
    run(&ctx, MODE_U);
    check("interrupts", user_log.count, 3);
    check("first", user_log.entry[0].cause, INTERRUPT | 8);
    check("second", user_log.entry[1].cause, INTERRUPT | 0);
    check("third", user_log.entry[2].cause, INTERRUPT | 4);
    end();
}

/* S before U, with the S interrupt pending at the same sret. */
static void supervisor_first(const char *name, ulong sie)
{
    struct ctx ctx;

    begin(name);
    reset(&ctx);
    ctx.pc = user_address(user_nops);
    ctx.x[S10] = ACT_CLEAR_USIP;
    if (sie == SIP_STIP)
        timer_set(0);
    else
        csr_set(CSR_SIP, SIP_SSIP);
    csr_write(CSR_UIE, UIRQ_SOFT);
    csr_write(CSR_UIP, UIRQ_SOFT);
    csr_write(CSR_USTATUS, USTATUS_UIE);
    sie_write(sie);
    run(&ctx, MODE_U);
    check("scause", ctx.cause, INTERRUPT | (sie == SIP_STIP ? 5 : 1));
    check("sepc", ctx.pc, user_address(user_nops));
    check("SPP", ctx.status & SSTATUS_SPP, 0);
    check("user interrupts yet", user_log.count, 0);
    check("ustatus", csr_read(CSR_USTATUS), USTATUS_UIE);
    timer_set(-1UL);
    sie_write(0);
    csr_clear(CSR_SIP, SIP_SSIP);
    run(&ctx, MODE_U);
    check("scause", ctx.cause, EXC_ECALL_U);
    check("user interrupts then", user_log.count, 1);
    check("uepc", user_log.entry[0].epc, user_address(user_nops));
    end();
}

/* The timer as a kernel does it: S sets UTIP in its timer interrupt. */
static void timer_relay(void)
{
    struct ctx ctx;

    begin("timer.utip-set-in-the-s-timer-interrupt");
    reset(&ctx);
    ctx.pc = user_address(user_wait);
    ctx.x[A0] = 1;
    ctx.x[A1] = limit();
    ctx.x[S10] = ACT_DISABLE;
    csr_write(CSR_UIE, UIRQ_TIMER);
    csr_write(CSR_USTATUS, USTATUS_UIE);
    sie_write(SIP_STIP);
    timer_set(csr_read(CSR_TIME) + 200);
    run(&ctx, MODE_U);
    check("scause", ctx.cause, INTERRUPT | 5);
    timer_set(-1UL);
    sie_write(0);
    csr_set(CSR_UIP, UIRQ_TIMER);
    ulong pc = ctx.pc;
    run(&ctx, MODE_U);
    check("scause", ctx.cause, EXC_ECALL_U);
    check("interrupts", user_log.count, 1);
    check("ucause", user_log.entry[0].cause, INTERRUPT | 4);
    check("uepc", user_log.entry[0].epc, pc);
    end();
}

void pending_cases(void)
{
    at_sret();
    not_in_s();
    sret_status();
    at_uret();
    at_write("pending.taken-at-csrrsi-ustatus",
             insn_csr(CSRRSI, 0, CSR_USTATUS, 1), 0, UIRQ_SOFT, 0);
    at_write("pending.taken-at-csrrs-ustatus",
             insn_csr(CSRRS, T0, CSR_USTATUS, A1), 1, UIRQ_SOFT, 0);
    at_write("pending.taken-at-csrrw-ustatus",
             insn_csr(CSRRW, A1, CSR_USTATUS, A1), 1, UIRQ_SOFT, 0);
    at_write("pending.taken-at-csrrsi-uie", insn_csr(CSRRSI, 0, CSR_UIE, 1), 0,
             0, USTATUS_UIE);
    at_write("pending.taken-at-csrrw-uie", insn_csr(CSRRW, 0, CSR_UIE, A1),
             UIRQ_ALL, 0, USTATUS_UIE);
    at_supervisor_write("pending.supervisor-sets-uie-bit", 0);
    at_supervisor_write("pending.supervisor-sets-uip-bit", 1);
    at_supervisor_write("pending.supervisor-sets-ustatus-uie", 2);
    at_supervisor_write("pending.supervisor-sets-sideleg-bit", 3);
    withdrawn();
    priorities();
    supervisor_first("priority.s-software-before-user-software", SIP_SSIP);
    supervisor_first("priority.s-timer-before-user-software", SIP_STIP);
    timer_relay();
}
