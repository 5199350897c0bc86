/* Modem lines and loopback [8.8, 8.9]. */
#include "uart.h"

/* [8.9 bit 4] */
CASE(rts_is_the_others_cts)
{
    setup(BITS_8, FCR_ALL);
    A[MCR] = RTS;
    EXPECT(B[MSR], CTS | DCTS);
    EXPECT(A[MSR], 0);
    B[MCR] = RTS;
    EXPECT(A[MSR], CTS | DCTS);
}

/* [8.9 bits 5, 7] */
CASE(dtr_is_the_others_dsr_and_dcd)
{
    setup(BITS_8, FCR_ALL);
    A[MCR] = DTR;
    EXPECT(B[MSR], DSR | DDSR | DCD | DDCD);
    B[MCR] = DTR;
    EXPECT(A[MSR], DSR | DDSR | DCD | DDCD);
}

/* [8.8] */
CASE(out1_and_out2_go_nowhere)
{
    setup(BITS_8, FCR_ALL);
    A[MCR] = OUT1 | OUT2;
    EXPECT(B[MSR], 0);
    EXPECT(A[MSR], 0);
}

/* [8.9] */
CASE(deltas_clear_when_read)
{
    setup(BITS_8, FCR_ALL);
    A[MCR] = RTS;
    EXPECT(B[MSR], CTS | DCTS);
    EXPECT(B[MSR], CTS);
    A[MCR] = RTS | DTR;
    EXPECT(B[MSR], CTS | DSR | DDSR | DCD | DDCD);
}

/* [8.9] */
CASE(two_edges_merge_into_one_delta)
{
    setup(BITS_8, FCR_ALL);
    A[MCR] = RTS;
    A[MCR] = 0;
    EXPECT(B[MSR], DCTS);
    EXPECT(B[MSR], 0);
    A[MCR] = RTS;
    A[MCR] = 0;
    A[MCR] = RTS;
    EXPECT(B[MSR], CTS | DCTS);
}

/* [8.9] */
CASE(unchanged_line_sets_no_delta)
{
    setup(BITS_8, FCR_ALL);
    A[MCR] = RTS;
    (void)B[MSR];
    A[MCR] = RTS;
    EXPECT(B[MSR], CTS);
}

/* [Table IV] */
CASE(modem_interrupt_until_msr_is_read)
{
    setup(BITS_8, FCR_ALL);
    B[IER] = IER_MODEM;
    plic_only(B);
    EXPECT(interrupted(A + MCR, RTS) >= 0, 1);
    EXPECT(plic_claim(), source_of(B));
    EXPECT(B[IIR], FIFOS | MODEM);
    EXPECT(B[IIR], FIFOS | MODEM);
    EXPECT(B[MSR], CTS | DCTS);
    EXPECT(B[IIR], FIFOS | NONE);
    plic_complete(source_of(B));
    EXPECT(plic_claim(), 0);
}

CASE(lines_throttle_nothing)
{
    setup(BITS_8, FCR_ALL);
    B[MCR] = 0;
    for (int i = 0; i < 17; i++)
        send(A, i);
    EXPECT(B[LSR] & OE, OE);
}

static const struct {
    uint8_t mcr, msr;
} lines[] = {{DTR, DSR}, {RTS, CTS}, {OUT1, RI}, {OUT2, DCD}};

/* [8.8 bit 4] */
CASE(loopback_modem_lines)
{
    setup(BITS_8, FCR_ALL);
    A[MCR] = LOOP;
    (void)A[MSR];
    for (int i = 0; i < 4; i++) {
        A[MCR] = LOOP | lines[i].mcr;
        EXPECT(A[MSR] & 0xf0, lines[i].msr);
        A[MCR] = LOOP;
        EXPECT(A[MSR], lines[i].msr >> 4);
    }
}

/* [8.9 bit 2] */
CASE(teri_is_the_trailing_edge)
{
    setup(BITS_8, FCR_ALL);
    A[MCR] = LOOP;
    (void)A[MSR];
    A[MCR] = LOOP | OUT1;
    EXPECT(A[MSR], RI);
    A[MCR] = LOOP;
    EXPECT(A[MSR], TERI);
}

/* [8.8 bit 4] */
CASE(loopback_drops_the_outputs)
{
    setup(BITS_8, FCR_ALL);
    A[MCR] = RTS | DTR;
    (void)B[MSR];
    A[MCR] = RTS | DTR | LOOP;
    EXPECT(B[MSR], DCTS | DDSR | DDCD);
    A[MCR] = RTS | DTR;
    EXPECT(B[MSR], CTS | DSR | DCD | DCTS | DDSR | DDCD);
}

/* [8.8 bit 4] */
CASE(loopback_disconnects_the_inputs)
{
    setup(BITS_8, FCR_ALL);
    A[MCR] = LOOP;
    (void)A[MSR];
    B[MCR] = RTS | DTR;
    EXPECT(A[MSR], 0);
    send(B, 0x42);
    EXPECT(A[LSR] & DR, 0);
}

/* [8.8 bit 4] */
CASE(loopback_receives_what_it_sends)
{
    CHECK_AT(setup(BITS_8, FCR_ALL);
             A[MCR] = LOOP, A + THR, 0x42, A + LSR, DR, BYTE);
    EXPECT(A[RBR], 0x42);
    EXPECT(B[LSR] & DR, 0);
    A[LCR] = BITS_8 | BREAK; /* acts on SOUT only */
    send(A, 0x43);
    EXPECT(A[LSR] & (DR | BI), DR);
    EXPECT(A[RBR], 0x43);
}

/* [8.8 bit 4] */
CASE(loopback_interrupts_are_operational)
{
    setup(BITS_8, FCR_ALL);
    A[MCR] = LOOP;
    (void)A[MSR];
    A[IER] = IER_MODEM;
    A[MCR] = LOOP | RTS;
    EXPECT(A[IIR], FIFOS | MODEM);
    (void)A[MSR];
    A[IER] = IER_RX;
    plic_only(A);
    EXPECT(interrupted(A + THR, 1), BYTE);
    EXPECT(A[IIR], FIFOS | RX);
}
