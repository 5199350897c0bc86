/*
 * What a bad wire does, told to the harness, which made it bad: every byte
 * value both ways, alone and in a row, and how many came how.
 */
#include "uart.h"

enum { ROUNDS = 16, TEST = 0x100000, TEST_PASS = 0x5555 };
#define CONSOLE ((port *)0x10000000)

struct tally {
    unsigned sent, right, wrong, parity, framing, breaks, missing;
    uint32_t digest; /* FNV-1a over what came, errors included */
};

static void digest(struct tally *t, uint8_t byte)
{
    t->digest = (t->digest ^ byte) * 16777619;
}

/* LSR before RBR: the errors belong to the byte at the head. */
static void receive(port *u, struct tally *t, uint8_t expected)
{
    uint8_t lsr = u[LSR];

    if (!(lsr & DR)) {
        t->missing++;
        return;
    }
    uint8_t byte = u[RBR];
    t->parity += !!(lsr & PE);
    t->framing += !!(lsr & FE);
    t->breaks += !!(lsr & BI);
    *(byte == expected && !(lsr & (PE | FE | BI)) ? &t->right : &t->wrong) += 1;
    digest(t, byte);
    digest(t, lsr & (PE | FE | BI));
}

static struct tally wire(port *from, port *to, uint8_t lcr)
{
    struct tally t = {.digest = 2166136261u};

    setup(lcr, FCR_ALL);
    for (unsigned i = 0; i < ROUNDS * 256; i++) {
        put(from, i);
        if (i % 4 == 3) { /* four in a row */
            flush(from);
            wait_bytes(2);
            for (unsigned j = i - 3; j <= i; j++)
                receive(to, &t, j);
            to[FCR] = FCR_ON | FCR_RX;
        }
        t.sent++;
    }
    return t;
}

static void show(const char *name, struct tally t)
{
    const struct {
        const char *name;
        unsigned value;
    } columns[] = {{"sent", t.sent},       {"right", t.right},
                   {"wrong", t.wrong},     {"parity", t.parity},
                   {"framing", t.framing}, {"breaks", t.breaks},
                   {"missing", t.missing}, {"digest", t.digest}};

    bare_print("wire %s", name);
    for (unsigned i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
        bare_print(" %s=%u", columns[i].name, columns[i].value);
    bare_print("\n");
}

static void show_lines(void)
{
    bare_print("lines 1=%x 2=%x\n", A[MSR], B[MSR]);
}

_Noreturn void wire_report(bool change)
{
    show("1-2", wire(A, B, BITS_8));
    show("1-2-even", wire(A, B, BITS_8 | PARITY | EVEN));
    show("2-1", wire(B, A, BITS_8));
    A[MCR] = RTS | DTR;
    B[MCR] = RTS | DTR;
    show_lines();
    if (change) {
        for (int i = 0; i < 4; i++)
            put(A, i);
        wait_bytes(8); /* they arrive before the change, looked at or not */
        bare_print("change it\n");
        while (!(CONSOLE[LSR] & DR))
            ;
        unsigned arrived = 0;
        for (; B[LSR] & DR; arrived++)
            (void)B[RBR];
        bare_print("arrived %u\n", arrived);
        show_lines();
        show("changed", wire(A, B, BITS_8));
    }
    write32(TEST, TEST_PASS);
    for (;;)
        ;
}
