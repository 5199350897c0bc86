/*
 * The M-mode trap vector of an emulated hart: the frequent cases of uintr.c in
 * as few instructions as possible, all others passed on to OpenSBI's vector
 * with every register as it was. The rules are uintr.c's; this file only
 * reaches the same states faster. It looks at no other hart and at no memory
 * but the state, and changes nothing before it knows that it can finish.
 *
 * Registers: tp = scratch area (the trapped tp is in mscratch), t0..t3 are
 * spilled as needed, t0 = the trapping instruction. Constants are loaded from
 * the state because that is one instruction.
 *
 * Optimistic settling: where the line would have to be read, it is taken to
 * be low and MEIE is set. If it is high, the interrupt traps right after the
 * mret and takes the usual way.
 */
#include <sbi/riscv_encoding.h>
#include "abi/uintr.h"
#include "uintr.h"

#define TW_TSR 0x600 /* lui: mstatus.TW and TSR */
#define TW     0x200
#define TSR    0x400

    .option norvc
    .text

.macro RESTORE_2
    ld t0, UINTR_T0(tp)
    ld t1, UINTR_T1(tp)
    csrrw tp, CSR_MSCRATCH, tp
.endm
.macro RESTORE_3
    ld t2, UINTR_T2(tp)
    RESTORE_2
.endm
.macro RESTORE_4
    ld t3, UINTR_T3(tp)
    RESTORE_3
.endm
.macro NEXT_PC reg
    csrr \reg, CSR_MEPC
    addi \reg, \reg, 4
    csrw CSR_MEPC, \reg
.endm
/* t1 = register rs1 */
.macro READ_RS1
    srli t1, t0, 12
    andi t1, t1, 0xf8
    ld t2, UINTR_READ_GPR(tp)
    add t1, t1, t2
    jalr t2, 0(t1)
.endm
/* register rd = \value, if it is not x0 */
.macro WRITE_RD value
    srli t2, t0, 4
    andi t2, t2, 0xf8
    beqz t2, 90f
    .ifnc \value, t1
    mv t1, \value
    .endif
    ld t3, UINTR_WRITE_GPR(tp)
    add t2, t2, t3
    jalr t2, 0(t2)
90:
.endm

/* t1 = t2 with the bits of t1 set or cleared, as the instruction says */
.macro SET_OR_CLEAR
    slli t3, t0, 63 - 12
    bltz t3, 91f
    or t1, t1, t2
    j 92f
91: not t1, t1
    and t1, t1, t2
92:
.endm

    .globl uintr_vector
    .balign 256
uintr_vector:
    j exception
    .rept IRQ_M_EXT - 1
    j _trap_handler
    .endr
    j external
    .rept 15 - IRQ_M_EXT
    j _trap_handler
    .endr

/*
 * The line of the hart's U context has risen. MEIE was set, so the interrupt
 * is delegated and enabled.
 */
external:
    csrrw tp, CSR_MSCRATCH, tp
    sd t0, UINTR_T0(tp)
    sd t1, UINTR_T1(tp)
    csrr t0, CSR_MSTATUS
    ld t1, UINTR_MODE_MASK(tp)
    and t0, t0, t1
    bnez t0, hold                /* not from U-mode */
    ld t0, UINTR_USTATUS(tp)
    andi t0, t0, USTATUS_UIE
    beqz t0, hold
    csrr t0, CSR_MIP
    csrr t1, CSR_MIE
    and t0, t0, t1
    csrr t1, CSR_MIDELEG
    and t0, t0, t1
    bnez t0, pass_2              /* an S interrupt goes first */
    csrr t0, CSR_MEPC
    sd t0, UINTR_UEPC(tp)
    ld t0, UINTR_CAUSE_EXT(tp)
    sd t0, UINTR_UCAUSE(tp)
    sd zero, UINTR_UTVAL(tp)
    li t0, USTATUS_UPIE
    sd t0, UINTR_USTATUS(tp)
    li t1, MIP_MEIP
    csrc CSR_MIE, t1
    lui t1, TW
    csrs CSR_MSTATUS, t1
    ld t0, UINTR_VECTOR_EXT(tp)
    csrw CSR_MEPC, t0
    RESTORE_2
    mret

/* Known to be pending from now on; S-mode or the driver goes on. */
hold:
    li t0, MIP_MEIP
    csrc CSR_MIE, t0
    ld t1, UINTR_USTATUS(tp)
    andi t1, t1, USTATUS_UIE
    slli t1, t1, 22
    lui t0, TW
    or t0, t0, t1
    csrs CSR_MSTATUS, t0
    RESTORE_2
    mret

pass_4:
    ld t3, UINTR_T3(tp)
pass_3:
    ld t2, UINTR_T2(tp)
pass_2:
    RESTORE_2
    j _trap_handler

exception:
    csrrw tp, CSR_MSCRATCH, tp
    sd t0, UINTR_T0(tp)
    sd t1, UINTR_T1(tp)
    csrr t0, CSR_MCAUSE
    addi t0, t0, -CAUSE_ILLEGAL_INSTRUCTION
    bnez t0, pass_2
    csrr t0, CSR_MTVAL
    ld t1, UINTR_INSN_URET(tp)
    beq t0, t1, uret
    sd t2, UINTR_T2(tp)
    /* csrr rd, csr below 0x200: one mask, one value */
    ld t1, UINTR_READ_MASK(tp)
    and t1, t1, t0
    ld t2, UINTR_READ_MATCH(tp)
    bne t1, t2, not_read
    srli t1, t0, 17
    andi t1, t1, ~7
    ld t2, UINTR_READ_CSR(tp)
    add t1, t1, t2
    jr t1

not_read:
    ld t1, UINTR_INSN_SRET(tp)
    beq t0, t1, sret
    sd t3, UINTR_T3(tp)
    /* csrrw rd, csr below 0x200, rs1 */
    ld t1, UINTR_FORM_MASK(tp)
    and t1, t1, t0
    ld t2, UINTR_SWAP_MATCH(tp)
    bne t1, t2, not_swap
    srli t1, t0, 17
    andi t1, t1, ~7
    ld t2, UINTR_SWAP_CSR(tp)
    add t1, t1, t2
    jr t1

/*
 * UIE takes effect before we know the line: see "optimistic" above. Software
 * interrupts that are pending are uintr.c's affair.
 */
uret:
    ld t0, UINTR_SOFT_PENDING(tp)
    bnez t0, pass_2
    ld t0, UINTR_USTATUS(tp)
    andi t0, t0, USTATUS_UPIE
    srli t1, t0, 4
    ori t1, t1, USTATUS_UPIE
    sd t1, UINTR_USTATUS(tp)
    ld t0, UINTR_MEIE(tp)
    csrs CSR_MIE, t0
    lui t0, TW_TSR
    csrc CSR_MSTATUS, t0
    ld t0, UINTR_UEPC(tp)
    csrw CSR_MEPC, t0
    RESTORE_2
    mret

/*
 * S-mode's sret, trapped because something may be delivered. Here: it goes to
 * U-mode, no S interrupt is pending, and the line is high. TSR implies UIE.
 */
sret:
    csrr t0, CSR_MSTATUS
    ld t1, UINTR_SRET_MASK(tp)
    and t0, t0, t1
    li t1, PRV_S << MSTATUS_MPP_SHIFT
    bne t0, t1, pass_3
    csrr t1, CSR_MIP
    csrr t2, CSR_MIE
    and t2, t2, t1
    csrr t0, CSR_MIDELEG
    and t2, t2, t0
    bnez t2, pass_3
    ld t0, UINTR_MEIE(tp)
    and t1, t1, t0
    beqz t1, sret_software
    ld t1, UINTR_VECTOR_EXT(tp)
    csrw CSR_MEPC, t1
    ld t0, UINTR_CAUSE_EXT(tp)
sret_deliver:
    sd t0, UINTR_UCAUSE(tp)
    sd zero, UINTR_UTVAL(tp)
    csrr t0, CSR_SEPC
    sd t0, UINTR_UEPC(tp)
    li t0, USTATUS_UPIE
    sd t0, UINTR_USTATUS(tp)
    csrr t0, CSR_MSTATUS
    srli t1, t0, 4
    andi t1, t1, MSTATUS_SIE     /* SPIE, where SIE is */
    ld t2, UINTR_SRET_KEEP(tp)
    and t0, t0, t2
    or t0, t0, t1
    ori t0, t0, MSTATUS_SPIE
    csrw CSR_MSTATUS, t0
    RESTORE_3
    mret

/* No line, but what software set: external, software, timer. */
sret_software:
    ld t1, UINTR_SOFT_PENDING(tp)
    beqz t1, pass_3
    li t0, IRQ_U_EXT
    andi t2, t1, UIRQ_EXT
    bnez t2, 1f
    andi t1, t1, UIRQ_SOFT
    li t0, 0
    bnez t1, 1f
    li t0, 4
1:  ld t1, UINTR_UTVEC(tp)
    andi t2, t1, 1
    beqz t2, 2f
    slli t2, t0, 2
    addi t2, t2, -1
2:  add t1, t1, t2               /* base, or base + 4 * code */
    csrw CSR_MEPC, t1
    ld t2, UINTR_CAUSE_EXT(tp)
    addi t2, t2, -IRQ_U_EXT
    add t0, t0, t2
    j sret_deliver

/* csrr: t1 = value, t0 = instruction. */
.macro READ_DONE
    NEXT_PC t2
    srli t0, t0, 2
    andi t0, t0, 0x3e0
    ld t2, UINTR_RETURN_GPR(tp)
    add t0, t0, t2
    jr t0
.endm
read_done:
    READ_DONE
read_uie:
    ld t1, UINTR_UIE(tp)
    ld t2, UINTR_SIDELEG(tp)
    and t1, t1, t2
    READ_DONE
read_uip:
    csrr t1, CSR_MIP
    srli t1, t1, IRQ_M_EXT - IRQ_U_EXT
    andi t1, t1, UIRQ_EXT
    ld t2, UINTR_SOFT(tp)
    or t1, t1, t2
    ld t2, UINTR_SIDELEG(tp)
    and t1, t1, t2
    READ_DONE
read_sideleg:
    csrr t2, CSR_MSTATUS
    slli t2, t2, 63 - MSTATUS_MPP_SHIFT
    bgez t2, pass_3              /* from U-mode */
    ld t1, UINTR_SIDELEG(tp)
    READ_DONE

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
    bgez t2, pass_4              /* from U-mode */
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
    bgez t2, pass_4              /* from U-mode */
    READ_RS1
    andi t1, t1, UIRQ_ALL
    ld t3, UINTR_SIDELEG(tp)
    sd t1, UINTR_SIDELEG(tp)
    WRITE_RD t3
    j settle

/* csrrs, csrrc and their immediate forms on ustatus, uie and uip. */
not_swap:
    ld t1, UINTR_SET_MASK(tp)
    and t1, t1, t0
    ld t2, UINTR_READ_MATCH(tp)
    bne t1, t2, pass_4
    srli t3, t0, 20
    beqz t3, set_ustatus
    addi t3, t3, -CSR_UIP
    beqz t3, set_uip
    addi t3, t3, CSR_UIP - CSR_UIE
    bnez t3, pass_4
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
    j pass_4

/* t1 = rs1 or the immediate; returns to t3. */
operand:
    slli t1, t0, 63 - 14
    bltz t1, 1f
    READ_RS1
    jr t3
1:  srli t1, t0, 15
    andi t1, t1, 31
    jr t3

/*
 * The tables. Register n of the trapped program is in its place, but tp is in
 * mscratch and t0..t3 are in the state.
 */
    .balign 256
    .globl uintr_read_gpr
uintr_read_gpr:
    .irp n, 0,1,2,3
    mv t1, x\n
    jr t2
    .endr
    csrr t1, CSR_MSCRATCH
    jr t2
    .irp slot, UINTR_T0, UINTR_T1, UINTR_T2
    ld t1, \slot(tp)
    jr t2
    .endr
    .irp n, 8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27
    mv t1, x\n
    jr t2
    .endr
    ld t1, UINTR_T3(tp)
    jr t2
    .irp n, 29,30,31
    mv t1, x\n
    jr t2
    .endr

    .balign 256
    .globl uintr_write_gpr
uintr_write_gpr:
    .irp n, 0,1,2,3
    mv x\n, t1
    jr t2
    .endr
    csrw CSR_MSCRATCH, t1
    jr t2
    .irp slot, UINTR_T0, UINTR_T1, UINTR_T2
    sd t1, \slot(tp)
    jr t2
    .endr
    .irp n, 8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27
    mv x\n, t1
    jr t2
    .endr
    sd t1, UINTR_T3(tp)
    jr t2
    .irp n, 29,30,31
    mv x\n, t1
    jr t2
    .endr

/* The same and back to the program; t3 has not been spilled here. */
    .balign 1024
    .globl uintr_return_gpr
uintr_return_gpr:
    .irp n, 0,1,2,3
    mv x\n, t1
    RESTORE_3
    mret
    .balign 32
    .endr
    csrw CSR_MSCRATCH, t1
    RESTORE_3
    mret
    .balign 32
    .irp slot, UINTR_T0, UINTR_T1, UINTR_T2
    sd t1, \slot(tp)
    RESTORE_3
    mret
    .balign 32
    .endr
    .irp n, 8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    mv x\n, t1
    RESTORE_3
    mret
    .balign 32
    .endr

/* By CSR number, 0 to 0x1ff, eight bytes each. */
.macro OTHERS count, target
    .rept \count
    j \target
    nop
    .endr
.endm
.macro READ_CELL cell
    ld t1, \cell(tp)
    j read_done
.endm
.macro GO target
    j \target
    nop
.endm
    .balign 4096
    .globl uintr_read_csr
uintr_read_csr:
    READ_CELL UINTR_USTATUS
    OTHERS CSR_UIE - CSR_USTATUS - 1, pass_3
    GO read_uie
    READ_CELL UINTR_UTVEC
    OTHERS CSR_USCRATCH - CSR_UTVEC - 1, pass_3
    READ_CELL UINTR_USCRATCH
    READ_CELL UINTR_UEPC
    READ_CELL UINTR_UCAUSE
    READ_CELL UINTR_UTVAL
    GO read_uip
    OTHERS CSR_SIDELEG - CSR_UIP - 1, pass_3
    GO read_sideleg
    OTHERS 0x1ff - CSR_SIDELEG, pass_3

    .balign 4096
    .globl uintr_swap_csr
uintr_swap_csr:
    GO swap_ustatus
    OTHERS CSR_UIE - CSR_USTATUS - 1, pass_4
    GO swap_uie
    GO swap_utvec
    OTHERS CSR_USCRATCH - CSR_UTVEC - 1, pass_4
    GO swap_uscratch
    GO swap_uepc
    GO swap_ucause
    GO swap_utval
    GO swap_uip
    OTHERS CSR_SIDELEG - CSR_UIP - 1, pass_4
    GO swap_sideleg
    OTHERS 0x1ff - CSR_SIDELEG, pass_4
