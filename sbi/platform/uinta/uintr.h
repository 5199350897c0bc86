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
#define UINTR_STATE    1536
#define UINTR_SIZE     256
#define UINTR_T0       (UINTR_STATE + 0)
#define UINTR_T1       (UINTR_STATE + 8)
#define UINTR_T2       (UINTR_STATE + 16)
#define UINTR_USTATUS  (UINTR_STATE + 24)
#define UINTR_UIE      (UINTR_STATE + 32)
#define UINTR_UTVEC    (UINTR_STATE + 40)
#define UINTR_USCRATCH (UINTR_STATE + 48)
#define UINTR_UEPC     (UINTR_STATE + 56)
#define UINTR_UCAUSE   (UINTR_STATE + 64)
#define UINTR_UTVAL    (UINTR_STATE + 72)
#define UINTR_SOFT     (UINTR_STATE + 80)
#define UINTR_SEDELEG  (UINTR_STATE + 88)
#define UINTR_SIDELEG  (UINTR_STATE + 96)
#define UINTR_ACTIVE   (UINTR_STATE + 104)
#define UINTR_MEDELEG  (UINTR_STATE + 112)

#ifndef __ASSEMBLER__
#include <sbi/sbi_types.h>
#include <sbi/sbi_scratch.h>
#include <sbi/sbi_trap.h>

struct uintr {
    unsigned long t0, t1, t2; /* the vector's spill slots */
    unsigned long ustatus;    /* UIE, UPIE */
    unsigned long uie;        /* all bits; seen through sideleg */
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
};

_Static_assert(sizeof(struct uintr) <= UINTR_SIZE, "state fits");
_Static_assert(UINTR_STATE + UINTR_SIZE <= 2048, "reached by one load");
_Static_assert(UINTR_STATE + offsetof(struct uintr, t2) == UINTR_T2, "");
_Static_assert(UINTR_STATE + offsetof(struct uintr, ustatus) == UINTR_USTATUS,
               "");
_Static_assert(UINTR_STATE + offsetof(struct uintr, sideleg) == UINTR_SIDELEG,
               "");
_Static_assert(UINTR_STATE + offsetof(struct uintr, medeleg) == UINTR_MEDELEG,
               "");

/* Once, on the boot hart, before other users of scratch space: 0 or SBI_E*. */
int uintr_reserve(void);

/* Each hart at its start and resume: finds out what it has, resets it. */
void uintr_hart_init(void);

/* DELIVERY_* of abi/startup.h for the calling hart. */
unsigned long uintr_delivery(void);

/* The interrupt number of a user external interrupt [N 1.1 table 1]. */
enum { IRQ_U_EXT = 8 };

/* True if the trap was ours and is dealt with; `regs` is then updated. */
bool uintr_trap(struct sbi_trap_regs *regs, unsigned long cause);

extern char uintr_vector[];
#endif
#endif
