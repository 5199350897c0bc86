/*
 * A UART driver inside the kernel: the baseline of `make bench BENCH=uart`,
 * mode=kernel. Only build/kernel/kernel-bench.elf has it, and that is the
 * kernel's own objects and this file: the linker leads their calls of
 * plic_claim() here (--wrap), and the system call table to the one below.
 *
 * It is what a good interrupt-driven driver of a monolithic kernel is: a
 * software ring each way, the FIFO's trigger level instead of a look at LSR
 * before each byte, 8 bytes moved by 8 loads, readers and writers woken for
 * many bytes at a time. Flow control as in user/lib/uart. v1: the receiver
 * pulses RTS when it has taken a batch, the sender sends one for each pulse.
 * v2: the receiver toggles RTS for each 8 bytes that it has taken, the sender
 * has at most 16 on their way and counts the edges of CTS. v3: the same, and
 * whoever serves what came looks for credit, too; without sessions, which
 * are for drivers that die.
 *
 * Kernel lock held everywhere, as in all of the kernel. One process a port.
 */
#include "abi/uintr.h"
#include "gen/syscall_table.h"
#include "kernel/irq.h"
#include "kernel/memory.h"
#include "kernel/notification.h"
#include "kernel/offsets.h"
#include "kernel/phys.h"
#include "kernel/process.h"
#include "kernel/sched.h"

/* Registers and bits [16550 table II, 8.1 .. 8.9]. */
enum { DATA, IER, IIR, LCR, MCR, LSR, MSR, FCR = IIR };
enum { IER_RECEIVED = 1, IER_EMPTY = 2, IER_MODEM = 8 };
enum { IIR_MODEM = 0, IIR_NONE = 1, IIR_EMPTY = 2, IIR_RECEIVED = 4 };
enum { IIR_TIMEOUT = 12, IIR_CAUSE = 15 };
enum { FCR_ON_CLEAR_TRIGGER_8 = 0x87, LCR_8N1 = 3, LCR_DIVISOR = 0x80 };
enum { LSR_READY = 1, LSR_OVERRUN = 2, LSR_PARITY = 4, LSR_FRAMING = 8 };
enum { LSR_SEND_EMPTY = 0x20, LSR_ALL_SENT = 0x40 };
enum { MCR_DTR = 1, MCR_RTS = 2, MSR_CTS_DELTA = 1 };
enum { MSR_CTS = 0x10 };

/* What sys_uart_count() tells; the first COUNTED are in port.count[]. */
enum { OVERRUNS, PARITY, FRAMING, BELLS, FULL, COUNTED, IN = COUNTED, OUT };
enum { SERVED = OUT + 1 };

/* As user/bench/uart/kernel_uart.h has them. */
enum flow { FLOW_NONE, FLOW_V1, FLOW_V2, FLOW_V3 };

/* Made anew for each flow control: an interrupt runs one straight function. */
#define FOR_FLOW inline __attribute__((always_inline))

enum { FIFO = 16, BATCH = 8, RING = 16384, PORTS = 2 };

/* Indices count up for ever; `out` is filled by writers, `in` by the device. */
struct ring {
    uint64_t head, tail;
    unsigned char bytes[RING];
};

static struct port {
    struct irq *irq;
    struct doorbell *bell; /* while irq->bell is this, the port is open */
    volatile uint8_t *reg;
    struct ring in, out;
    uint64_t want_in, want_out; /* ring when so many can be moved */
    enum flow flow;
    bool pulse; /* v1: a batch may be sent */
    uint8_t ier, mcr, cts;
    uint32_t on_way; /* sent, and not yet told that they were taken */
    uint32_t taken;  /* since RTS was toggled */
    uint64_t count[COUNTED];
} ports[PORTS];

static uint64_t content(const struct ring *r)
{
    return r->head - r->tail;
}

static unsigned char *at(struct ring *r, uint64_t index)
{
    return &r->bytes[index & (RING - 1)];
}

static void set_ier(struct port *p, uint8_t ier)
{
    if (p->ier != ier)
        p->reg[IER] = p->ier = ier;
}

/*
 * n bytes from the ring to the FIFO, n <= FIFO. A ring's end is a multiple of
 * BATCH, but the ring's content need not begin at one.
 */
static FOR_FLOW void transmit(struct port *p, uint64_t n)
{
    volatile uint8_t *data = &p->reg[DATA];
    const unsigned char *from = at(&p->out, p->out.tail);

    p->out.tail += n;
    if ((uint64_t)(from - p->out.bytes) + n <= RING) {
        for (; n >= BATCH; n -= BATCH, from += BATCH) {
#pragma GCC unroll 8
            for (int i = 0; i < BATCH; i++)
                *data = from[i];
        }
    }
    for (; n > 0; n--) {
        *data = *from++;
        if (from == p->out.bytes + RING)
            from = p->out.bytes;
    }
}

/* Reading LSR clears its errors, so whoever reads it counts them. */
static uint8_t line_status(struct port *p)
{
    uint8_t lsr = p->reg[LSR];

    if (lsr & (LSR_OVERRUN | LSR_PARITY | LSR_FRAMING)) {
        p->count[OVERRUNS] += !!(lsr & LSR_OVERRUN);
        p->count[PARITY] += !!(lsr & LSR_PARITY);
        p->count[FRAMING] += !!(lsr & LSR_FRAMING);
    }
    return lsr;
}

/*
 * Has all of the last batch arrived, and is CTS up? Else an interrupt comes
 * that asks again. Pulses until now count for nothing: the next one says that
 * the receiver has emptied its FIFO, but for what is sent now.
 */
static COLD bool silent(struct port *p)
{
    uint8_t lsr = line_status(p);

    if (!(lsr & LSR_SEND_EMPTY)) {
        set_ier(p, p->ier | IER_EMPTY);
        return false;
    }
    while (!(lsr & LSR_ALL_SENT)) /* the last character */
        lsr = line_status(p);
    return p->reg[MSR] & MSR_CTS;
}

static COLD void send_batch(struct port *p)
{
    uint64_t n = min(content(&p->out), BATCH);

    set_ier(p, p->ier & ~IER_EMPTY);
    if (n && p->pulse && silent(p)) {
        p->pulse = false;
        transmit(p, n);
    }
}

/* The transmit FIFO is empty, or `room` of the peer's is ours to fill. */
static FOR_FLOW void send(struct port *p, enum flow flow)
{
    uint64_t n = content(&p->out);

    if (flow == FLOW_V1)
        return send_batch(p);
    n = min(n, flow ? FIFO - p->on_way : FIFO);
    if (n) {
        transmit(p, n);
        p->on_way += flow ? n : 0;
    }
    /* With flow control an edge of CTS says when to go on. */
    if (!flow)
        set_ier(p, n ? p->ier | IER_EMPTY : p->ier & ~IER_EMPTY);
}

/* v2, v3: tell the sender for each BATCH that was taken from the FIFO. */
static FOR_FLOW void took(struct port *p, uint32_t n, enum flow flow)
{
    for (p->taken += n; flow >= FLOW_V2 && p->taken >= BATCH; p->taken -= BATCH)
        p->reg[MCR] = p->mcr ^= MCR_RTS;
}

/* There is a batch in the FIFO, as the trigger level says. */
static FOR_FLOW void receive_batch(struct port *p, enum flow flow)
{
    volatile uint8_t *data = &p->reg[DATA];
    struct ring *r = &p->in;
    unsigned char *to = at(r, r->head);

    line_status(p);
    if (to + BATCH <= r->bytes + RING) {
#pragma GCC unroll 8
        for (int i = 0; i < BATCH; i++)
            to[i] = *data;
    } else {
        for (int i = 0; i < BATCH; i++)
            *at(r, r->head + i) = *data;
    }
    r->head += BATCH;
    took(p, BATCH, flow);
}

/* Fewer than a batch, and then silence: byte by byte. */
static FOR_FLOW void receive_rest(struct port *p, enum flow flow)
{
    while (line_status(p) & LSR_READY) {
        *at(&p->in, p->in.head++) = p->reg[DATA];
        took(p, 1, flow);
    }
}

/* v1: the next batch may come when the FIFO is empty, and RTS was down. */
static COLD void end_batch(struct port *p)
{
    p->reg[MCR] = p->mcr &= ~MCR_RTS;
    receive_rest(p, FLOW_V1);
    p->reg[MCR] = p->mcr |= MCR_RTS;
}

/* Two edges between two looks show as a delta without a change. */
static FOR_FLOW void modem(struct port *p, enum flow flow)
{
    uint8_t msr = p->reg[MSR];

    if (!(msr & MSR_CTS_DELTA))
        return;
    if (flow == FLOW_V1) {
        p->pulse |= msr & MSR_CTS;
        return send(p, flow);
    }
    uint32_t edges = (msr ^ p->cts) & MSR_CTS ? 1 : 2;
    p->cts = msr & MSR_CTS;
    p->on_way -= min(p->on_way, edges * BATCH);
    send(p, flow);
}

/* Ring once if somebody waits for what there is now. */
static FOR_FLOW void wake(struct port *p)
{
    if ((p->want_in && content(&p->in) >= p->want_in) ||
        (p->want_out && RING - content(&p->out) >= p->want_out)) {
        p->want_in = p->want_out = 0;
        p->count[BELLS]++;
        doorbell_ring(p->bell);
    }
}

/* Something has been taken from the FIFO, or there is no room for it. */
static FOR_FLOW void received(struct port *p, enum flow flow)
{
    if (flow == FLOW_V1 && p->ier & IER_RECEIVED)
        end_batch(p);
    if (flow == FLOW_V3)
        modem(p, flow); /* credit may have come: no round of its own for it */
}

static FOR_FLOW void serve_as(struct port *p, enum flow flow)
{
    for (;;) {
        uint8_t cause = p->reg[IIR] & IIR_CAUSE;

        if (cause == IIR_NONE)
            break;
        if ((cause == IIR_RECEIVED || cause == IIR_TIMEOUT) &&
            RING - content(&p->in) < FIFO) {
            set_ier(p, p->ier & ~IER_RECEIVED); /* until there is room */
            p->count[FULL]++;
        } else if (cause == IIR_RECEIVED)
            receive_batch(p, flow);
        else if (cause == IIR_TIMEOUT)
            receive_rest(p, flow);
        else if (cause == IIR_EMPTY)
            send(p, flow);
        else if (cause == IIR_MODEM)
            modem(p, flow);
        else
            line_status(p);
        if (cause == IIR_RECEIVED || cause == IIR_TIMEOUT)
            received(p, flow);
    }
    wake(p);
}

/* A straight version of each, as the drivers in user space have them. */
static void serve(struct port *p)
{
    if (p->flow == FLOW_V1)
        serve_as(p, FLOW_V1);
    else if (p->flow == FLOW_V2)
        serve_as(p, FLOW_V2);
    else if (p->flow == FLOW_V3)
        serve_as(p, FLOW_V3);
    else
        serve_as(p, FLOW_NONE);
}

static bool is_open(const struct port *p)
{
    return p->bell && p->irq->bell == p->bell;
}

uint32_t __real_plic_claim(const struct plic_context *context);
uint32_t __wrap_plic_claim(const struct plic_context *context);

/*
 * What an idle hart does in an interrupt counts as idle: the kernel does
 * little there. This driver does all its work there, so it takes its time off.
 */
static void account(uint64_t since)
{
    if (this_hart->idle_since)
        this_hart->idle_since += rdtime() - since;
}

/* In place of plic_claim(): what is ours is served, and not told of. */
uint32_t __wrap_plic_claim(const struct plic_context *context)
{
    for (;;) {
        uint64_t since = rdtime();
        uint32_t source = __real_plic_claim(context);
        struct port *p = ports;

        while (p < ports + PORTS && !(is_open(p) && p->irq->source == source))
            p++;
        if (!source || p == ports + PORTS)
            return source;
        serve(p);
        p->irq->kernel_count++;
        plic_complete(context, source);
        account(since);
    }
}

/* ---- system calls, see user/bench/uart/kernel_uart.h ------------------ */

static struct port *mine(void)
{
    for (struct port *p = ports; p < ports + PORTS; p++)
        if (is_open(p) && p->irq->owner == current_process())
            return p;
    return NULL;
}

static void start(struct port *p, uint16_t divisor)
{
    p->reg[IER] = 0;
    p->reg[LCR] = LCR_DIVISOR;
    p->reg[DATA] = divisor & 0xff;
    p->reg[IER] = divisor >> 8;
    p->reg[LCR] = LCR_8N1;
    p->reg[FCR] = FCR_ON_CLEAR_TRIGGER_8;
    p->mcr = MCR_DTR | (p->flow == FLOW_V1 ? MCR_RTS : 0);
    p->reg[MCR] = p->mcr;
    p->cts = p->reg[MSR] & MSR_CTS;
    p->pulse = p->cts; /* the other end was here first */
    set_ier(p, IER_RECEIVED | (p->flow ? IER_MODEM : 0));
}

static int64_t sys_uart_open(uint64_t hi, uint64_t hm, uint64_t hd,
                             uint64_t config)
{
    HANDLE(struct irq, irq, hi, OBJECT_IRQ, R_ATTACH);
    HANDLE(struct memory, registers, hm, OBJECT_MEMORY, R_READ | R_WRITE);
    HANDLE(struct doorbell, bell, hd, OBJECT_DOORBELL, R_RING);
    struct port *p = ports;

    while (p < ports + PORTS && is_open(p))
        p++;
    if (p == ports + PORTS)
        return E_LIMIT;
    if (registers->object.type != OBJECT_MEMORY || registers->owned)
        return E_TYPE;
    TRY(sys_irq_bind(hi, hd));
    uint64_t base = memory_page(registers, 0);
    space_kernel_map((struct range){base, base + PAGE_SIZE});
    memset(p, 0, sizeof(*p));
    p->irq = irq;
    p->bell = bell;
    p->reg = phys_to_virt(base);
    p->flow = config >> 16 & 3;
    start(p, (uint16_t)config);
    return OK;
}

/* Content of a ring is at most two pieces; both to or from the user's bytes. */
static int64_t sys_uart_read(uint64_t to, uint64_t n)
{
    struct port *p = mine();

    if (!p)
        return E_STATE;
    n = min(n, content(&p->in));
    n = min(n, RING - (p->in.tail & (RING - 1)));
    TRY(copy_to_user(to, at(&p->in, p->in.tail), n));
    p->in.tail += n;
    if (!(p->ier & IER_RECEIVED) && RING - content(&p->in) >= RING / 2)
        set_ier(p, p->ier | IER_RECEIVED);
    return (int64_t)n;
}

static int64_t sys_uart_write(uint64_t from, uint64_t n)
{
    struct port *p = mine();

    if (!p)
        return E_STATE;
    n = min(n, RING - content(&p->out));
    n = min(n, RING - (p->out.head & (RING - 1)));
    TRY(copy_from_user(at(&p->out, p->out.head), from, n));
    p->out.head += n;
    if (p->flow ? p->on_way < FIFO : !(p->ier & IER_EMPTY)) {
        if (p->flow)
            send(p, p->flow);
        else
            set_ier(p, p->ier | IER_EMPTY);
    }
    return (int64_t)n;
}

static int64_t sys_uart_arm(uint64_t in, uint64_t out)
{
    struct port *p = mine();

    if (!p)
        return E_STATE;
    if ((in && content(&p->in) >= in) ||
        (out && RING - content(&p->out) >= out))
        return 1;
    p->want_in = in;
    p->want_out = out;
    return 0;
}

static int64_t sys_uart_count(uint64_t which)
{
    struct port *p = mine();

    if (!p)
        return E_STATE;
    switch (which) {
    case IN:
        return (int64_t)p->in.head;
    case OUT:
        return (int64_t)p->out.tail;
    case SERVED:
        return (int64_t)p->irq->kernel_count;
    default:
        return which < COUNTED ? (int64_t)p->count[which] : E_NOENT;
    }
}

int64_t sys_unknown(void);

enum { OPEN = 120, READ, WRITE, ARM, COUNT };
extern const syscall_fn __wrap_syscall_table[SYSCALL_SLOTS];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wcast-function-type"
#pragma GCC diagnostic ignored "-Woverride-init"
const syscall_fn __wrap_syscall_table[SYSCALL_SLOTS] = {
    [0 ... SYSCALL_SLOTS - 1] = (syscall_fn)sys_unknown,
    SYSCALL_TABLE[OPEN] = (syscall_fn)sys_uart_open,
    [READ] = (syscall_fn)sys_uart_read,
    [WRITE] = (syscall_fn)sys_uart_write,
    [ARM] = (syscall_fn)sys_uart_arm,
    [COUNT] = (syscall_fn)sys_uart_count};
#pragma GCC diagnostic pop
