/* Timer, kick, device, fault; and the table of the system calls. */
#include "kernel/irq.h"
#include "kernel/log.h"
#include "kernel/offsets.h"
#include "kernel/sched.h"
#include "kernel/uintr.h"

/* by exception code [priv 4.1.8] */
static const char *const causes[16] = {
    [0] = "misaligned instruction",  [1] = "instruction access fault",
    [2] = "illegal instruction",     [3] = "breakpoint",
    [4] = "misaligned load",         [5] = "load access fault",
    [6] = "misaligned store",        [7] = "store access fault",
    [12] = "instruction page fault", [13] = "load page fault",
    [15] = "store page fault"};

static void report(struct thread *t, uint64_t cause, uint64_t address)
{
    static const char *const names[32] = {
        "pc", "ra", "sp", "gp", "tp",  "t0",  "t1", "t2", "s0", "s1", "a0",
        "a1", "a2", "a3", "a4", "a5",  "a6",  "a7", "s2", "s3", "s4", "s5",
        "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6"};
    const char *what = cause < 16 ? causes[cause] : NULL;

    log_print("fault: %s (pid %u, thread %u) %s, scause %lu, pc 0x%lx, "
              "address 0x%lx\n",
              t->process->name, t->process->pid, t->object.id,
              what ? what : "trap", cause, t->x[X_PC], address);
    for (int i = 0; i < 32; i += 4)
        log_print("  %3s %016lx %3s %016lx %3s %016lx %3s %016lx\n", names[i],
                  t->x[i], names[i + 1], t->x[i + 1], names[i + 2], t->x[i + 2],
                  names[i + 3], t->x[i + 3]);
}

/* Another hart wants this one to look at what it changed. */
static void kicked(void)
{
    csr_clear(CSR_SIP, 1 << IRQ_S_SOFT);
    this_hart->kicked = relay_interrupt();
    uintr_kicked();
    this_hart->resched = max(this_hart->resched, 1u);
}

void trap_interrupts(void)
{
    uint64_t pending = csr_read(CSR_SIP) & csr_read(CSR_SIE) & S_IRQS;

    if (!pending)
        return;
    this_hart->interrupts++;
    if (pending & 1 << IRQ_S_SOFT)
        kicked();
    if (pending & 1 << IRQ_S_TIMER)
        timer_interrupt();
    if (pending & 1 << IRQ_S_EXT)
        irq_interrupt();
}

void trap_user(uint64_t cause, uint64_t address)
{
    struct thread *t = current_thread();

    if (cause & SCAUSE_INTERRUPT)
        return trap_interrupts();
    if (cause >= CAUSE_INSN_PAGE &&
        space_spurious(&t->process->space, address, cause))
        return;
    report(t, cause, address);
    t->process->status.cause = cause;
    t->process->status.pc = t->x[X_PC];
    t->process->status.address = address;
    process_end(t->process, EXIT_FAULT, -1);
}

/*
 * The table that trap.S jumps through: made from abi/uinta.idl, padded to a
 * power of two so that one comparison bounds it.
 */
static_assert(SYSCALL_COUNT <= SYSCALL_SLOTS &&
                  SYS_uintr_wait == SYSCALL_UINTR_WAIT,
              "offsets.h");

int64_t sys_unknown(void)
{
    return E_NOSYS;
}

int64_t sys_null(void)
{
    return OK;
}

typedef int64_t (*slot_fn)(void);

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wcast-function-type"
#pragma GCC diagnostic ignored "-Woverride-init"
const syscall_fn syscall_table[SYSCALL_SLOTS] = {
    [0 ... SYSCALL_SLOTS - 1] = (syscall_fn)sys_unknown, SYSCALL_TABLE};
#pragma GCC diagnostic pop
