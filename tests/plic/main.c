/*
 * The rules of a PLIC, one case each, on the contexts that the device tree
 * names ([plic N]: section of the RISC-V PLIC specification 1.0.0).
 *
 * Two level-triggered sources that a register write raises and lowers: the
 * goldfish RTC (11; an alarm went off once, then IRQ_ENABLED is the switch)
 * and uart0 (10; THRE is always so, IER is the switch).
 */
#include "tests/bare/bare.h"

enum { UART = 10, RTC = 11, M = 11, S = 9, U = 8 };
enum {
    UART_IER = 0x10000001,
    IER_THRI = 2,
    RTC_ALARM_LOW = 0x101008,
    RTC_ALARM_HIGH = 0x10100c,
    RTC_ENABLED = 0x101010
};
enum {
    PENDING = 0x1000,
    ENABLE = 0x2000,
    ENABLE_STRIDE = 0x80,
    CONTEXT = 0x200000,
    CONTEXT_STRIDE = 0x1000
};

static ulong plic;

/* The context of that hart's interrupt (M, S or U). */
static unsigned context(unsigned hart, unsigned interrupt)
{
    int c = fdt_context(hart, interrupt);

    if (c < 0)
        FAIL("hart %u has no context for interrupt %u", hart, interrupt);
    return c;
}

static void set_line(unsigned source, bool high)
{
    if (source == UART)
        write8(UART_IER, high ? IER_THRI : 0);
    else
        write32(RTC_ENABLED, high);
}

static void set_priority(unsigned source, unsigned priority)
{
    write32(plic + 4 * source, priority);
}

static bool is_pending(unsigned source)
{
    return read32(plic + PENDING) >> source & 1;
}

static void set_enable(unsigned c, uint32_t sources)
{
    write32(plic + ENABLE + c * ENABLE_STRIDE, sources);
}

static void set_threshold(unsigned c, unsigned threshold)
{
    write32(plic + CONTEXT + c * CONTEXT_STRIDE, threshold);
}

static unsigned claim(unsigned c)
{
    return read32(plic + CONTEXT + c * CONTEXT_STRIDE + 4);
}

static void complete(unsigned c, unsigned source)
{
    write32(plic + CONTEXT + c * CONTEXT_STRIDE + 4, source);
}

static ulong read_mip(ulong unused)
{
    (void)unused;
    return csr_read(mip);
}

/* Which of MEIP, SEIP, UEIP that hart has. */
static ulong lines(unsigned hart)
{
    return bare_on(hart, read_mip, 0) & (1 << M | 1 << S | 1 << U);
}

/* Nothing enabled, pending or in flight; both lines low. */
void bare_before(void)
{
    unsigned size = 0;

    plic = fdt_address("riscv,plic0", 0);
    write32(RTC_ALARM_HIGH, 0);
    write32(RTC_ALARM_LOW, 0); /* long ago: it goes off now */
    set_line(RTC, false);
    set_line(UART, false);
    fdt_property("riscv,plic0", 0, "interrupts-extended", &size);
    for (unsigned c = 0; c < size / 8; c++) {
        set_enable(c, 0);
        set_threshold(c, 0);
    }
    set_enable(0, 1 << RTC | 1 << UART);
    for (unsigned source = UART; source <= RTC; source++) {
        set_priority(source, 1);
        complete(0, source);
    }
    for (unsigned source; (source = claim(0)) != 0;)
        complete(0, source);
    set_enable(0, 0);
}

/* The usual start: the source is enabled in c with priority 1, its line high. */
static void raise_in(unsigned c, unsigned source)
{
    set_priority(source, 1);
    set_enable(c, 1u << source);
    set_line(source, true);
}

/* ---- contexts and lines -------------------------------------------------- */

CASE(device_tree_has_three_contexts_a_hart)
{
    unsigned size;

    fdt_property("riscv,plic0", 0, "interrupts-extended", &size);
    EXPECT(size, bare_harts() * 3 * 8);
    for (unsigned hart = 0; hart < bare_harts(); hart++) {
        EXPECT(context(hart, M), 3 * hart);
        EXPECT(context(hart, S), 3 * hart + 1);
        EXPECT(context(hart, U), 3 * hart + 2);
    }
}

CASE(m_context_raises_meip_of_its_hart_only)
{
    for (unsigned hart = 0; hart < 2; hart++) {
        bare_before();
        raise_in(context(hart, M), RTC);
        EXPECT(lines(hart), 1 << M);
        EXPECT(lines(1 - hart), 0);
    }
}

CASE(s_context_raises_seip_of_its_hart_only)
{
    for (unsigned hart = 0; hart < 2; hart++) {
        bare_before();
        raise_in(context(hart, S), RTC);
        EXPECT(lines(hart), 1 << S);
        EXPECT(lines(1 - hart), 0);
    }
}

CASE(u_context_raises_ueip_of_its_hart_only)
{
    for (unsigned hart = 0; hart < 2; hart++) {
        bare_before();
        raise_in(context(hart, U), RTC);
        EXPECT(lines(hart), 1 << U);
        EXPECT(lines(1 - hart), 0);
        EXPECT(claim(context(hart, U)), RTC);
        EXPECT(lines(hart), 0);
    }
}

static volatile unsigned taken;

static void take(ulong mcause, ulong mepc, ulong *regs)
{
    (void)mepc, (void)regs;
    CHECK(mcause == (1UL << 63 | M));
    taken = claim(context(0, M));
    set_line(RTC, false);
    complete(context(0, M), taken);
}

CASE(interrupt_traps_and_is_taken_once)
{
    bare_hook = take;
    taken = 0;
    csr_write(mie, 1 << M);
    csr_set(mstatus, 8);
    raise_in(context(0, M), RTC);
    UNTIL(taken == RTC, 1000000);
    taken = 0;
    bare_sleep(1000);
    EXPECT(taken, 0);
}

/* ---- enable, priority, threshold: [plic 4, 6, 7], with effect at once ----- */

CASE(disabled_source_is_pending_and_no_more)
{
    set_priority(RTC, 1);
    set_line(RTC, true);
    EXPECT(is_pending(RTC), 1);
    EXPECT(lines(0), 0);
    EXPECT(claim(context(0, M)), 0);
}

CASE(enabling_and_disabling_act_at_once)
{
    unsigned c = context(0, M);

    raise_in(c, RTC);
    set_enable(c, 0);
    EXPECT(lines(0), 0);
    set_enable(c, 1 << RTC);
    EXPECT(lines(0), 1 << M);
}

CASE(source_0_cannot_be_enabled)
{
    unsigned c = context(0, M);

    set_enable(c, 1 << RTC | 1);
    EXPECT(read32(plic + ENABLE + c * ENABLE_STRIDE), 1 << RTC);
}

CASE(priority_0_never_interrupts)
{
    unsigned c = context(0, M);

    raise_in(c, RTC);
    set_priority(RTC, 0);
    EXPECT(lines(0), 0);
    EXPECT(claim(c), 0);
    set_priority(RTC, 1);
    EXPECT(lines(0), 1 << M);
}

CASE(threshold_masks_what_is_not_above_it)
{
    unsigned c = context(0, M);

    raise_in(c, RTC);
    set_priority(RTC, 3);
    for (unsigned threshold = 0; threshold <= 7; threshold++) {
        set_threshold(c, threshold);
        EXPECT(lines(0), threshold < 3 ? 1 << M : 0);
    }
}

CASE(claim_does_not_look_at_the_threshold)
{
    unsigned c = context(0, M);

    raise_in(c, RTC);
    set_threshold(c, 7);
    EXPECT(claim(c), RTC);
}

/* ---- claims: [plic 8] ----------------------------------------------------- */

CASE(claim_takes_the_highest_priority)
{
    unsigned c = context(0, M);

    raise_in(c, UART);
    raise_in(c, RTC);
    set_enable(c, 1 << RTC | 1 << UART);
    set_priority(RTC, 2);
    EXPECT(claim(c), RTC);
    EXPECT(claim(c), UART);
    EXPECT(claim(c), 0);
}

CASE(claim_takes_the_lowest_of_equals)
{
    unsigned c = context(0, M);

    raise_in(c, RTC);
    raise_in(c, UART);
    set_enable(c, 1 << RTC | 1 << UART);
    EXPECT(claim(c), UART);
    EXPECT(claim(c), RTC);
}

CASE(claim_takes_it_from_all_contexts)
{
    raise_in(context(0, M), RTC);
    raise_in(context(1, S), RTC);
    EXPECT(lines(0), 1 << M);
    EXPECT(lines(1), 1 << S);
    EXPECT(claim(context(1, S)), RTC);
    EXPECT(is_pending(RTC), 0);
    EXPECT(lines(0), 0);
    EXPECT(lines(1), 0);
    EXPECT(claim(context(0, M)), 0);
}

/* ---- gateways and completion: [plic 5, 9] --------------------------------- */

CASE(claimed_source_is_not_pending_again)
{
    unsigned c = context(0, M);

    raise_in(c, RTC);
    EXPECT(claim(c), RTC);
    for (int i = 0; i < 3; i++) {
        set_line(RTC, false);
        set_line(RTC, true);
        EXPECT(is_pending(RTC), 0);
        EXPECT(lines(0), 0);
    }
}

CASE(completed_with_its_line_low_is_quiet)
{
    unsigned c = context(0, M);

    raise_in(c, RTC);
    EXPECT(claim(c), RTC);
    set_line(RTC, false);
    complete(c, RTC);
    EXPECT(is_pending(RTC), 0);
    EXPECT(lines(0), 0);
    set_line(RTC, true);
    EXPECT(claim(c), RTC);
}

CASE(completed_with_its_line_high_is_pending_again)
{
    unsigned c = context(0, M);

    raise_in(c, RTC);
    for (int i = 0; i < 3; i++) {
        EXPECT(lines(0), 1 << M);
        EXPECT(claim(c), RTC);
        EXPECT(lines(0), 0);
        complete(c, RTC);
    }
    EXPECT(is_pending(RTC), 1);
}

CASE(request_stays_when_its_line_falls)
{
    unsigned c = context(0, M);

    raise_in(c, RTC);
    set_line(RTC, false);
    EXPECT(lines(0), 1 << M);
    EXPECT(claim(c), RTC);
    complete(c, RTC);
    EXPECT(lines(0), 0);
}

CASE(completion_counts_in_any_context_that_enables_it)
{
    unsigned a = context(0, M), b = context(1, S);

    raise_in(a, RTC);
    EXPECT(claim(a), RTC);
    set_enable(b, 1 << RTC);
    complete(b, RTC);
    EXPECT(is_pending(RTC), 1);
}

CASE(completion_is_ignored_where_it_is_not_enabled)
{
    unsigned a = context(0, M), b = context(1, M);

    raise_in(a, RTC);
    set_enable(b, 1 << UART);
    EXPECT(claim(a), RTC);
    complete(b, RTC);
    set_line(RTC, false);
    set_line(RTC, true);
    EXPECT(is_pending(RTC), 0);
    set_enable(a, 0);
    complete(a, RTC);
    set_line(RTC, false);
    set_line(RTC, true);
    EXPECT(is_pending(RTC), 0);
}

CASE(completion_of_nothing_does_nothing)
{
    unsigned c = context(0, M);

    raise_in(c, RTC);
    set_enable(c, 1 << RTC | 1 << UART);
    complete(c, 0);
    complete(c, UART);
    complete(c, RTC); /* pending, not claimed */
    complete(c, 1000);
    EXPECT(is_pending(UART), 0);
    EXPECT(claim(c), RTC);
    EXPECT(claim(c), 0);
}

/* ---- the failure that this system is about -------------------------------- */

static bool is_silent(unsigned a, unsigned b)
{
    for (int i = 0; i < 100; i++) {
        set_line(RTC, false);
        set_line(RTC, true);
        if (is_pending(RTC) || lines(0) || lines(1) || claim(a) || claim(b))
            return false;
    }
    return true;
}

/* A driver claims on hart 0, and completes with hart 1's address. */
CASE(masked_for_ever_when_completed_on_another_hart)
{
    unsigned a = context(0, U), b = context(1, U);

    raise_in(a, RTC);
    EXPECT(claim(a), RTC);
    complete(b, RTC);
    CHECK(is_silent(a, b));
    complete(a, RTC);
    EXPECT(lines(0), 1 << U);
    EXPECT(claim(a), RTC);
}

/*
 * As it happens: the driver reads its hart, is moved with its source, and
 * completes where it was.
 */
CASE(masked_for_ever_when_moved_before_completing)
{
    unsigned a = context(0, U), b = context(1, U);

    raise_in(a, RTC);
    EXPECT(claim(a), RTC);
    set_enable(a, 0);
    set_enable(b, 1 << RTC);
    complete(a, RTC);
    CHECK(is_silent(a, b));
    complete(b, RTC);
    EXPECT(lines(1), 1 << U);
    EXPECT(claim(b), RTC);
}
