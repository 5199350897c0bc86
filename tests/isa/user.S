/*
 * Code that runs in U-mode, by its user alias. Registers: s8 = RTC, s9 =
 * claim register of this hart's U context, s10 = ACT_* for the handler,
 * s11 = the log. The handler changes t2..t6 and nothing else.
 */
#include "isa.h"

#define USTATUS  0x000
#define UIE      0x004
#define UEPC     0x041
#define UCAUSE   0x042
#define UTVAL    0x043
#define UIP      0x044
#define USCRATCH 0x040

    .section .user, "ax"
    .option norvc
    .globl user_vectors
    .balign 256
user_vectors:
    .rept 16
    jal t2, vectored
    .endr
vectored:
    lla t3, user_vectors + 4
    sub t2, t2, t3
    srli t2, t2, 2
    j logged

    .globl user_handler
    .balign 4
user_handler:
    rdcycle t3
    sd t3, LOG_CYCLE(s11)
    li t2, -1
logged:
    ld t3, LOG_COUNT(s11)
    addi t4, t3, 1
    sd t4, LOG_COUNT(s11)
    li t4, LOG_MAX
    bgeu t3, t4, acts
    li t4, LOG_SIZE
    mul t3, t3, t4
    add t3, t3, s11
    sd t2, LOG_ENTRIES+32(t3)
    csrr t4, UCAUSE
    sd t4, LOG_ENTRIES+0(t3)
    csrr t4, UEPC
    sd t4, LOG_ENTRIES+8(t3)
    csrr t4, UTVAL
    sd t4, LOG_ENTRIES+16(t3)
    csrr t4, USTATUS
    sd t4, LOG_ENTRIES+24(t3)
acts:
    andi t3, s10, ACT_CLEAR_USIP
    beqz t3, 1f
    csrci UIP, 1
1:  andi t3, s10, ACT_DEVICE
    beqz t3, 2f
    lw t4, 0(s9)
    sw zero, 0x1c(s8)
    sw t4, 0(s9)
    sd t4, LOG_CLAIM(s11)
2:  andi t3, s10, ACT_DISABLE
    beqz t3, 3f
    csrr t3, UCAUSE
    li t4, 1
    sll t4, t4, t3
    csrc UIE, t4
3:  andi t3, s10, ACT_SKIP
    beqz t3, 4f
    csrr t3, UEPC
    addi t3, t3, 4
    csrw UEPC, t3
4:  andi t3, s10, ACT_REARM
    beqz t3, 5f
    beqz a5, 5f
    addi a5, a5, -1
    lwu t3, 0(s8)
    lwu t4, 4(s8)
    slli t4, t4, 32
    or t3, t3, t4
    add t3, t3, a4
    srli t4, t3, 32
    sw t4, 0xc(s8)
    sw t3, 0x8(s8)
5:  andi t3, s10, ACT_RESUME
    beqz t3, 6f
    csrw UEPC, a6
6:  andi t3, s10, ACT_USIP
    beqz t3, 7f
    andi s10, s10, ~ACT_USIP
    csrsi UIP, 1
7:  andi t3, s10, ACT_EXIT
    beqz t3, 8f
    ecall
8:  uret

    .globl user_exit
user_exit:
    ecall

    .globl user_nops
user_nops:
    nop
    nop
    nop
    nop
    ecall

/*
 * Raise the device's line and wait for the handler: a device may take some
 * instructions to get through. All waits here end at time a1.
 */
    .globl user_fire, user_fire_end
user_fire:
    sw zero, 8(s8)
1:  ld t0, LOG_COUNT(s11)
    bnez t0, 2f
    rdtime t0
    bltu t0, a1, 1b
2:  addi a0, a0, 1
user_fire_end:
    ecall

/* With UIE clear: raise, see it pending, then allow. */
    .globl user_fire_enable
user_fire_enable:
    sw zero, 8(s8)
1:  csrr a3, UIP
    bnez a3, 2f
    rdtime t0
    bltu t0, a1, 1b
2:  ld a2, LOG_COUNT(s11)
    .globl user_fire_enabled
user_fire_enabled:
    csrsi USTATUS, 1
    addi a0, a0, 1
    ecall

/* Until the log has a0 entries. */
    .globl user_wait
user_wait:
    ld t0, LOG_COUNT(s11)
    bgeu t0, a0, 1f
    rdtime t0
    bltu t0, a1, user_wait
1:  ecall

/* Raise the line a0 times, each as soon as the last was handled. */
    .globl user_burst
user_burst:
    ld t1, LOG_COUNT(s11)
    sw zero, 8(s8)
1:  rdtime t0
    bgeu t0, a1, 2f
    ld t0, LOG_COUNT(s11)
    beq t0, t1, 1b
    addi a0, a0, -1
    bnez a0, user_burst
2:  ecall

/* Forbid and allow interrupts until the log has a0 entries. */
    .globl user_toggle
user_toggle:
    csrci USTATUS, 1
    nop
    csrsi USTATUS, 1
    ld t0, LOG_COUNT(s11)
    bgeu t0, a0, 1f
    rdtime t0
    bltu t0, a1, user_toggle
1:  ecall

/* One ecall a round: the checker resumes it behind. */
    .globl user_ecalls
user_ecalls:
    nop
    ecall
    j user_ecalls

/* A handler that lets itself be interrupted once. */
    .globl user_nested
    .balign 4
user_nested:
    ld t3, LOG_COUNT(s11)
    addi t4, t3, 1
    sd t4, LOG_COUNT(s11)
    li t4, LOG_SIZE
    mul t3, t3, t4
    add t3, t3, s11
    csrr t4, UCAUSE
    sd t4, LOG_ENTRIES+0(t3)
    csrr t4, UEPC
    sd t4, LOG_ENTRIES+8(t3)
    csrr t4, USTATUS
    sd t4, LOG_ENTRIES+24(t3)
    csrci UIP, 1
    ld t3, LOG_COUNT(s11)
    li t4, 2
    bgeu t3, t4, 1f
    csrr a1, UEPC
    csrsi UIP, 1
    csrsi USTATUS, 1
nested_return:
    addi a0, a0, 1
    csrci USTATUS, 1
    csrsi USTATUS, 0x10
    csrw UEPC, a1
1:  lla a2, nested_return
    uret

/* Faults; a0 = address. */
    .globl user_load
user_load:
    ld t0, 0(a0)
    addi a1, a1, 1
    ecall
    .globl user_store
user_store:
    sd t0, 0(a0)
    addi a1, a1, 1
    ecall
    .globl user_jump
user_jump:
    jr a0
    .globl user_lr
user_lr:
    lr.d t0, (a0)
    addi a1, a1, 1
    ecall
    .globl user_amo
user_amo:
    amoadd.d t0, t0, (a0)
    addi a1, a1, 1
    ecall

/* Counting instructions: a0 = cycles between the two reads. */
    .globl user_time_csr
user_time_csr:
    rdcycle a0
    csrr t0, UCAUSE
    rdcycle a1
    sub a0, a1, a0
    rdcycle a2
    rdcycle a1
    sub a1, a1, a2
    ecall
    .globl user_time_write
user_time_write:
    rdcycle a0
    csrw USCRATCH, t0
    rdcycle a1
    sub a0, a1, a0
    rdcycle a2
    csrci USTATUS, 1
    rdcycle a1
    sub a1, a1, a2
    rdcycle a3
    csrsi USTATUS, 1
    rdcycle a2
    sub a2, a2, a3
    rdcycle a4
    csrci UIP, 1
    rdcycle a3
    sub a3, a3, a4
    ecall
    .globl user_time_uret
user_time_uret:
    lla t0, 1f
    csrw UEPC, t0
    rdcycle a0
    uret
1:  rdcycle a1
    sub a0, a1, a0
    ecall
    .globl user_time_fire
user_time_fire:
    rdcycle a0
    sw zero, 8(s8)
    nop
    ecall
