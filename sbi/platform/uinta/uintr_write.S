/*
 * CSR instructions that write: csrrw of all but sedeleg; csrrs, csrrc and
 * their immediate forms on ustatus, uie and uip; and the settling of what they
 * may have made pending or allowed.
 */
#include "uintr_asm.inc"

/* csrrw of a CSR that is only storage. */
.macro SWAP cell, mask
    READ_RS1
    .if \mask != -1
    andi t1, t1, \mask
    .endif
    ld t3, \cell(tp)
    sd t1, \cell(tp)
    WRITE_RD t3
    NEXT_PC t0
    RESTORE_4
    mret
.endm
swap_uscratch:
    SWAP UINTR_USCRATCH, -1
swap_uepc:
    SWAP UINTR_UEPC, -2
swap_ucause:
    SWAP UINTR_UCAUSE, -1
swap_utval:
    SWAP UINTR_UTVAL, -1
swap_utvec:
    READ_RS1
    andi t1, t1, -3
    ld t3, UINTR_UTVEC(tp)
    sd t1, UINTR_UTVEC(tp)
    andi t2, t1, 1               /* vectored: to base + 4 * 8 */
    slli t2, t2, 5
    andi t1, t1, -4
    add t1, t1, t2
    sd t1, UINTR_VECTOR_EXT(tp)
    WRITE_RD t3
    NEXT_PC t0
    RESTORE_4
    mret

swap_ustatus:
    READ_RS1
    andi t1, t1, USTATUS_UIE | USTATUS_UPIE
    ld t3, UINTR_USTATUS(tp)
    sd t1, UINTR_USTATUS(tp)
    WRITE_RD t3
    j settle_status

/* Only what sideleg delegates is read and written. */
swap_uie:
    READ_RS1
    ld t2, UINTR_UIE(tp)
    ld t3, UINTR_SIDELEG(tp)
    xor t1, t1, t2
    and t1, t1, t3
    xor t1, t1, t2
    sd t1, UINTR_UIE(tp)
    and t1, t2, t3
    WRITE_RD t1
    j settle

swap_uip:
    csrr t2, CSR_MSTATUS
    slli t2, t2, 63 - MSTATUS_MPP_SHIFT
    bgez t2, uintr_pass_4              /* from U-mode */
    READ_RS1
    ld t2, UINTR_SOFT(tp)
    ld t3, UINTR_SIDELEG(tp)
    xor t1, t1, t2
    and t1, t1, t3
    xor t1, t1, t2
    sd t1, UINTR_SOFT(tp)
    csrr t1, CSR_MIP
    srli t1, t1, IRQ_M_EXT - IRQ_U_EXT
    andi t1, t1, UIRQ_EXT
    or t1, t1, t2
    and t1, t1, t3
    WRITE_RD t1
    j settle

swap_sideleg:
    csrr t2, CSR_MSTATUS
    slli t2, t2, 63 - MSTATUS_MPP_SHIFT
    bgez t2, uintr_pass_4              /* from U-mode */
    READ_RS1
    andi t1, t1, UIRQ_ALL
    ld t3, UINTR_SIDELEG(tp)
    sd t1, UINTR_SIDELEG(tp)
    WRITE_RD t3
    j settle

/* csrrs, csrrc and their immediate forms on ustatus, uie and uip. */
    .globl uintr_set
uintr_set:
    ld t1, UINTR_SET_MASK(tp)
    and t1, t1, t0
    ld t2, UINTR_READ_MATCH(tp)
    bne t1, t2, wait
    srli t3, t0, 20
    beqz t3, set_ustatus
    addi t3, t3, -CSR_UIP
    beqz t3, set_uip
    addi t3, t3, CSR_UIP - CSR_UIE
    bnez t3, uintr_pass_4
    jal t3, operand
    ld t2, UINTR_SIDELEG(tp)
    and t1, t1, t2
    ld t2, UINTR_UIE(tp)
    SET_OR_CLEAR
    ld t3, UINTR_UIE(tp)
    sd t1, UINTR_UIE(tp)
    ld t2, UINTR_SIDELEG(tp)
    and t1, t3, t2
    WRITE_RD t1
    j settle

set_uip:
    jal t3, operand
    ld t2, UINTR_SIDELEG(tp)
    and t1, t1, t2
    addi t2, t1, -UIRQ_SOFT      /* U-mode writes USIP only */
    beqz t2, 1f
    csrr t2, CSR_MSTATUS
    slli t2, t2, 63 - MSTATUS_MPP_SHIFT
    bltz t2, 1f
    andi t1, t1, UIRQ_SOFT
1:  ld t2, UINTR_SOFT(tp)
    SET_OR_CLEAR
    ld t3, UINTR_SOFT(tp)
    sd t1, UINTR_SOFT(tp)
    srli t2, t0, 4
    andi t2, t2, 0xf8
    beqz t2, settle_software
    csrr t1, CSR_MIP
    srli t1, t1, IRQ_M_EXT - IRQ_U_EXT
    andi t1, t1, UIRQ_EXT
    or t1, t1, t3
    ld t2, UINTR_SIDELEG(tp)
    and t1, t1, t2
    WRITE_RD t1

/* The software bits of uip have changed, nothing else. */
settle_software:
    NEXT_PC t0
    ld t1, UINTR_SOFT(tp)
    ld t0, UINTR_ENABLED(tp)
    and t1, t1, t0
    sd t1, UINTR_SOFT_PENDING(tp)
    bnez t1, pending
nothing_pending:
    ld t0, UINTR_MEIE(tp)
    csrs CSR_MIE, t0
    lui t0, TW_TSR
    csrc CSR_MSTATUS, t0
    RESTORE_4
    mret

set_ustatus:
    slli t1, t0, 63 - 14
    bltz t1, 1f
    READ_RS1
    j 2f
1:  srli t1, t0, 15
2:  andi t1, t1, USTATUS_UIE | USTATUS_UPIE
    ld t2, UINTR_USTATUS(tp)
    SET_OR_CLEAR
    ld t3, UINTR_USTATUS(tp)
    sd t1, UINTR_USTATUS(tp)
    WRITE_RD t3

/* ustatus has changed, nothing else. */
settle_status:
    NEXT_PC t0
    ld t0, UINTR_USTATUS(tp)
    andi t0, t0, USTATUS_UIE
    beqz t0, 1f
    ld t0, UINTR_SOFT_PENDING(tp)
    beqz t0, nothing_pending
    j pending
1:  lui t0, TSR
    csrc CSR_MSTATUS, t0
    RESTORE_4
    mret

/* uie, uip or sideleg has changed. */
settle:
    NEXT_PC t0
    ld t0, UINTR_UIE(tp)
    ld t1, UINTR_SIDELEG(tp)
    and t0, t0, t1
    sd t0, UINTR_ENABLED(tp)
    ld t1, UINTR_SOFT(tp)
    and t1, t1, t0
    sd t1, UINTR_SOFT_PENDING(tp)
    andi t0, t0, UIRQ_EXT
    slli t0, t0, IRQ_M_EXT - IRQ_U_EXT
    sd t0, UINTR_MEIE(tp)
    li t2, MIP_MEIP
    csrc CSR_MIE, t2
    beqz t1, nothing_pending

/*
 * The instruction is done and software has something pending. In S-mode that
 * is remembered for wfi and sret; from U-mode uintr.c settles it.
 */
pending:
    csrr t0, CSR_MSTATUS
    slli t0, t0, 63 - MSTATUS_MPP_SHIFT
    bgez t0, 1f
    ld t0, UINTR_MEIE(tp)
    csrs CSR_MIE, t0
    lui t0, TSR
    csrc CSR_MSTATUS, t0
    ld t1, UINTR_USTATUS(tp)
    andi t1, t1, USTATUS_UIE
    slli t1, t1, 22
    lui t0, TW
    or t0, t0, t1
    csrs CSR_MSTATUS, t0
    RESTORE_4
    mret
1:  li t0, 1
    sd t0, UINTR_REQUEST(tp)
    j uintr_pass_4

/*
 * S-mode's wfi, trapped because a user interrupt is pending: what uintr.c
 * does. A driver that is about to sleep comes by here, and who waits for the
 * kernel's lock.
 */
wait:
    ld t1, UINTR_INSN_WFI(tp)
    bne t0, t1, uintr_pass_4
    csrr t0, CSR_MSTATUS
    slli t0, t0, 63 - MSTATUS_MPP_SHIFT
    bgez t0, uintr_pass_4              /* from U-mode */
    ld t1, UINTR_MEIE(tp)
    csrrs t3, CSR_MIE, t1
    or t1, t1, t3
    csrr t0, CSR_MIP
    and t0, t0, t1
    beqz t0, 1f
    wfi
    csrw CSR_MIE, t3
    NEXT_PC t0
    RESTORE_4
    mret
1:  csrw CSR_MIE, t3
    j uintr_pass_4

/* t1 = rs1 or the immediate; returns to t3. */
operand:
    slli t1, t0, 63 - 14
    bltz t1, 1f
    READ_RS1
    jr t3
1:  srli t1, t0, 15
    andi t1, t1, 31
    jr t3

    .balign 4096
    .globl uintr_swap_csr
uintr_swap_csr:
    GO swap_ustatus
    OTHERS CSR_UIE - CSR_USTATUS - 1, uintr_pass_4
    GO swap_uie
    GO swap_utvec
    OTHERS CSR_USCRATCH - CSR_UTVEC - 1, uintr_pass_4
    GO swap_uscratch
    GO swap_uepc
    GO swap_ucause
    GO swap_utval
    GO swap_uip
    OTHERS CSR_SIDELEG - CSR_UIP - 1, uintr_pass_4
    GO swap_sideleg
    OTHERS 0x1ff - CSR_SIDELEG, uintr_pass_4
