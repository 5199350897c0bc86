/*
 * The firmware's remote fences, from S-mode in the kernel's place: all harts
 * come through, and none waits for another's turn to end, where QEMU runs
 * harts in turns (-icount). Where this program waits itself it gives its turn
 * away, as kernel/boot.c does.
 */
#include "tests/bare/bare.h"
#include "tests/bare/sbi.h"

enum { UART0 = 0x10000000, LSR = 5, LSR_THRE = 0x20 };
enum { TEST_DEVICE = 0x100000, TEST_PASS = 0x5555, TEST_FAIL = 0x13333 };
enum { HSM = 0x48534d, HSM_START = 0, HSM_STOP = 1, HSM_STATUS = 2 };
enum { STOPPED = 1, IPI = 0x735049, RFENCE = 0x52464e43, FENCE_I = 0 };
enum { SSIP = 2, STACK = 4096, HARTS = 8, FENCES = 200, TICKS_PER_US = 10 };

extern char stacks[], second_start[];
void second(ulong hart);
void trapped(ulong cause, ulong pc);

static ulong harts, here, ready, over, finished, stop;
static void (*role)(ulong hart);

static void print(const char *s)
{
    for (; *s; s++) {
        while (!(read8(UART0 + LSR) & LSR_THRE)) {}
        write8(UART0, *s);
    }
}

static void print_number(ulong value)
{
    char text[2] = {(char)('0' + value % 10), 0};

    if (value > 9)
        print_number(value / 10);
    print(text);
}

static _Noreturn void finish(uint32_t how)
{
    write32(TEST_DEVICE, how);
    for (;;) {}
}

void trapped(ulong cause, ulong pc)
{
    print("FAIL trap into S-mode: cause ");
    print_number(cause);
    print(", pc ");
    print_number(pc);
    print("\n");
    finish(TEST_FAIL);
}

static ulong load(ulong *word)
{
    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static void give_turn(void)
{
    csr_set(sie, SSIP);
    csr_set(sip, SSIP);
    __asm__ volatile("wfi");
    csr_clear(sip, SSIP);
    csr_clear(sie, SSIP);
}

/* Every other hart fences, FENCES times; the longest, in ticks. */
static ulong fence_others(ulong hart)
{
    ulong longest = 0;

    for (int i = 0; i < FENCES; i++) {
        ulong since = csr_read(time);
        ulong others = ((1ul << harts) - 1) & ~(1ul << hart);

        if (sbi(RFENCE, FENCE_I, others, 0, 0).error)
            finish(TEST_FAIL);
        ulong took = csr_read(time) - since;
        if (took > longest)
            longest = took;
    }
    return longest;
}

/* ---- what the other harts do meanwhile ---------------------------------- */

static void asleep(ulong hart)
{
    (void)hart;
    csr_set(sie, SSIP);
    while (!load(&over))
        __asm__ volatile("wfi");
}

static void busy(ulong hart)
{
    (void)hart;
    while (!load(&over)) {}
}

static void fencing(ulong hart)
{
    fence_others(hart);
}

void second(ulong hart)
{
    __atomic_fetch_add(&ready, 1, __ATOMIC_RELEASE);
    role(hart);
    __atomic_fetch_add(&finished, 1, __ATOMIC_RELEASE);
    /* not before all have fenced: OpenSBI 1.1 waits for one that stops just
     * then for ever */
    while (!load(&stop))
        give_turn();
    sbi(HSM, HSM_STOP, 0, 0, 0);
}

static void run(const char *name, void (*what)(ulong hart))
{
    ready = over = finished = stop = 0;
    role = what;
    for (ulong i = 0; i < harts; i++) {
        if (i != here)
            sbi(HSM, HSM_START, i, (ulong)second_start,
                (ulong)(stacks + (i + 1) * STACK));
    }
    while (load(&ready) != harts - 1)
        give_turn();
    ulong longest = fence_others(here);
    __atomic_store_n(&over, 1, __ATOMIC_RELEASE);
    sbi(IPI, 0, ((1ul << harts) - 1) & ~(1ul << here), 0, 0);
    while (load(&finished) != harts - 1)
        give_turn();
    __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
    for (ulong i = 0; i < harts; i++) {
        while (i != here && sbi(HSM, HSM_STATUS, i, 0, 0).value != STOPPED)
            give_turn();
    }
    print("ok ");
    print(name);
    print(": longest ");
    print_number(longest / TICKS_PER_US);
    print(" us\n");
}

int main(ulong hart)
{
    here = hart;
    while (harts < HARTS - 1 && !sbi(HSM, HSM_STATUS, harts, 0, 0).error)
        harts++;
    run("asleep", asleep);
    run("fencing", fencing);
    /* one busy hart before another one leaves it no turn: QEMU's, not ours */
    if (harts == 2)
        run("busy", busy);
    finish(TEST_PASS);
}
