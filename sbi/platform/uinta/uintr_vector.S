/*
 * The M-mode trap vector of an emulated hart: the frequent cases of uintr.c in
 * as few instructions as possible, all others passed on to OpenSBI's vector
 * with every register as it was. The rules are uintr.c's; this only reaches
 * the same states faster. It looks at no other hart and at no memory but the
 * state, and changes nothing before it knows that it can finish.
 *
 * Optimistic settling: where the line would have to be read, it is taken to
 * be low and MEIE is set. If it is high, the interrupt traps right after the
 * mret and takes the usual way.
 */
#include "uintr_asm.inc"

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

    .globl uintr_pass_4
uintr_pass_4:
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
    /* csrrw rd, csr, rs1: a kernel that switches drivers writes many */
    ld t1, UINTR_FORM_MASK(tp)
    and t1, t1, t0
    ld t2, UINTR_SWAP_MATCH(tp)
    bne t1, t2, not_swap
    sd t3, UINTR_T3(tp)
    srli t1, t0, 17
    andi t1, t1, ~7
    ld t2, UINTR_SWAP_CSR(tp)
    add t1, t1, t2
    jr t1

not_swap:
    /* csrr rd, csr */
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
    j uintr_set

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
