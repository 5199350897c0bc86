/*
 * uintr_pause(): sleep, and let in what ended the sleep.
 *
 * Who calls a function keeps nothing in the registers that a handler may change,
 * and UIE is set at one place only. So an external interrupt that comes there
 * saves none of them, and comes back by a jump, UIE clear as the trap left it:
 * 36 loads and stores less than in entry.S. Its entry is found by the other
 * table of vectors, which is in force until the first instruction of an entry:
 * a handler that sets UIE (uintr_nest_begin) is interrupted as usual.
 */
#include "user/lib/uintr/entry.inc"
#include "gen/syscalls.h"

        .macro  not_asleep
        li      t0, UINTR_ASLEEP
        csrc    CSR_UTVEC, t0
        .endm

        .text
        .globl  uintr_pause
uintr_pause:
        addi    sp, sp, -FRAME
        sd      ra, 0(sp)
        li      t0, UINTR_ASLEEP
        csrs    CSR_UTVEC, t0
        li      a0, -1          /* DEADLINE_NEVER */
        li      a7, SYS_uintr_wait
        ecall
        csrsi   CSR_USTATUS, USTATUS_UIE
        csrci   CSR_USTATUS, USTATUS_UIE
        not_asleep
awake:
        ld      ra, 0(sp)
        addi    sp, sp, FRAME
        ret

        .globl  uintr_external_asleep
uintr_external_asleep:
        not_asleep
        lui     t0, %hi(USER_UINTR_PLIC)
        lwu     a1, PLIC_CLAIM(t0)
        beqz    a1, 2f
        serve
        j       awake
2:      call    uintr_take_recorded
        j       awake

        /* These return to where UIE is cleared. */
        .globl  uintr_soft_asleep, uintr_timer_asleep
uintr_soft_asleep:
        not_asleep
        j       uintr_entry_soft
uintr_timer_asleep:
        not_asleep
        j       uintr_entry_timer
