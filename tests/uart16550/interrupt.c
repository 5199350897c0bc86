/* IIR, IER, the transmitter's interrupt [8.6, 8.7, 8.11]. */
#include "uart.h"

/* [8.7] */
CASE(thre_interrupt_when_enabled_while_empty)
{
    setup(BITS_8, FCR_ALL);
    EXPECT(A[IIR], FIFOS | NONE);
    A[IER] = IER_TX;
    EXPECT(A[IIR], FIFOS | TX);
}

/* [Table IV] */
CASE(thre_interrupt_cleared_by_reading_iir)
{
    setup(BITS_8, FCR_ALL);
    A[IER] = IER_TX;
    EXPECT(A[IIR], FIFOS | TX);
    EXPECT(A[IIR], FIFOS | NONE);
    A[IER] = IER_TX;
    EXPECT(A[IIR], FIFOS | NONE); /* it was enabled already */
    A[IER] = 0;
    A[IER] = IER_TX;
    EXPECT(A[IIR], FIFOS | TX);
}

/* [Table IV] */
CASE(thre_interrupt_cleared_by_writing_thr)
{
    setup(BITS_8, FCR_ALL);
    divisor(A, 40);
    put(A, 1);
    A[IER] = IER_TX;
    put(A, 2);
    EXPECT(A[IIR], FIFOS | NONE);
}

/* [8.11 A] */
CASE(thre_interrupt_when_the_fifo_runs_empty)
{
    setup(BITS_8, FCR_ALL);
    send(A, 0); /* the first after FCR0 changed is not delayed anyhow */
    hold(A);
    for (int i = 0; i < 16; i++)
        put(A, i);
    A[IER] = IER_TX;
    EXPECT(A[IIR], FIFOS | NONE);
    plic_only(A);
    A[LCR] |= DLAB;
    EXPECT(interrupted(A + DLL, 1), 15 * BYTE);
    A[LCR] = BITS_8;
    EXPECT(plic_claim(), source_of(A));
    EXPECT(A[IIR], FIFOS | TX);
}

/* [8.11 B] */
CASE(thre_interrupt_of_a_lone_byte_is_delayed)
{
    setup(BITS_8, FCR_ALL);
    send(A, 1); /* the first after FCR0 changed */
    A[IER] = IER_TX;
    (void)A[IIR];
    plic_only(A);
    EXPECT(interrupted(A + THR, 2), BYTE - BIT);
}

/* [8.11 B] */
CASE(thre_interrupt_after_fcr0_changed_is_immediate)
{
    setup(BITS_8, 0);
    A[IER] = IER_TX;
    (void)A[IIR];
    A[FCR] = FCR_ON;
    put(A, 1);
    EXPECT(A[LSR], THRE);
    EXPECT(A[IIR], FIFOS | TX);
}

/* [8.4 bit 5] */
CASE(thre_interrupt_in_16450_mode_is_immediate)
{
    setup(BITS_8, 0);
    A[IER] = IER_TX;
    EXPECT(A[IIR], TX);
    put(A, 1);
    EXPECT(A[IIR], TX);
    put(A, 2);
    EXPECT(A[IIR], NONE);
    flush(A);
    EXPECT(A[IIR], TX);
}

/* [8.6 Table IV] */
CASE(interrupt_priorities)
{
    setup(BITS_8 | PARITY | EVEN, FCR_ALL | FCR_1);
    A[LCR] = BITS_8 | PARITY | ODD;
    send(A, 1);
    A[MCR] = RTS;
    B[IER] = IER_RX | IER_TX | IER_LINE | IER_MODEM;
    EXPECT(B[IIR], FIFOS | LINE);
    EXPECT(B[IIR], FIFOS | LINE);
    (void)B[LSR];
    EXPECT(B[IIR] & ~8, FIFOS | RX); /* or the time-out: the same level */
    (void)B[RBR];
    EXPECT(B[IIR], FIFOS | TX);
    EXPECT(B[IIR], FIFOS | MODEM);
    EXPECT(B[IIR], FIFOS | MODEM);
    (void)B[MSR];
    EXPECT(B[IIR], FIFOS | NONE);
}

/* [Table IV] */
CASE(iir_read_clears_thre_only_if_shown)
{
    setup(BITS_8, FCR_ALL | FCR_1);
    send(A, 1);
    B[IER] = IER_RX | IER_TX;
    EXPECT(B[IIR] & ~8, FIFOS | RX);
    (void)B[RBR];
    EXPECT(B[IIR], FIFOS | TX);
}

/* [8.7] */
CASE(ier_only_gates)
{
    setup(BITS_8 | PARITY | EVEN, FCR_ALL | FCR_1);
    A[LCR] = BITS_8 | PARITY | ODD;
    send(A, 1);
    A[MCR] = RTS;
    EXPECT(B[IIR], FIFOS | NONE);
    B[IER] = IER_MODEM;
    EXPECT(B[IIR], FIFOS | MODEM);
    B[IER] = IER_RX;
    EXPECT(B[IIR] & ~8, FIFOS | RX);
    B[IER] = IER_LINE;
    EXPECT(B[IIR], FIFOS | LINE);
    B[IER] = 0;
    EXPECT(B[IIR], FIFOS | NONE);
    EXPECT(B[LSR] & PE, PE);
    EXPECT(B[MSR] & DCTS, DCTS);
}

/* [Table II] */
CASE(register_bits_that_are_0)
{
    setup(BITS_8, FCR_ALL);
    A[IER] = 0xff;
    A[MCR] = 0xff;
    EXPECT(A[IER], 0x0f);
    EXPECT(A[MCR], 0x1f);
    A[IER] = 0;
    A[MCR] = 0;
}

/* [8.10] */
CASE(scratch)
{
    for (int i = 0; i < 256; i += 51) {
        A[SCR] = i;
        B[SCR] = ~i;
        EXPECT(A[SCR], i);
        EXPECT(B[SCR], (uint8_t)~i);
    }
}

/* [8.1 bit 7] */
CASE(dlab_hides_rbr_and_ier)
{
    setup(BITS_8, FCR_ALL);
    send(A, 0x77);
    B[IER] = IER_LINE;
    B[LCR] = BITS_8 | DLAB;
    EXPECT(B[DLL], 1);
    EXPECT(B[DLM], 0);
    B[LCR] = BITS_8;
    EXPECT(B[RBR], 0x77);
    EXPECT(B[IER], IER_LINE);
}

CASE(each_port_has_its_source)
{
    for (int i = 1; i <= 4; i++) {
        reset_all();
        plic_only(uart[i]);
        EXPECT(interrupted(uart[i] + IER, IER_TX) >= 0, 1);
        EXPECT(plic_claim(), 11 + i);
        (void)uart[i][IIR];
        plic_complete(11 + i);
        EXPECT(plic_claim(), 0);
    }
}

CASE(out2_does_not_gate)
{
    setup(BITS_8, FCR_ALL);
    A[MCR] = 0;
    plic_only(A);
    EXPECT(interrupted(A + IER, IER_TX) >= 0, 1);
}

CASE(level_stays_until_the_cause_is_gone)
{
    setup(BITS_8, FCR_ALL | FCR_1);
    B[IER] = IER_RX;
    plic_only(B);
    send(A, 1);
    EXPECT(interrupted(B + SCR, 0) >= 0, 1);
    (void)B[RBR];
    plic_complete(plic_claim());
    EXPECT(interrupted(B + SCR, 0), (unsigned long)-1);
}
