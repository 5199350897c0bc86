/*
 * Each hart has its own user-interrupt state. Needs a second hart.
 */
#include "isa.h"

enum { SBI_HSM = 0x48534d, HART_START = 0, HART_STOP, HART_STATUS };
enum { STOPPED = 1, HARTS_MAX = 8 };
enum { MARK = 0x1000, ROUNDS = 50000, SPIN_SECONDS = 3 };

void second_start(void); /* start.S */
void park_start(void);

static volatile unsigned step; /* odd: the second hart's turn */
static struct ctx second_ctx;
static struct log second_log __attribute__((aligned(4096)));
static char second_stack[8192] __attribute__((aligned(4096)));
static volatile ulong second_uscratch, second_uip, second_utvec;

/* A tenth of a millisecond: with -icount a spinning hart starves the others. */
static void nap(void)
{
    timer_set(csr_read(CSR_TIME) + machine.timebase / 10000);
    sie_write(SIP_STIP);
    while (!(csr_read(CSR_SIP) & SIP_STIP))
        __asm__ volatile("wfi" ::: "memory");
    sie_write(0);
    timer_set(-1UL);
}

/* Busy, and so at the mercy of who else has something to do. */
static bool spin_for(unsigned turn)
{
    ulong limit = csr_read(CSR_TIME) + machine.timebase * SPIN_SECONDS;

    while (step != turn && csr_read(CSR_TIME) < limit)
        ;
    return step == turn;
}

static bool wait_for(unsigned turn)
{
    for (int i = 0; i < ROUNDS && step != turn; i++)
        nap();
    return step == turn;
}

static void give(unsigned turn)
{
    __asm__ volatile("fence" ::: "memory");
    step = turn;
}

void second_main(void)
{
    paging_on();
    wait_for(1);
    reset_hart(&second_ctx, &second_log);
    csr_write(CSR_USCRATCH, MARK + 2);
    csr_write(CSR_UIE, UIRQ_SOFT);
    csr_write(CSR_USTATUS, USTATUS_UIE);
    csr_write(CSR_UIP, UIRQ_SOFT);
    give(2);
    wait_for(3);
    second_uscratch = csr_read(CSR_USCRATCH);
    second_uip = csr_read(CSR_UIP);
    second_utvec = csr_read(CSR_UTVEC);
    second_ctx.pc = user_address(user_nops);
    second_ctx.x[S10] = ACT_CLEAR_USIP;
    run(&second_ctx, MODE_U);
    give(4);
    for (unsigned turn = 6; turn <= 10; turn += 4) {
        wait_for(turn - 1);
        give(turn);
        spin_for(turn + 1);
        give(turn + 2);
    }
    sbi_call(SBI_HSM, HART_STOP, 0, 0, 0);
}

/* What a parked hart does: back to the firmware. */
void park_main(void)
{
    sbi_call(SBI_HSM, HART_STOP, 0, 0, 0);
}

/*
 * Start and stop every other hart. OpenSBI 1.1 leaves a hart that was never
 * started spinning around a wfi; one that was stopped sleeps.
 */
void harts_park(void)
{
    for (unsigned hart = 0; hart < machine.harts && hart < HARTS_MAX; hart++) {
        if (hart == machine.boot_hart)
            continue;
        sbi_call(SBI_HSM, HART_START, hart, (ulong)park_start,
                 (ulong)second_stack + sizeof(second_stack));
        while (sbi_call(SBI_HSM, HART_STATUS, hart, 0, 0) != STOPPED)
            nap();
    }
}

/*
 * A wfi that a pending interrupt ends at once is still one: with -icount it
 * gives the turn to the other hart, which is busy. How many it took is for who
 * reads `count` lines to judge: without -icount the host decides that.
 */
static void gives_turn_away(const char *name, unsigned turn, ulong sip)
{
    ulong limit = csr_read(CSR_TIME) + machine.timebase * SPIN_SECONDS;
    ulong looks = 0;

    give(turn);
    check("second hart is there", wait_for(turn + 1), true);
    sie_write(SIP_SSIP);
    give(turn + 2);
    for (; step != turn + 3 && csr_read(CSR_TIME) < limit; looks++) {
        csr_set(CSR_SIP, sip);
        __asm__ volatile("wfi" ::: "memory");
    }
    check("second hart has had a turn", step, turn + 3);
    csr_clear(CSR_SIP, SIP_SSIP);
    sie_write(0);
    measured(name, looks);
}

static void waiting_cases(void)
{
    struct ctx ctx;

    begin("hart.wfi-that-would-not-sleep-lets-others-go-on");
    reset(&ctx);
    csr_write(CSR_UIE, UIRQ_SOFT);
    csr_write(CSR_UIP, UIRQ_SOFT);
    gives_turn_away("looks-software", 5, SIP_SSIP);
    csr_write(CSR_UIP, 0);
    if (here_context() >= 0) {
        device_enable(here_context());
        csr_write(CSR_UIE, UIRQ_EXT);
        device_fire();
    }
    gives_turn_away("looks-line", 9, 0);
    end();
}

void hart_cases(void)
{
    struct ctx ctx;
    unsigned other = machine.boot_hart ? 0 : 1;

    if (machine.harts < 2)
        return;
    begin("hart.state-is-its-own");
    step = 0;
    check("hart started",
          sbi_call(SBI_HSM, HART_START, other, (ulong)second_start,
                   (ulong)second_stack + sizeof(second_stack)),
          0);
    reset(&ctx);
    csr_write(CSR_USCRATCH, MARK + 1);
    give(1);
    check("second hart answers", wait_for(2), true);
    check("uscratch here", csr_read(CSR_USCRATCH), MARK + 1);
    check("uip here", csr_read(CSR_UIP), 0);
    check("uie here", csr_read(CSR_UIE), 0);
    csr_write(CSR_UIE, UIRQ_ALL);
    csr_write(CSR_UTVEC, 0x4000);
    ctx.pc = user_address(user_nops);
    csr_write(CSR_USTATUS, USTATUS_UIE);
    run(&ctx, MODE_U);
    check("interrupts here", user_log.count, 0);
    give(3);
    check("second hart finishes", wait_for(4), true);
    check("uscratch there", second_uscratch, MARK + 2);
    check("uip there", second_uip, UIRQ_SOFT);
    check("utvec there", second_utvec, user_address(user_handler));
    check("scause there", second_ctx.cause, EXC_ECALL_U);
    check("interrupts there", second_log.count, 1);
    check("uscratch here at the end", csr_read(CSR_USCRATCH), MARK + 1);
    end();
    waiting_cases();
}
