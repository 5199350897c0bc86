/*
 * What each relay of a K210-style machine does and may not do, behind our
 * firmware, in the kernel's place. docs/design/relay.md quotes what the cases
 * show; tests/test_relay.py runs them.
 */
#include "relay.h"

enum { SSTATUS_SIE = 2, LOAD_ACCESS_FAULT = 5, MACHINE_ECALL = 11 };
enum { SPINS = 100000 };

extern char stack[], stack_top[], second_start[];

/* ---- mask --------------------------------------------------------------- */

static void mask_hands_over_and_waits(void)
{
    uinta(SBI_UINTA_RELAY_WORD, (ulong)&word, 0);
    long taken = count(COUNT_TAKEN);
    rtc_raise();
    expect("SSIP", ssip(), 1);
    expect("word", take(), 1);
    uart_raise(); /* the line is high, and masked: no storm */
    expect("SSIP while masked", ssip(), 0);
    expect("M interrupts", count(COUNT_TAKEN) - taken, 1);
    expect("first claim", read32(claim_register()), UART_SOURCE);
    expect("second claim", read32(claim_register()), rtc_source);
    expect("third claim", read32(claim_register()), 0);
    uart_lower();
    rtc_lower();
    write32(claim_register(), UART_SOURCE);
    write32(claim_register(), rtc_source);
    uinta(SBI_UINTA_RELAY_UNMASK, 0, 0);
    expect("SSIP after all", ssip(), 0);
    rtc_raise();
    expect("the next comes", take(), 1);
    expect("and is it", read32(claim_register()), rtc_source);
    uinta(SBI_UINTA_RELAY_UNMASK, 0, 0);
}

/* What S-mode does not claim is handed over again when it asks. */
static void mask_what_is_left_comes_again(void)
{
    uinta(SBI_UINTA_RELAY_WORD, (ulong)&word, 0);
    rtc_raise();
    expect("word", take(), 1);
    uinta(SBI_UINTA_RELAY_UNMASK, 0, 0);
    expect("word again", take(), 1);
    expect("claim", read32(claim_register()), rtc_source);
    uinta(SBI_UINTA_RELAY_UNMASK, 0, 0);
}

/* mask and claim: an IPI leaves the word alone. */
static void ipi_is_told_apart(void)
{
    uinta(SBI_UINTA_RELAY_WORD, (ulong)&word, 0);
    sbi(IPI, 0, 1, here, 0);
    expect("SSIP", ssip(), 1);
    expect("word", take(), 0);
}

/* ---- claim -------------------------------------------------------------- */

static void claim_hands_the_source_over(void)
{
    uinta(SBI_UINTA_RELAY_WORD, (ulong)&word, 0);
    rtc_raise();
    expect("SSIP", ssip(), 1);
    expect("word", take(), rtc_source);
    expect("claimed already", read32(claim_register()), 0);
    rtc_lower();
    write32(claim_register(), rtc_source);
}

static void claim_overwrites(void)
{
    uinta(SBI_UINTA_RELAY_WORD, (ulong)&word, 0);
    long lost = count(COUNT_LOST);
    rtc_raise();
    uart_raise(); /* interrupts are off here, as in any system call */
    expect("word", take(), UART_SOURCE);
    expect("word after it", take(), 0);
    uart_lower();
    expect("lost", count(COUNT_LOST) - lost, 1);
    write32(claim_register(), UART_SOURCE);
    for (int i = 0; i < 100; i++) { /* for ever: its gateway waits */
        rtc_lower();
        rtc_raise();
    }
    expect("a silent device", take(), 0);
    rtc_lower();
    write32(claim_register(), rtc_source);
    rtc_raise();
    expect("completed by hand", take(), rtc_source);
    show("sources raised", 2);
    show("sources lost", count(COUNT_LOST) - lost);
}

/* ---- call --------------------------------------------------------------- */

/* What a handler saw. */
static volatile struct {
    ulong runs, status, stack, deadlocks, lock;
    struct answer call, start;
} saw;
static volatile ulong lock, second_runs;

static void serve(void)
{
    uint32_t source = read32(claim_register());

    if (source == rtc_source)
        rtc_lower();
    if (source)
        write32(claim_register(), source);
}

static long plain(void *argument)
{
    ulong *on_stack = (ulong *)&argument;

    saw.runs++;
    saw.status = csr_read(mstatus); /* traps below M-mode */
    saw.stack = (ulong)on_stack;
    serve();
    return 0;
}

static void call_runs_in_machine_mode(void)
{
    ulong hook = (ulong)plain;

    uinta(SBI_UINTA_RELAY_HANDLER, hook, 0);
    csr_clear(sstatus, SSTATUS_SIE);
    rtc_raise();
    expect("runs, with sstatus.SIE clear", saw.runs, 1);
    expect("from S-mode (mstatus.MPP)", saw.status >> 11 & 3, 1);
    expect("on our stack",
           saw.stack >= (ulong)stack && saw.stack < (ulong)stack_top, 0);
    expect("SSIP", ssip(), 0);
}

static bool try_lock(int spins)
{
    while (spins--)
        if (!__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE))
            return true;
    return false;
}

/* A real one would spin for ever: who holds it runs on this very hart. */
static long locking(void *argument)
{
    (void)argument;
    saw.runs++;
    if (!try_lock(SPINS)) {
        saw.deadlocks++;
        return 1;
    }
    serve();
    __atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
    return 0;
}

static void call_ignores_the_lock(void)
{
    saw.runs = 0;
    uinta(SBI_UINTA_RELAY_HANDLER, (ulong)locking, 0);
    csr_clear(sstatus, SSTATUS_SIE); /* this is what protects a lock in S */
    expect("lock", try_lock(1), true);
    rtc_raise();
    expect("handler runs inside", saw.runs, 1);
    expect("deadlocks", saw.deadlocks, 1);
    show("deadlock found after spins", SPINS);
    __atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
    expect("masked until asked", saw.runs, 1);
    uinta(SBI_UINTA_RELAY_UNMASK, 0, 0);
    expect("runs again", saw.runs, 2);
    expect("deadlocks then", saw.deadlocks, 1);
}

static long calling(void *argument)
{
    (void)argument;
    saw.call = sbi(BASE, 0, 0, 0, 0);
    saw.start = sbi(HSM, 0, here ^ 1, (ulong)second_start, (ulong)&second_runs);
    serve();
    return 0;
}

/*
 * The ecall is M-mode's (cause 11). OpenSBI answers what does not depend on
 * the caller, and takes M for the mode that the rest is about.
 */
static void call_and_the_sbi(void)
{
    uinta(SBI_UINTA_RELAY_HANDLER, (ulong)calling, 0);
    rtc_raise();
    expect("get_spec_version's error", saw.call.error, 0);
    expect("get_spec_version", saw.call.value > 0, true);
    show("hart_start in the handler", saw.start.error);
    expect("hart_start in the handler", saw.start.error, INVALID_PARAM);
    struct answer same =
        sbi(HSM, 0, here ^ 1, (ulong)second_start, (ulong)&second_runs);
    show("the same call from S-mode", same.error);
    expect("the same call from S-mode", same.error, 0);
    uint64_t end = csr_read(time) + 20000000;
    while (!second_runs && csr_read(time) < end) {}
    expect("the hart runs", second_runs, 1);
}

static long following(void *argument)
{
    saw.runs++;
    saw.lock = *(volatile ulong *)argument;
    serve();
    return 0;
}

static void call_and_a_virtual_address(void)
{
    static ulong value = 7;
    ulong *alias = (ulong *)((ulong)&value + ALIAS);
    long ended = count(COUNT_TRAPPED);

    saw.runs = 0;
    expect("in S-mode", *(volatile ulong *)alias, 7);
    uinta(SBI_UINTA_RELAY_HANDLER, (ulong)following, (ulong)alias);
    rtc_raise();
    expect("runs", saw.runs, 1);
    expect("ended by a trap", count(COUNT_TRAPPED) - ended, 1);
    expect("cause", count(COUNT_CAUSE), LOAD_ACCESS_FAULT);
    uinta(SBI_UINTA_RELAY_HANDLER, (ulong)following, (ulong)&value);
    expect("with the physical address", saw.runs, 2);
    expect("ended by a trap then", count(COUNT_TRAPPED) - ended, 1);
}

static long pointing(void *argument)
{
    sbi(LEGACY_IPI, 0, (ulong)argument, 0, 0);
    return 0;
}

/*
 * A call whose argument is a pointer: OpenSBI reads it as its caller would,
 * which is M-mode, fails, has nobody to pass the fault on to, and leaves the
 * ecall to be made again, for ever. Our firmware ends the handler.
 */
static void call_with_a_pointer(void)
{
    static ulong harts;
    ulong *alias = (ulong *)((ulong)&harts + ALIAS);
    long ended = count(COUNT_TRAPPED);

    harts = 1UL << here;
    expect("from S-mode", sbi(LEGACY_IPI, 0, (ulong)alias, 0, 0).error, 0);
    expect("SSIP", ssip(), 1);
    take();
    uinta(SBI_UINTA_RELAY_HANDLER, (ulong)pointing, (ulong)alias);
    rtc_raise();
    expect("ended", count(COUNT_TRAPPED) - ended, 1);
    expect("cause", count(COUNT_CAUSE), MACHINE_ECALL);
    expect("SSIP then", ssip(), 0);
}

/* ---- all ---------------------------------------------------------------- */

static const struct {
    unsigned relay;
    const char *name;
    void (*run)(void);
} cases[] = {
    {RELAY_MASK, "hands_over_and_waits", mask_hands_over_and_waits},
    {RELAY_MASK, "what_is_left_comes_again", mask_what_is_left_comes_again},
    {RELAY_MASK, "ipi_is_told_apart", ipi_is_told_apart},
    {RELAY_CLAIM, "hands_the_source_over", claim_hands_the_source_over},
    {RELAY_CLAIM, "ipi_is_told_apart", ipi_is_told_apart},
    {RELAY_CLAIM, "next_source_overwrites", claim_overwrites},
    {RELAY_CALL, "runs_in_machine_mode", call_runs_in_machine_mode},
    {RELAY_CALL, "lock_deadlocks", call_ignores_the_lock},
    {RELAY_CALL, "sbi_call_is_machine_modes", call_and_the_sbi},
    {RELAY_CALL, "virtual_address_traps", call_and_a_virtual_address},
    {RELAY_CALL, "sbi_call_with_a_pointer", call_with_a_pointer},
};

/* Of the relays that this one is not, and with nonsense. */
static void bad_calls(unsigned relay)
{
    enum { NOT_SUPPORTED = -2, INVALID_ADDRESS = -5 };
    ulong receiver =
        relay == RELAY_CALL ? SBI_UINTA_RELAY_HANDLER : SBI_UINTA_RELAY_WORD;
    ulong other =
        relay == RELAY_CALL ? SBI_UINTA_RELAY_WORD : SBI_UINTA_RELAY_HANDLER;

    expect("another relay's call", uinta(other, (ulong)&word, 0).error,
           NOT_SUPPORTED);
    expect("an odd address", uinta(receiver, (ulong)&word + 1, 0).error,
           INVALID_ADDRESS);
    expect("the firmware's memory", uinta(receiver, 0x80000000, 0).error,
           INVALID_ADDRESS);
    expect("no such counter", uinta(SBI_UINTA_RELAY_COUNT, 99, 0).error,
           INVALID_PARAM);
    expect("no such function", uinta(99, 0, 0).error, NOT_SUPPORTED);
    /* until there is a receiver, external interrupts stay masked */
    long taken = count(COUNT_TAKEN);
    rtc_raise();
    expect("taken without a receiver", count(COUNT_TAKEN) - taken, 0);
}

int main(ulong hart, const void *dtb)
{
    unsigned passed = 0, bad = 0;
    unsigned relay;

    find_machine(hart, dtb);
    paging_on();
    relay = uinta(SBI_UINTA_RELAY, 0, 0).value;
    for (int i = -1; i < (int)(sizeof(cases) / sizeof(cases[0])); i++) {
        if (i >= 0 && cases[i].relay != relay)
            continue;
        running = i < 0 ? "bad_calls" : cases[i].name;
        failed = false;
        begin();
        if (i < 0)
            bad_calls(relay);
        else
            cases[i].run();
        begin();
        bad += failed;
        passed += !failed;
        if (!failed) {
            print("ok ");
            print(running);
            print("\n");
        }
    }
    print_number(passed);
    print(" ok, ");
    print_number(bad);
    print(" failed\n");
    finish(!bad);
}
