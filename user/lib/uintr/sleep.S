/*
 * uintr_sleep_unless(word): sleep with UIE set. A handler that makes *word other
 * than 0 between the look and the call would come too early to end the sleep;
 * uintr_woke() moves whom it interrupted there to the end. So the way
 * to sleep and back takes no CSR access, each of which is a trap if emulated.
 */
#include "abi/uintr.h"
#include "gen/syscalls.h"

        .text
        .globl  uintr_sleep_unless, uintr_sleep_look, uintr_sleep_end
uintr_sleep_unless:
        lla     t1, uintr_falling_asleep
        li      t0, 1
        sw      t0, 0(t1)
uintr_sleep_look:
        ld      t0, 0(a0)
        bnez    t0, uintr_sleep_end
        li      a0, -1          /* DEADLINE_NEVER */
        li      a7, SYS_uintr_wait
        ecall
uintr_sleep_end:
        lla     t1, uintr_falling_asleep
        sw      zero, 0(t1)
        ret

        .bss
        .globl  uintr_falling_asleep
        .balign 4
uintr_falling_asleep:
        .word   0
