/*
 * The N extension by trap and emulate: all of it, in C, reached through
 * OpenSBI's full register save. uintr_vector.S does the frequent cases of the
 * same rules faster and leaves the hart in the same state.
 *
 * The invariant, true whenever the hart is below M-mode. Let line = mip.MEIP
 * (the hart's U context of the PLIC) as last looked at in settle(),
 * enabled = uie & sideleg, pending = (soft | line as UEI) & enabled:
 *
 *   mie.MEIE    = enabled has UEI, and line was low
 *   mstatus.TW  = pending != 0             (S's wfi must not sleep)
 *   mstatus.TSR = pending != 0 and UIE     (S's sret may have to deliver)
 *   in U-mode: not (pending != 0 and UIE)  (it has been delivered)
 *
 * So a line that rises traps once, from any mode, and wakes wfi; a line known
 * to be high does not trap again, and everything after which it might be
 * delivered (sret, uret, a CSR write) does, and looks at the line anew.
 */
#include <sbi/riscv_asm.h>
#include <sbi/riscv_encoding.h>
#include <sbi/sbi_csr_detect.h>
#include <sbi/sbi_error.h>
#include <sbi/sbi_hart.h>
#include <sbi/sbi_string.h>
#include <sbi/sbi_unpriv.h>

#include "abi/startup.h"
#include "abi/uintr.h"
#include "uintr.h"

enum {
    INSN_URET = 0x00200073,
    INSN_SRET = 0x10200073,
    INSN_WFI = 0x10500073,
    OPCODE_SYSTEM = 0x73,
    /* Exceptions 0..7 and page faults; no environment calls [N 1.1 2.5]. */
    SEDELEG_MASK = 0xb0ff,
    /* Interrupts that go to S-mode; VS-level ones cannot be taken here. */
    S_LEVEL_IRQS =
        1 << IRQ_S_SOFT | 1 << IRQ_S_TIMER | 1 << IRQ_S_EXT | 1 << 13,
};

#define CAUSE_INTERRUPT (1UL << 63)

static struct uintr *uintr_here(void)
{
    return sbi_scratch_thishart_offset_ptr(UINTR_STATE);
}

int uintr_reserve(void)
{
    /* Everything from the allocator's mark to the end of our state. */
    unsigned long mark = sbi_scratch_alloc_offset(8);

    if (!mark || mark > UINTR_STATE - 8)
        return SBI_ENOMEM;
    if (!sbi_scratch_alloc_offset(UINTR_STATE + UINTR_SIZE - mark - 8))
        return SBI_ENOMEM;
    return 0;
}

/* A hart has N if M-mode can read one of its CSRs. */
static bool hart_has_n(void)
{
    struct sbi_trap_info trap = {0};

    csr_read_allowed(CSR_USCRATCH, (ulong)&trap);
    return !trap.cause;
}

/*
 * Hand the whole extension to S-mode, as it is after reset. Exceptions that
 * OpenSBI would only have forwarded go to S-mode directly, or sedeleg could
 * not pass them on; misaligned accesses too, which such a hart does itself
 * unless they are atomic, and those OpenSBI only forwards.
 */
static void native_delegate(struct sbi_scratch *scratch)
{
    ulong forwarded = 1 << CAUSE_FETCH_ACCESS | 1 << CAUSE_LOAD_ACCESS |
                      1 << CAUSE_STORE_ACCESS | 1 << CAUSE_MISALIGNED_LOAD |
                      1 << CAUSE_MISALIGNED_STORE;

    /* Without a time CSR, OpenSBI emulates it as an illegal instruction. */
    if (sbi_hart_has_extension(scratch, SBI_HART_EXT_TIME))
        forwarded |= 1 << CAUSE_ILLEGAL_INSTRUCTION;
    csr_write(CSR_USTATUS, 0);
    csr_clear(CSR_MIE, UIRQ_ALL);
    csr_clear(CSR_MIP, UIRQ_ALL);
    csr_set(CSR_MEDELEG, forwarded);
    csr_set(CSR_MIDELEG, UIRQ_ALL);
    csr_write(CSR_SEDELEG, 0);
    csr_write(CSR_SIDELEG, 0);
}

/* Instruction fields: opcode, f3, rs1, and the two top bits of the CSR. */
static void vector_constants(struct uintr *u)
{
    const ulong opcode = 0x7f, f3 = 7 << 12, rs1 = 31 << 15;
    const ulong high = 7UL << 29; /* a CSR number of 0x200 and above */

    u->cause_ext = CAUSE_INTERRUPT | IRQ_U_EXT;
    u->mode_mask = MSTATUS_MPP | MSTATUS_MPV;
    u->sret_mask = MSTATUS_MPP | MSTATUS_MPV | MSTATUS_SPP;
    u->sret_keep = ~(MSTATUS_MPP | MSTATUS_SIE | MSTATUS_MPRV | MSTATUS_TSR);
    u->insn_uret = INSN_URET;
    u->insn_sret = INSN_SRET;
    u->insn_wfi = INSN_WFI;
    u->read_mask = high | rs1 | f3 | opcode;
    u->read_match = 2 << 12 | OPCODE_SYSTEM;
    u->form_mask = high | f3 | opcode;
    u->swap_match = 1 << 12 | OPCODE_SYSTEM;
    u->set_mask = high | 2 << 12 | opcode;
    u->read_gpr = uintr_read_gpr;
    u->write_gpr = uintr_write_gpr;
    u->return_gpr = uintr_return_gpr;
    u->read_csr = uintr_read_csr;
    u->swap_csr = uintr_swap_csr;
}

void uintr_hart_init(void)
{
    struct sbi_scratch *scratch = sbi_scratch_thishart_ptr();
    struct uintr *u = uintr_here();

    sbi_memset(u, 0, sizeof(*u));
    if (hart_has_n()) {
        native_delegate(scratch);
        return;
    }
    /* With AIA the M external interrupt is OpenSBI's own (IMSIC). */
    if (sbi_hart_has_extension(scratch, SBI_HART_EXT_AIA))
        return;
    vector_constants(u);
    u->active = 1;
    u->medeleg = csr_read(CSR_MEDELEG);
    csr_clear(CSR_MIE, MIP_MEIP);
    csr_clear(CSR_MSTATUS, MSTATUS_TSR | MSTATUS_TW);
    csr_write(CSR_MTVEC, (ulong)uintr_vector | 1); /* vectored [priv 3.1.7] */
}

unsigned long uintr_delivery(void)
{
    if (uintr_here()->active)
        return DELIVERY_EMULATED;
    return hart_has_n() ? DELIVERY_NATIVE : DELIVERY_NONE;
}

static ulong mode_of(const struct sbi_trap_regs *regs)
{
    return (regs->mstatus & MSTATUS_MPP) >> MSTATUS_MPP_SHIFT;
}

static bool from_user(const struct sbi_trap_regs *regs)
{
    return mode_of(regs) == PRV_U && !(regs->mstatus & MSTATUS_MPV);
}

/* Enter the user's trap handler: privilege stays U [N 1.1 2.6]. */
static void user_trap(struct uintr *u, struct sbi_trap_regs *regs, ulong cause,
                      ulong tval)
{
    u->uepc = regs->mepc;
    u->ucause = cause;
    u->utval = tval;
    u->ustatus = u->ustatus & USTATUS_UIE ? USTATUS_UPIE : 0;
    regs->mepc = u->utvec & ~3UL;
    if ((cause & CAUSE_INTERRUPT) && (u->utvec & 1))
        regs->mepc += 4 * (cause & ~CAUSE_INTERRUPT);
}

/*
 * Take the S interrupt that goes before a user interrupt, here rather than by
 * the hart itself: between our look at mip and the mret another hart may
 * claim the source, and U-mode would go on with its interrupt undelivered.
 */
static bool supervisor_first(struct sbi_trap_regs *regs)
{
    ulong pending = csr_read(CSR_MIP) & csr_read(CSR_MIE) &
                    csr_read(CSR_MIDELEG) & S_LEVEL_IRQS;
    ulong code = pending & MIP_SEIP   ? IRQ_S_EXT
                 : pending & MIP_SSIP ? IRQ_S_SOFT
                 : pending & MIP_STIP ? IRQ_S_TIMER
                                      : 13;
    struct sbi_trap_info trap = {.epc = regs->mepc,
                                 .cause = CAUSE_INTERRUPT | code};

    if (!pending)
        return false;
    sbi_trap_redirect(regs, &trap);
    if (regs->mepc & 1)
        regs->mepc += 4 * code;
    regs->mepc &= ~3UL;
    return true;
}

/* Establish the invariant above; delivers where it says so. */
static void settle(struct uintr *u, struct sbi_trap_regs *regs)
{
    bool line = csr_read(CSR_MIP) & MIP_MEIP;
    ulong enabled = u->uie & u->sideleg;
    ulong pending = (u->soft | (line ? UIRQ_EXT : 0)) & enabled;

    if (pending && (u->ustatus & USTATUS_UIE) && from_user(regs) &&
        !supervisor_first(regs)) {
        ulong code = pending & UIRQ_EXT    ? IRQ_U_EXT
                     : pending & UIRQ_SOFT ? 0
                                           : 4;
        user_trap(u, regs, CAUSE_INTERRUPT | code, 0);
    }
    u->meie = enabled & UIRQ_EXT ? MIP_MEIP : 0;
    u->enabled = enabled;
    u->soft_pending = u->soft & enabled;
    if (u->meie && !line)
        csr_set(CSR_MIE, MIP_MEIP);
    else
        csr_clear(CSR_MIE, MIP_MEIP);
    regs->mstatus &= ~(MSTATUS_TSR | MSTATUS_TW);
    if (pending)
        regs->mstatus |= MSTATUS_TW;
    if (pending && (u->ustatus & USTATUS_UIE))
        regs->mstatus |= MSTATUS_TSR;
}

/* sret, held up by TSR [priv 3.3.2]. */
static void do_sret(struct sbi_trap_regs *regs)
{
    ulong status = regs->mstatus;
    ulong target = status & MSTATUS_SPP ? PRV_S : PRV_U;

    regs->mepc = csr_read(CSR_SEPC);
    status &= ~(MSTATUS_MPP | MSTATUS_SPP | MSTATUS_SIE | MSTATUS_MPRV);
    status |= target << MSTATUS_MPP_SHIFT;
    if (status & MSTATUS_SPIE)
        status |= MSTATUS_SIE;
    regs->mstatus = status | MSTATUS_SPIE;
}

static void do_uret(struct uintr *u, struct sbi_trap_regs *regs)
{
    regs->mepc = u->uepc;
    u->ustatus = USTATUS_UPIE | (u->ustatus & USTATUS_UPIE ? USTATUS_UIE : 0);
}

/*
 * The current value of a CSR, and what a read-modify-write starts from: they
 * differ for uip, whose line is not software's to copy [priv 3.1.9].
 */
static bool csr_get(struct uintr *u, ulong csr, ulong *value, ulong *modify)
{
    switch (csr) {
    case CSR_USTATUS:
        *value = u->ustatus;
        break;
    case CSR_UIE:
        *value = u->uie & u->sideleg;
        break;
    case CSR_UTVEC:
        *value = u->utvec;
        break;
    case CSR_USCRATCH:
        *value = u->uscratch;
        break;
    case CSR_UEPC:
        *value = u->uepc;
        break;
    case CSR_UCAUSE:
        *value = u->ucause;
        break;
    case CSR_UTVAL:
        *value = u->utval;
        break;
    case CSR_UIP:
        *value = u->soft & u->sideleg;
        break;
    case CSR_SEDELEG:
        *value = u->sedeleg;
        break;
    case CSR_SIDELEG:
        *value = u->sideleg;
        break;
    default:
        return false;
    }
    *modify = *value;
    if (csr == CSR_UIP && (csr_read(CSR_MIP) & MIP_MEIP))
        *value |= UIRQ_EXT & u->sideleg;
    return true;
}

/* Replaces the bits of `old` that `mask` has. */
static ulong merge(ulong old, ulong value, ulong mask)
{
    return (old & ~mask) | (value & mask);
}

static void csr_set_to(struct uintr *u, ulong csr, ulong value, ulong mode)
{
    switch (csr) {
    case CSR_USTATUS:
        u->ustatus = value & (USTATUS_UIE | USTATUS_UPIE);
        break;
    case CSR_UIE:
        u->uie = merge(u->uie, value, u->sideleg);
        break;
    case CSR_UTVEC:
        u->utvec = value & ~2UL; /* modes 0 and 1 only */
        u->vector_ext = (value & ~3UL) + (value & 1 ? 4 * IRQ_U_EXT : 0);
        break;
    case CSR_USCRATCH:
        u->uscratch = value;
        break;
    case CSR_UEPC:
        u->uepc = value & ~1UL; /* IALIGN is 16 with C */
        break;
    case CSR_UCAUSE:
        u->ucause = value;
        break;
    case CSR_UTVAL:
        u->utval = value;
        break;
    case CSR_UIP:
        u->soft = merge(u->soft, value,
                        u->sideleg & (mode == PRV_S ? UIRQ_ALL : UIRQ_SOFT));
        break;
    case CSR_SEDELEG:
        u->sedeleg = value & SEDELEG_MASK;
        csr_write(CSR_MEDELEG, u->medeleg & ~u->sedeleg);
        break;
    case CSR_SIDELEG:
        u->sideleg = value & UIRQ_ALL;
        break;
    }
}

/* A CSR instruction [unpriv 9.1]; false if it is not one of ours to do. */
static bool do_csr(struct uintr *u, struct sbi_trap_regs *regs, ulong insn)
{
    ulong csr = insn >> 20, rd = (insn >> 7) & 31, rs1 = (insn >> 15) & 31;
    ulong op = (insn >> 12) & 3, immediate = (insn >> 14) & 1;
    ulong *x = (ulong *)regs; /* x0..x31 come first, in order */
    ulong operand = immediate ? rs1 : rs1 ? x[rs1] : 0;
    ulong old, modify;

    if (op == 0 || (csr >= 0x100 && mode_of(regs) == PRV_U) ||
        !csr_get(u, csr, &old, &modify))
        return false;
    if (op == 1)
        csr_set_to(u, csr, operand, mode_of(regs));
    else if (rs1)
        csr_set_to(u, csr, op == 2 ? modify | operand : modify & ~operand,
                   mode_of(regs));
    if (rd)
        x[rd] = old;
    regs->mepc += 4;
    return true;
}

/*
 * wfi, held up by TW. It goes on at once if something is pending, but is done
 * here and not left out: who waits in a loop gives the processor away with it,
 * where a host runs several harts in turns. In M-mode it wakes for all that
 * is pending and enabled in mie.
 */
static void do_wfi(struct uintr *u, struct sbi_trap_regs *regs)
{
    ulong enabled;

    settle(u, regs);
    enabled = csr_read(CSR_MIE);
    if (!(regs->mstatus & MSTATUS_TW))
        return; /* it is gone: let the hart sleep */
    regs->mepc += 4;
    csr_set(CSR_MIE, u->meie);
    if (csr_read(CSR_MIP) & csr_read(CSR_MIE))
        wfi();
    csr_write(CSR_MIE, enabled);
}

/* An illegal instruction that would not be one on a hart with N. */
static bool do_illegal(struct uintr *u, struct sbi_trap_regs *regs)
{
    struct sbi_trap_info fault;
    ulong insn = csr_read(CSR_MTVAL);

    /* mtval may hold nothing instead of the instruction [priv 3.1.16] */
    if ((insn & 3) != 3) {
        insn = sbi_get_insn(regs->mepc, &fault);
        if (fault.cause)
            return false;
    }
    if ((insn & 0x7f) != OPCODE_SYSTEM)
        return false;
    if (insn == INSN_URET)
        do_uret(u, regs);
    else if (insn == INSN_SRET && mode_of(regs) == PRV_S)
        do_sret(regs);
    else if (insn == INSN_WFI && mode_of(regs) == PRV_S) {
        do_wfi(u, regs);
        return true;
    } else if (!do_csr(u, regs, insn))
        return false;
    settle(u, regs);
    return true;
}

bool uintr_finish(struct sbi_trap_regs *regs)
{
    struct uintr *u = uintr_here();

    if (!u->request)
        return false;
    u->request = 0;
    settle(u, regs);
    return true;
}

bool uintr_trap(struct sbi_trap_regs *regs, ulong cause)
{
    struct uintr *u = uintr_here();

    if (!u->active || mode_of(regs) == PRV_M)
        return false;
    if (cause == (CAUSE_INTERRUPT | IRQ_M_EXT)) {
        settle(u, regs);
        return true;
    }
    if ((cause & CAUSE_INTERRUPT) || (regs->mstatus & MSTATUS_MPV))
        return false;
    if (cause == CAUSE_ILLEGAL_INSTRUCTION && do_illegal(u, regs))
        return true;
    if (!from_user(regs) || !(u->sedeleg >> cause & 1))
        return false;
    user_trap(u, regs, cause, csr_read(CSR_MTVAL));
    settle(u, regs);
    return true;
}
