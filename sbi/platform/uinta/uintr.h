/*
 * User-level interrupts (N extension 1.1) for a hart that lacks them.
 *
 * Owns, on such a hart: mie.MEIE, mstatus.TSR, mstatus.TW, mtvec, the part of
 * medeleg that sedeleg names, and the state below. Everything is per hart and
 * runs in M-mode with interrupts off, so there are no locks.
 *
 * The state lives in the hart's OpenSBI scratch area, at a fixed distance from
 * mscratch, because the vector (uintr_vector.S) must reach it with one
 * register; it is reserved there by uintr_reserve().
 */
#ifndef SBI_UINTR_H
#define SBI_UINTR_H

/* Byte offsets from mscratch; struct uintr below is checked against them. */
#define UINTR_STATE        1536
#define UINTR_SIZE         512
#define UINTR_T0           (UINTR_STATE + 0)
#define UINTR_T1           (UINTR_STATE + 8)
#define UINTR_T2           (UINTR_STATE + 16)
#define UINTR_T3           (UINTR_STATE + 24)
#define UINTR_USTATUS      (UINTR_STATE + 32)
#define UINTR_UIE          (UINTR_STATE + 40)
#define UINTR_UTVEC        (UINTR_STATE + 48)
#define UINTR_USCRATCH     (UINTR_STATE + 56)
#define UINTR_UEPC         (UINTR_STATE + 64)
#define UINTR_UCAUSE       (UINTR_STATE + 72)
#define UINTR_UTVAL        (UINTR_STATE + 80)
#define UINTR_SOFT         (UINTR_STATE + 88)
#define UINTR_SEDELEG      (UINTR_STATE + 96)
#define UINTR_SIDELEG      (UINTR_STATE + 104)
#define UINTR_ACTIVE       (UINTR_STATE + 112)
#define UINTR_MEDELEG      (UINTR_STATE + 120)
#define UINTR_REQUEST      (UINTR_STATE + 128)
#define UINTR_MEIE         (UINTR_STATE + 136)
#define UINTR_ENABLED      (UINTR_STATE + 144)
#define UINTR_SOFT_PENDING (UINTR_STATE + 152)
#define UINTR_VECTOR_EXT   (UINTR_STATE + 160)
#define UINTR_CAUSE_EXT    (UINTR_STATE + 168)
#define UINTR_MODE_MASK    (UINTR_STATE + 176)
#define UINTR_SRET_MASK    (UINTR_STATE + 184)
#define UINTR_SRET_KEEP    (UINTR_STATE + 192)
#define UINTR_INSN_URET    (UINTR_STATE + 200)
#define UINTR_INSN_SRET    (UINTR_STATE + 208)
#define UINTR_READ_MASK    (UINTR_STATE + 216)
#define UINTR_READ_MATCH   (UINTR_STATE + 224)
#define UINTR_FORM_MASK    (UINTR_STATE + 232)
#define UINTR_SWAP_MATCH   (UINTR_STATE + 240)
#define UINTR_SET_MASK     (UINTR_STATE + 248)
#define UINTR_READ_GPR     (UINTR_STATE + 256)
#define UINTR_WRITE_GPR    (UINTR_STATE + 264)
#define UINTR_RETURN_GPR   (UINTR_STATE + 272)
#define UINTR_READ_CSR     (UINTR_STATE + 280)
#define UINTR_SWAP_CSR     (UINTR_STATE + 288)
#define UINTR_INSN_WFI     (UINTR_STATE + 296)

/* The number of the user external interrupt [N 1.1 table 1]. */
#define IRQ_U_EXT 8

#ifndef __ASSEMBLER__
#include <sbi/sbi_types.h>
#include <sbi/sbi_scratch.h>
#include <sbi/sbi_trap.h>

struct uintr {
    unsigned long t0, t1, t2, t3; /* the vector's spill slots */
    unsigned long ustatus;        /* UIE, UPIE */
    unsigned long uie;            /* all bits; seen through sideleg */
    unsigned long utvec;
    unsigned long uscratch;
    unsigned long uepc;
    unsigned long ucause;
    unsigned long utval;
    unsigned long soft;    /* what software wrote to uip */
    unsigned long sedeleg; /* subset of SEDELEG_MASK */
    unsigned long sideleg;
    unsigned long active;  /* this hart is emulated */
    unsigned long medeleg; /* OpenSBI's, before sedeleg took from it */
    unsigned long request; /* the vector did an instruction, we settle it */

    /* Follow from the above; kept for the vector. */
    unsigned long meie;         /* MIP_MEIP if UEI is delegated and enabled */
    unsigned long enabled;      /* uie & sideleg */
    unsigned long soft_pending; /* soft & enabled */
    unsigned long vector_ext;   /* where a UEI enters */

    /* Constants of the vector. */
    unsigned long cause_ext;             /* ucause of a UEI */
    unsigned long mode_mask;             /* mstatus: zero in U-mode */
    unsigned long sret_mask, sret_keep;  /* mstatus bits */
    unsigned long insn_uret, insn_sret;  /* instruction words */
    unsigned long read_mask, read_match; /* csrr of a CSR below 0x200 */
    unsigned long form_mask, swap_match; /* csrrw of one */
    unsigned long set_mask; /* csrrs, csrrc, csrrsi, csrrci: read_match */
    const void *read_gpr, *write_gpr, *return_gpr, *read_csr, *swap_csr;
    unsigned long insn_wfi;
};

#define UINTR_AT(cell, field) \
    _Static_assert(UINTR_STATE + offsetof(struct uintr, field) == cell, #cell)
UINTR_AT(UINTR_T3, t3);
UINTR_AT(UINTR_USTATUS, ustatus);
UINTR_AT(UINTR_SOFT, soft);
UINTR_AT(UINTR_SIDELEG, sideleg);
UINTR_AT(UINTR_REQUEST, request);
UINTR_AT(UINTR_VECTOR_EXT, vector_ext);
UINTR_AT(UINTR_SRET_KEEP, sret_keep);
UINTR_AT(UINTR_SET_MASK, set_mask);
UINTR_AT(UINTR_INSN_WFI, insn_wfi);
_Static_assert(sizeof(struct uintr) <= UINTR_SIZE, "state fits");
_Static_assert(UINTR_STATE + UINTR_SIZE <= 2048, "reached by one load");

/* Once, on the boot hart, before other users of scratch space: 0 or SBI_E*. */
int uintr_reserve(void);

/* Each hart at its start and resume: finds out what it has, resets it. */
void uintr_hart_init(void);

/* DELIVERY_* of abi/startup.h for the calling hart. */
unsigned long uintr_delivery(void);

/* What the vector left to be done; true if it did. */
bool uintr_finish(struct sbi_trap_regs *regs);

/* True if the trap was ours and is dealt with; `regs` is then updated. */
bool uintr_trap(struct sbi_trap_regs *regs, unsigned long cause);

extern const char uintr_vector[], uintr_read_gpr[], uintr_write_gpr[],
    uintr_return_gpr[], uintr_read_csr[], uintr_swap_csr[];
#endif
#endif
