/*
 * wfi in S-mode wakes for a pending and enabled user interrupt (uip & uie),
 * whatever UIE is. The S timer ends a sleep that should not have been one.
 */
#include "isa.h"

enum { ALARM_NS = 2000000, LIMIT_MS = 3000 };

static void wfi(void)
{
    __asm__ volatile("wfi" ::: "memory");
}

/* Until uip has `bits`, or time is up; true if in time. */
static bool sleep_until(ulong bits)
{
    ulong limit = csr_read(CSR_TIME) + machine.timebase / 1000 * LIMIT_MS;

    timer_set(limit);
    sie_write(SIP_STIP);
    do
        wfi();
    while (!(csr_read(CSR_UIP) & bits) && csr_read(CSR_TIME) < limit);
    bool in_time = csr_read(CSR_TIME) < limit;
    sie_write(0);
    timer_set(-1UL);
    return in_time;
}

static void device_wakes(const char *name, ulong ustatus, bool before)
{
    struct ctx ctx;

    begin(name);
    reset(&ctx);
    device_enable(here_context());
    csr_write(CSR_UIE, UIRQ_EXT);
    csr_write(CSR_USTATUS, ustatus);
    if (before)
        device_fire();
    else
        device_alarm(ALARM_NS);
    for (int twice = 0; twice < 2; twice++)
        check("woke in time", sleep_until(UIRQ_EXT), true);
    ctx.pc = user_address(user_nops);
    ctx.x[S10] = ACT_DEVICE;
    run(&ctx, MODE_U);
    check("interrupts", user_log.count, ustatus & 1);
    end();
}

/* U-mode left with UIE clear (as in a handler), then S-mode sleeps. */
static void after_handler(void)
{
    struct ctx ctx;

    for (int looks = 1; looks >= 0; looks--) {
        begin(looks ? "wfi.after-an-unfinished-handler"
                    : "wfi.after-an-unfinished-handler-no-csr-read");
        reset(&ctx);
        device_enable(here_context());
        ctx.pc = user_address(user_nops);
        ctx.x[S10] = ACT_DEVICE | ACT_EXIT;
        csr_write(CSR_UIE, UIRQ_EXT);
        csr_write(CSR_USTATUS, USTATUS_UIE);
        device_fire();
        run(&ctx, MODE_U);
        if (looks) {
            check("interrupts", user_log.count, 1);
            check("ustatus", csr_read(CSR_USTATUS), USTATUS_UPIE);
        }
        device_alarm(ALARM_NS);
        check("woke in time", sleep_until(UIRQ_EXT), true);
        end();
    }
}

/* Taken in U-mode, not claimed: still pending when S-mode sleeps. */
static void unclaimed(void)
{
    struct ctx ctx;

    begin("wfi.unclaimed-interrupt-does-not-sleep");
    reset(&ctx);
    device_enable(here_context());
    ctx.pc = user_address(user_fire);
    ctx.x[A1] = limit();
    ctx.x[S10] = ACT_EXIT;
    csr_write(CSR_UIE, UIRQ_EXT);
    csr_write(CSR_USTATUS, USTATUS_UIE);
    run(&ctx, MODE_U);
    check("interrupts", user_log.count, 1);
    check("woke in time", sleep_until(UIRQ_EXT), true);
    end();
}

static void software_wakes(void)
{
    struct ctx ctx;

    begin("wfi.software-pending-and-enabled-does-not-sleep");
    reset(&ctx);
    csr_write(CSR_UIE, UIRQ_SOFT);
    csr_write(CSR_UIP, UIRQ_SOFT);
    check("woke in time", sleep_until(UIRQ_SOFT), true);
    end();
    begin("wfi.supervisor-interrupts-still-wake");
    reset(&ctx);
    csr_write(CSR_UIE, UIRQ_TIMER);
    csr_write(CSR_UIP, UIRQ_SOFT);
    ulong start = csr_read(CSR_TIME);
    timer_set(start + machine.timebase / 1000);
    sie_write(SIP_STIP);
    while (!(csr_read(CSR_SIP) & SIP_STIP))
        wfi();
    check("sip", csr_read(CSR_SIP) & SIP_STIP, SIP_STIP);
    end();
}

void wait_cases(void)
{
    software_wakes();
    if (here_context() < 0)
        return;
    device_wakes("wfi.device-wakes-with-uie-set", USTATUS_UIE, false);
    device_wakes("wfi.device-wakes-with-uie-clear", 0, false);
    device_wakes("wfi.device-pending-before-uie-set", USTATUS_UIE, true);
    device_wakes("wfi.device-pending-before-uie-clear", 0, true);
    after_handler();
    unclaimed();
}
