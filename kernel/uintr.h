/*
 * User interrupts: per-thread state that the CSRs of one hart hold while the
 * thread runs there, or waits there and the hart has nothing else to do.
 * Kernel lock held. docs/design/interrupts.md tells the whole story.
 */
#pragma once

#include "abi/uintr.h"
#include "kernel/thread.h"

struct notification;

struct uintr {
    struct thread *thread;
    /* valid while no hart holds them */
    uint64_t utvec, uscratch, uepc, ucause, utval, ustatus, uie;
    uint64_t uip;      /* USIP and UTIP; UEIP follows from `recorded` */
    uint32_t recorded; /* sources the kernel claimed for it, not taken */
    uint64_t *entries; /* page table, USER_UINTR_CONTEXTS.. */
    bool contexts;     /* those, and no virtual page */
    struct uintr_stats *stats;         /* a frame of its own */
    struct notification *notification; /* raises USIP */
    struct timer timer;                /* raises UTIP */
};

/* The calling thread, which must have registered. */
#define DRIVER(t)                        \
    struct thread *t = current_thread(); \
    if (!t->uintr)                       \
    return E_STATE

/* DELIVERY_*, found at boot. */
extern uint32_t uintr_delivery;

/* Put the state that this hart's CSRs hold away: there is some. */
void uintr_unload(struct hart *h);
/* Take t's into them: they hold none, t has one. */
void uintr_load(struct hart *h, struct thread *t);
/* Put t's state away although it may run on, wherever it is loaded. */
void uintr_leave(struct thread *t);

/* Set pending bits (USIP, UTIP) of t, wherever it is. */
void uintr_post(struct thread *t, uint64_t bits);
/* The kernel claimed a source of t: UEIP, and t is urgent. */
void uintr_record(struct thread *t);
/* One recorded source less. */
void uintr_taken(struct thread *t);

/* Another hart asked this one to look: bits posted, a thread gone. */
void uintr_kicked(void);
/* t is dying: give its sources up, get its state off the CSRs. */
void uintr_abandon(struct thread *t);
void uintr_free(struct thread *t);
