/* Parity, framing, break: on the byte they belong to [8.4]. */
#include "uart.h"

enum { ERRORS = OE | PE | FE | BI | FIFO_ERROR };

/* One byte in another format than B's, then back. */
static void send_as(uint8_t lcr, uint8_t byte)
{
    uint8_t before = A[LCR];

    flush(A);
    A[LCR] = lcr;
    send(A, byte);
    A[LCR] = before;
}

static const uint8_t kind[] = {ODD, EVEN, STICK, STICK | EVEN};

/* [8.1 bits 3..5] */
CASE(parity_kinds)
{
    for (int a = 0; a < 4; a++)
        for (int b = 0; b < 4; b++)
            for (int odd = 0; odd < 2; odd++) {
                uint8_t sent[] = {!odd, odd, 1, 0}; /* the parity bit */
                setup(BITS_8 | PARITY | kind[b], FCR_ALL);
                A[LCR] = BITS_8 | PARITY | kind[a];
                send(A, odd ? 0x31 : 0x30);
                EXPECT(B[LSR] & ERRORS,
                       sent[a] == sent[b] ? 0 : PE | FIFO_ERROR);
                EXPECT(B[RBR], odd ? 0x31 : 0x30);
            }
}

/* [8.4 bit 2] */
CASE(error_belongs_to_its_byte)
{
    setup(BITS_8 | PARITY | EVEN, FCR_ALL);
    send(A, 1);
    send(A, 2);
    send_as(BITS_8 | PARITY | ODD, 3);
    send(A, 4);
    send_as(BITS_8 | PARITY | ODD, 5);
    for (int i = 1; i <= 5; i++) {
        bool bad = i == 3 || i == 5;
        EXPECT(B[LSR] & ERRORS, bad ? PE | FIFO_ERROR : FIFO_ERROR);
        EXPECT(B[LSR] & ERRORS, i < 5 ? FIFO_ERROR : 0);
        EXPECT(B[RBR], i);
    }
    EXPECT(B[LSR] & (ERRORS | DR), 0);
}

/* [8.4 bit 7] */
CASE(lsr7_clears_with_the_last_error)
{
    setup(BITS_8 | PARITY | EVEN, FCR_ALL);
    send_as(BITS_8 | PARITY | ODD, 1);
    send(A, 2);
    EXPECT(B[LSR] & ERRORS, PE | FIFO_ERROR);
    EXPECT(B[LSR] & ERRORS, 0);
}

/* [8.4] */
CASE(unread_errors_stay_in_lsr)
{
    setup(BITS_8 | PARITY | EVEN, FCR_ALL);
    send_as(BITS_8 | PARITY | ODD, 1);
    (void)B[RBR];
    EXPECT(B[LSR] & ERRORS, PE | FIFO_ERROR);
    EXPECT(B[LSR] & ERRORS, 0);
}

/* [8.4 note] */
CASE(error_interrupts_at_the_head)
{
    setup(BITS_8 | PARITY | EVEN, FCR_ALL | FCR_14);
    B[IER] = IER_LINE;
    send(A, 1);
    send_as(BITS_8 | PARITY | ODD, 2);
    EXPECT(B[IIR], FIFOS | NONE);
    (void)B[RBR];
    EXPECT(B[IIR], FIFOS | LINE);
    EXPECT(B[LSR] & ERRORS, PE | FIFO_ERROR);
    EXPECT(B[IIR], FIFOS | NONE);
}

CASE(error_interrupts_on_time)
{
    setup(BITS_8 | PARITY | EVEN, FCR_ALL | FCR_14);
    A[LCR] = BITS_8 | PARITY | ODD;
    B[IER] = IER_LINE;
    plic_only(B);
    EXPECT(interrupted(A + THR, 7), BYTE + BIT);
}

/* [8.4 bit 7] */
CASE(mode_16450_mode_has_no_lsr7)
{
    setup(BITS_8 | PARITY | EVEN, 0);
    send_as(BITS_8 | PARITY | ODD, 1);
    EXPECT(B[LSR] & ERRORS, PE);
}

CASE(fifo_reset_takes_the_errors_with_the_bytes)
{
    setup(BITS_8 | PARITY | EVEN, FCR_ALL);
    send_as(BITS_8 | PARITY | ODD, 1);
    send_as(BITS_8 | PARITY | ODD, 2);
    B[FCR] = FCR_ON | FCR_RX;
    EXPECT(B[LSR] & ERRORS, 0);
}

/* [8.4 bit 3] */
CASE(framing_error_without_a_stop_bit)
{
    setup(BITS_7, FCR_ALL);
    send_as(BITS_8, 0x15); /* bit 7 is 0 where B's stop bit is */
    EXPECT(B[LSR] & ERRORS, FE | FIFO_ERROR);
    EXPECT(B[RBR], 0x15);
    send_as(BITS_8, 0x95);
    EXPECT(B[LSR] & ERRORS, 0);
    EXPECT(B[RBR], 0x15);
}

/* [8.3] */
CASE(framing_error_at_a_wrong_baud_rate)
{
    setup(BITS_8, FCR_ALL);
    divisor(A, 20);
    divisor(B, 20);
    send(A, 0x40);
    EXPECT(B[LSR] & ERRORS, 0);
    EXPECT(B[RBR], 0x40);
    divisor(B, 18); /* 10 % fast: sees bit 7 where its stop bit is */
    send(A, 0x40);
    EXPECT(B[LSR] & ERRORS, FE | FIFO_ERROR);
    divisor(B, 22); /* 10 % slow: and the next start bit */
    B[FCR] = FCR_ALL;
    put(A, 0x40);
    send(A, 0x40);
    EXPECT(B[LSR] & ERRORS, FE | FIFO_ERROR);
}

/* [8.3] */
CASE(baud_rates_4_percent_apart_agree)
{
    for (int b = 48; b <= 52; b++) {
        setup(BITS_8, FCR_ALL);
        divisor(A, 50);
        divisor(B, b);
        for (int i = 0; i < 256; i += 15) {
            put(A, i);
            send(A, ~i);
            EXPECT(B[RBR], i);
            EXPECT(B[RBR], (uint8_t)~i);
            EXPECT(B[LSR] & ERRORS, 0);
        }
    }
}

/* [8.4 bit 4] */
CASE(break_is_one_zero_character)
{
    CHECK_AT(setup(BITS_8, FCR_ALL), A + LCR, BITS_8 | BREAK, B + LSR, BI,
             BYTE);
    wait_bytes(10);
    EXPECT(B[RBR], 0);
    EXPECT(B[LSR] & (ERRORS | DR), 0);
    A[LCR] = BITS_8;
    send(A, 0x5a);
    EXPECT(B[LSR] & (ERRORS | DR), DR);
    EXPECT(B[RBR], 0x5a);
}

/* [8.1 bit 6] */
CASE(break_does_not_stop_the_transmitter)
{
    setup(BITS_8, FCR_ALL);
    A[LCR] = BITS_8 | BREAK;
    CHECK_AT(flush(A), A + THR, 1, A + LSR, TEMT, BYTE);
    A[LCR] = BITS_8;
    EXPECT(B[RBR], 0);
    EXPECT(B[LSR] & DR, 0);
}

/* [8.1 bits 3..5] A parity bit of 0 after zeros: wrong for odd, and stick 1. */
CASE(break_has_a_parity_bit_too)
{
    static const uint8_t wrong[] = {ODD, STICK}, right[] = {EVEN, STICK | EVEN};

    for (int i = 0; i < 4; i++) {
        setup(BITS_8 | PARITY | (i < 2 ? wrong[i] : right[i - 2]), FCR_ALL);
        A[LCR] |= BREAK;
        wait_bytes(2);
        EXPECT(B[LSR] & ERRORS, BI | FE | FIFO_ERROR | (i < 2 ? PE : 0));
        A[LCR] = 0;
    }
}

/* [8.4 note] */
CASE(break_interrupts)
{
    setup(BITS_8, FCR_ALL | FCR_14);
    B[IER] = IER_LINE;
    plic_only(B);
    EXPECT(interrupted(A + LCR, BITS_8 | BREAK), BYTE);
    EXPECT(B[IIR], FIFOS | LINE);
    EXPECT(B[LSR] & (BI | FIFO_ERROR), BI | FIFO_ERROR);
    A[LCR] = BITS_8;
}

/* [8.4 bit 4] */
CASE(break_belongs_to_its_byte)
{
    setup(BITS_8, FCR_ALL);
    send(A, 1);
    A[LCR] = BITS_8 | BREAK;
    wait_bytes(2);
    A[LCR] = BITS_8;
    send(A, 2);
    EXPECT(B[LSR] & ERRORS, FIFO_ERROR);
    EXPECT(B[RBR], 1);
    EXPECT(B[LSR] & BI, BI);
    EXPECT(B[RBR], 0);
    EXPECT(B[LSR] & ERRORS, 0);
    EXPECT(B[RBR], 2);
}
