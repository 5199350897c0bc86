/* Receive FIFO: trigger levels, time-out, overrun, resets, 16450 mode. */
#include "uart.h"

static const struct {
    uint8_t fcr, level;
} levels[] = {{FCR_1, 1}, {FCR_4, 4}, {FCR_8, 8}, {FCR_14, 14}};

/* [8.5, 8.11 B] */
CASE(trigger_levels)
{
    for (int l = 0; l < 4; l++) {
        setup(BITS_8, FCR_ALL | levels[l].fcr);
        B[IER] = IER_RX;
        for (int i = 1; i <= 16; i++) {
            send(A, i);
            EXPECT(B[IIR], FIFOS | (i < levels[l].level ? NONE : RX));
        }
        for (int i = 15; i >= 0; i--) {
            EXPECT(B[RBR], 16 - i);
            EXPECT(B[IIR], FIFOS | (i < levels[l].level ? NONE : RX));
        }
    }
}

/* [8.11 A] */
CASE(trigger_interrupts_on_time)
{
    for (int l = 0; l < 4; l++) {
        setup(BITS_8, FCR_ALL | levels[l].fcr);
        B[IER] = IER_RX;
        plic_only(B);
        hold(A);
        for (int i = 0; i < 16; i++)
            put(A, i);
        A[LCR] = BITS_8 | DLAB;
        EXPECT(interrupted(A + DLL, 1), levels[l].level * BYTE);
        EXPECT(plic_claim(), source_of(B));
    }
}

/* A byte is in B below its trigger level; the last thing was a send(). */
static void below_trigger(uint8_t lcr)
{
    setup(lcr, FCR_ALL | FCR_14);
    B[IER] = IER_RX;
    plic_only(B);
}

/* [8.11] */
CASE(time_out_after_4_characters)
{
    below_trigger(BITS_8);
    EXPECT(interrupted(A + THR, 1), 5 * BYTE);
    EXPECT(B[IIR], FIFOS | TIMEOUT);
    EXPECT(B[IIR], FIFOS | TIMEOUT);
    EXPECT(B[RBR], 1);
    EXPECT(B[IIR], FIFOS | NONE);
}

/* [8.11] */
CASE(time_out_counts_parity_and_stop_bits)
{
    below_trigger(BITS_8 | PARITY | STOP_2);
    EXPECT(interrupted(A + THR, 1), BYTE + BIT + 4 * (BYTE + 2 * BIT));
}

/* [8.11 D] */
CASE(time_out_starts_anew_with_each_byte)
{
    below_trigger(BITS_8);
    hold(A);
    for (int i = 0; i < 13; i++)
        put(A, i);
    A[LCR] |= DLAB;
    EXPECT(interrupted(A + DLL, 1), 17 * BYTE);
}

/* [8.11 C, D] */
CASE(time_out_starts_anew_with_a_read)
{
    below_trigger(BITS_8);
    for (int i = 0; i < 3; i++)
        send(A, i);
    wait_bytes(3);
    (void)B[RBR];
    wait_bytes(3);
    EXPECT(B[IIR], FIFOS | NONE);
    wait_bytes(2);
    EXPECT(B[IIR], FIFOS | TIMEOUT);
    (void)B[RBR];
    EXPECT(B[IIR], FIFOS | NONE);
    wait_bytes(5);
    EXPECT(B[IIR], FIFOS | TIMEOUT);
}

/* [8.11 A] */
CASE(time_out_waits_for_a_byte)
{
    below_trigger(BITS_8);
    send(A, 1);
    (void)B[RBR];
    EXPECT(interrupted(B + SCR, 0), (unsigned long)-1);
}

/* [8.11 C] */
CASE(time_out_is_not_ended_by_a_byte)
{
    below_trigger(BITS_8);
    send(A, 1);
    wait_bytes(5);
    send(A, 2);
    EXPECT(B[IIR], FIFOS | TIMEOUT);
}

/* [8.4 bit 1] */
CASE(overrun_at_the_17th_byte)
{
    CHECK_AT(setup(BITS_8, FCR_ALL); for (int i = 0; i < 16; i++) send(A, i),
                                     A + THR, 16, B + LSR, OE, BYTE);
    EXPECT(B[LSR] & OE, 0);
    for (int i = 0; i < 16; i++)
        EXPECT(B[RBR], i);
    EXPECT(B[LSR] & DR, 0);
}

CASE(overrun_after_room_was_made_is_none)
{
    setup(BITS_8, FCR_ALL);
    for (int i = 0; i < 16; i++)
        send(A, i);
    (void)B[RBR];
    send(A, 16);
    EXPECT(B[LSR] & OE, 0);
    for (int i = 1; i <= 16; i++)
        EXPECT(B[RBR], i);
}

/* [8.6] */
CASE(overrun_interrupts_as_line_status)
{
    setup(BITS_8, FCR_ALL | FCR_14);
    for (int i = 0; i < 16; i++)
        send(A, i);
    B[IER] = IER_LINE;
    plic_only(B);
    EXPECT(interrupted(A + THR, 16), BYTE);
    EXPECT(B[IIR], FIFOS | LINE);
    EXPECT(B[LSR] & (OE | FIFO_ERROR), OE);
    EXPECT(B[IIR], FIFOS | NONE);
}

/* [8.4 bit 1] */
CASE(overrun_in_16450_mode_destroys_the_old)
{
    setup(BITS_8, 0);
    send(A, 1);
    EXPECT(B[LSR], DR | THRE | TEMT);
    send(A, 2);
    EXPECT(B[LSR], DR | OE | THRE | TEMT);
    EXPECT(B[RBR], 2);
    EXPECT(B[LSR], THRE | TEMT);
}

/* [8.5] */
CASE(fcr1_clears_the_receiver)
{
    setup(BITS_8, FCR_ALL);
    for (int i = 0; i < 5; i++)
        send(A, i);
    B[FCR] = FCR_ON | FCR_TX;
    EXPECT(B[LSR] & DR, DR);
    B[FCR] = FCR_ON | FCR_RX;
    EXPECT(B[LSR] & DR, 0);
    send(A, 9);
    EXPECT(B[RBR], 9);
}

/* [8.5] */
CASE(fcr2_clears_the_transmitter_but_the_shift_register)
{
    setup(BITS_8, FCR_ALL);
    divisor(A, 40);
    divisor(B, 40);
    for (int i = 1; i < 6; i++)
        put(A, i);
    A[FCR] = FCR_ON | FCR_RX;
    EXPECT(A[LSR] & THRE, 0);
    A[FCR] = FCR_ON | FCR_TX;
    EXPECT(A[LSR] & (THRE | TEMT), THRE);
    flush(A);
    EXPECT(B[RBR], 1);
    EXPECT(B[LSR] & DR, 0);
}

/* [8.5] */
CASE(fcr0_change_clears_both)
{
    setup(BITS_8, FCR_ALL);
    send(A, 1);
    send(A, 2);
    B[FCR] = 0;
    EXPECT(B[LSR] & DR, 0);
    send(A, 3);
    B[FCR] = FCR_ON;
    EXPECT(B[LSR] & DR, 0);
}

/* [8.5] */
CASE(fcr_bits_need_fcr0)
{
    setup(BITS_8, FCR_ALL | FCR_1);
    B[FCR] = FCR_14;
    EXPECT(B[IIR], NONE);
    B[IER] = IER_RX;
    send(A, 1);
    EXPECT(B[IIR], RX);
}

/* [8.6 bits 6, 7] */
CASE(iir_shows_the_mode)
{
    setup(BITS_8, 0);
    EXPECT(A[IIR], NONE);
    A[FCR] = FCR_ON;
    EXPECT(A[IIR], FIFOS | NONE);
}

/* [8.6 bit 3] */
CASE(mode_16450_mode_has_no_time_out)
{
    setup(BITS_8, 0);
    B[IER] = IER_RX;
    send(A, 1);
    wait_bytes(6);
    EXPECT(B[IIR], RX);
    EXPECT(B[RBR], 1);
    EXPECT(B[IIR], NONE);
}

/* [8.4 bit 5] */
CASE(mode_16450_mode_holds_one_byte_to_send)
{
    setup(BITS_8, 0);
    divisor(A, 40);
    divisor(B, 40);
    put(A, 1);
    EXPECT(A[LSR], THRE);
    put(A, 2);
    EXPECT(A[LSR], 0);
    while (!(B[LSR] & DR))
        ;
    EXPECT(B[RBR], 1);
    flush(A);
    EXPECT(B[RBR], 2);
}
