/*
 * uintr_sleep_unless(word): sleep with UIE set, as often as it takes. A handler
 * that makes *word other than 0 between the look and the call would come too early
 * to end the sleep; uintr_woke() moves whom it interrupted there to the end. So
 * the way to sleep and back takes no CSR access, each of which is a trap if
 * emulated, and an interrupt that wakes nobody costs the loop: the other end of
 * a wire may be waiting for this hart's turn to end.
 */
#include "abi/uintr.h"
#include "gen/syscalls.h"

        .text
        .globl  uintr_sleep_unless, uintr_sleep_look, uintr_sleep_end
uintr_sleep_unless:
        addi    sp, sp, -32
        sd      s0, 0(sp)
        sd      s1, 8(sp)
        sd      s2, 16(sp)
        mv      s0, a0
        lla     s1, uintr_taken
        ld      s2, 0(s1)
        lla     t1, uintr_falling_asleep
        li      t0, 1
        sw      t0, 0(t1)
uintr_sleep_look:
        ld      t0, 0(s0)
        bnez    t0, uintr_sleep_end
        ld      t0, 0(s1)
        bne     t0, s2, uintr_sleep_end
        li      a0, -1          /* DEADLINE_NEVER */
        li      a7, SYS_uintr_wait
        ecall
        j       uintr_sleep_look
uintr_sleep_end:
        lla     t1, uintr_falling_asleep
        sw      zero, 0(t1)
        ld      s0, 0(sp)
        ld      s1, 8(sp)
        ld      s2, 16(sp)
        addi    sp, sp, 32
        ret

        .bss
        .globl  uintr_falling_asleep
        .balign 4
uintr_falling_asleep:
        .word   0
