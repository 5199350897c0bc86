/*
 * A UART driver inside the kernel: the baseline of `make bench BENCH=uart`,
 * mode=kernel. Only build/kernel/kernel-bench.elf has it, and that is the
 * kernel's own objects and this folder: the linker leads their calls of
 * plic_claim() here (--wrap), and the system call table to the one below.
 *
 * It is what a good interrupt-driven driver of a monolithic kernel is: a
 * software ring each way, the FIFO's trigger level instead of a look at LSR
 * before each byte, 8 bytes moved by 8 loads, readers and writers woken for
 * many bytes at a time. Flow control none, v1, v2 and v3, each a straight
 * version of its own (device.c), and sessions: docs/design/uart.md says what they
 * are. It shares no code with user/lib/uart. v3 has no message about what has
 * arrived: that is for drivers that are killed, and this one lives as long as
 * its peer, which is in the same image.
 *
 * Kernel lock held everywhere, as in all of the kernel. One process a port.
 */
#include "abi/uintr.h"
#include "gen/syscall_table.h"
#include "kernel/bench/port.h"
#include "kernel/memory.h"
#include "kernel/offsets.h"
#include "kernel/phys.h"
#include "kernel/process.h"
#include "kernel/sched.h"

enum { PIECE = 1024 }; /* bytes */

static struct port ports[PORTS];

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
        port_serve[p->flow](p);
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

static int64_t sys_uart_open(uint64_t hi, uint64_t hm, uint64_t hd,
                             uint64_t config)
{
    HANDLE(struct irq, irq, hi, OBJECT_IRQ, R_ATTACH);
    HANDLE(struct memory, registers, hm, OBJECT_MEMORY, R_READ | R_WRITE);
    HANDLE(struct doorbell, bell, hd, OBJECT_DOORBELL, R_RING);
    struct port *p = ports;

    if (!(uint16_t)config || config >> 16 >= FLOWS)
        return E_RANGE;
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
    p->in.bytes = p->bytes[0];
    p->out.bytes = p->bytes[1];
    p->flow = config >> 16;
    port_start(p, (uint16_t)config);
    return OK;
}

/*
 * To copy some KiB takes longer than what may be on the wire takes to come, and
 * interrupts are off here. So the device is looked at after each PIECE.
 */
static uint64_t piece(uint64_t left, uint64_t index)
{
    uint64_t n = min(left, PIECE);

    return min(n, RING - (index & (RING - 1)));
}

static int64_t sys_uart_read(uint64_t to, uint64_t n)
{
    struct port *p = mine();
    uint64_t done = 0;

    if (!p)
        return E_STATE;
    n = min(n, content(&p->in));
    for (uint64_t now; done < n; done += now) {
        now = piece(n - done, p->in.tail);
        TRY(copy_to_user(to + done, at(&p->in, p->in.tail), now));
        p->in.tail += now;
        if (now == PIECE)
            port_serve[p->flow](p);
    }
    if (RING - content(&p->in) >= RING / 2)
        port_receive(p);
    return (int64_t)n;
}

static int64_t sys_uart_write(uint64_t from, uint64_t n)
{
    struct port *p = mine();
    uint64_t done = 0;

    if (!p)
        return E_STATE;
    n = min(n, RING - content(&p->out));
    for (uint64_t now; done < n; done += now) {
        now = piece(n - done, p->out.head);
        TRY(copy_from_user(at(&p->out, p->out.head), from + done, now));
        p->out.head += now;
        if (now == PIECE)
            port_serve[p->flow](p);
    }
    port_send(p);
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
    uint64_t ahead =
        p->flow == FLOW_V3 && p->session == SESSION_UP ? p->on_way : 0;
    switch (which) {
    case IN:
        return (int64_t)p->in.head;
    case OUT:
        return (int64_t)(p->out.tail + ahead);
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
