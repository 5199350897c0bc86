/* Bytes take their time [8.1, 8.3]. */
#include "uart.h"

/* `count` bytes wait in A's FIFO for its baud generator. */
static void loaded(uint8_t lcr, unsigned count)
{
    setup(lcr, FCR_ALL);
    hold(A);
    for (unsigned i = 0; i < count; i++)
        put(A, 0x55 + i);
    A[LCR] = lcr | DLAB;
}

/* ... and `have` are in B's already; the store to A's DLL starts it. */
static void loaded_after(uint8_t lcr, unsigned count, unsigned have)
{
    setup(lcr, FCR_ALL);
    for (unsigned i = 0; i < have; i++)
        send(A, i);
    hold(A);
    for (unsigned i = 0; i < count; i++)
        put(A, 0x55 + i);
    A[LCR] = lcr | DLAB;
}

/* [Table I] */
CASE(registers_after_reset)
{
    for (int i = 1; i <= 4; i++) {
        EXPECT(reset_values[i][IER], 0);
        EXPECT(reset_values[i][IIR], 1);
        EXPECT(reset_values[i][LCR], 0);
        EXPECT(reset_values[i][MCR], 0);
        EXPECT(reset_values[i][LSR], 0x60);
        EXPECT(reset_values[i][MSR], 0);
    }
}

/* Node `n` among those that are ns16550a; the console is the first. */
static uint32_t cell(unsigned n, const char *property)
{
    unsigned size = 0;
    const void *value = fdt_property("ns16550a", n, property, &size);

    if (!value || size != 4)
        FAIL("node %u: property %s has %u bytes, not 4", n, property, size);
    return fdt_cell(value, 0);
}

CASE(device_tree_tells_it_all)
{
    EXPECT(fdt_address("ns16550a", 0), 0x10000000);
    for (unsigned n = 1; n <= 4; n++) {
        EXPECT(fdt_address("ns16550a", n), (ulong)uart[n]);
        EXPECT(cell(n, "interrupts"), source_of(uart[n]));
        EXPECT(cell(n, "clock-frequency"), 100000000);
        EXPECT(cell(n, "reg-shift"), 0);
        EXPECT(cell(n, "uinta,wire"), cell(((n - 1) ^ 1) + 1, "phandle"));
    }
    EXPECT(fdt_address("ns16550a", 5), 0);
}

/* [8.1] */
CASE(byte_takes_10_bit_times)
{
    CHECK_AT(setup(BITS_8, FCR_ALL), A + THR, 0xa5, B + LSR, DR, BYTE);
    EXPECT(B[RBR], 0xa5);
}

/* [8.1] */
CASE(parity_takes_a_bit_time)
{
    CHECK_AT(setup(BITS_8 | PARITY, FCR_ALL), A + THR, 0xa5, B + LSR, DR,
             BYTE + BIT);
    EXPECT(B[RBR], 0xa5);
}

/* [8.1] */
CASE(word_length_counts)
{
    CHECK_AT(setup(BITS_5, FCR_ALL), A + THR, 0xff, B + LSR, DR, 7 * BIT);
    EXPECT(B[RBR], 0x1f);
    CHECK_AT(setup(BITS_6, FCR_ALL), A + THR, 0xff, B + LSR, DR, 8 * BIT);
    EXPECT(B[RBR], 0x3f);
    CHECK_AT(setup(BITS_7, FCR_ALL), A + THR, 0xff, B + LSR, DR, 9 * BIT);
    EXPECT(B[RBR], 0x7f);
}

/* [8.3] */
CASE(divisor_divides_the_clock)
{
    CHECK_AT(setup(BITS_8, FCR_ALL); divisor(A, 2);
             divisor(B, 2), A + THR, 1, B + LSR, DR, 2 * BYTE);
    CHECK_AT(setup(BITS_8, FCR_ALL); divisor(A, 40);
             divisor(B, 40), A + THR, 1, B + LSR, DR, 40 * BYTE);
}

/* [8.3] */
CASE(divisor_has_two_bytes)
{
    setup(BITS_8, FCR_ALL);
    divisor(A, 0x1234);
    EXPECT(A[IER], 0);
    A[LCR] |= DLAB;
    EXPECT(A[DLL], 0x34);
    EXPECT(A[DLM], 0x12);
}

enum { TWO = BITS_8 | STOP_2, ONE_HALF = BITS_5 | STOP_2 };

/* [8.1] */
CASE(receiver_checks_the_first_stop_bit)
{
    CHECK_AT(setup(TWO, FCR_ALL), A + THR, 1, B + LSR, DR, BYTE);
}

/* [8.1] */
CASE(two_stop_bits_delay_the_next)
{
    CHECK_AT(loaded(TWO, 1), A + DLL, 1, A + LSR, TEMT, BYTE + BIT);
    CHECK_AT(loaded_after(TWO, 2, 15), A + DLL, 1, B + LSR, OE, 2 * BYTE + BIT);
}

/* [8.1] */
CASE(one_and_a_half_stop_bits)
{
    CHECK_AT(loaded(ONE_HALF, 1), A + DLL, 1, A + LSR, TEMT, 7 * BIT + 5);
    CHECK_AT(loaded_after(ONE_HALF, 2, 15), A + DLL, 1, B + LSR, OE,
             14 * BIT + 5);
}

/* [8.4] */
CASE(thre_when_the_fifo_is_empty)
{
    CHECK_AT(loaded(BITS_8, 2), A + DLL, 1, A + LSR, THRE, BYTE);
    CHECK_AT(loaded(BITS_8, 16), A + DLL, 1, A + LSR, THRE, 15 * BYTE);
}

/* [8.4] */
CASE(temt_when_the_shift_register_is_too)
{
    CHECK_AT(loaded(BITS_8, 2), A + DLL, 1, A + LSR, TEMT, 2 * BYTE);
    CHECK_AT(loaded(BITS_8, 16), A + DLL, 1, A + LSR, TEMT, 16 * BYTE);
}

/* [8.5] */
CASE(fifo_holds_16_beside_the_shift_register)
{
    setup(BITS_8, FCR_ALL);
    divisor(A, 40);
    divisor(B, 40);
    for (int i = 0; i < 18; i++)
        put(A, i);
    for (int i = 0; i < 17; i++) {
        while (!(B[LSR] & DR))
            ;
        EXPECT(B[RBR], i);
    }
    flush(A);
    EXPECT(B[LSR] & DR, 0);
}

/* [8.3] */
CASE(nothing_moves_without_a_divisor)
{
    loaded(BITS_8, 3);
    A[LCR] = BITS_8;
    wait_bytes(20);
    EXPECT(A[LSR] & (THRE | TEMT), 0);
    EXPECT(B[LSR] & DR, 0);
}

CASE(both_directions_at_once)
{
    setup(BITS_8, FCR_ALL);
    for (int i = 0; i < 16; i++) {
        put(A, i);
        put(B, 0x80 + i);
    }
    flush(A);
    flush(B);
    for (int i = 0; i < 16; i++) {
        EXPECT(B[RBR], i);
        EXPECT(A[RBR], 0x80 + i);
    }
    EXPECT(A[LSR], THRE | TEMT);
    EXPECT(B[LSR], THRE | TEMT);
}

CASE(pairs_are_1_2_and_3_4)
{
    for (int i = 1; i <= 4; i++) {
        reset_all();
        for (int j = 1; j <= 4; j++)
            uart[j][FCR] = FCR_ALL;
        send(uart[i], 0x15);
        for (int j = 1; j <= 4; j++)
            EXPECT(uart[j][LSR] & DR, j == ((i - 1) ^ 1) + 1);
    }
}
