/*
 * The few facts the program needs, from the flattened device tree [dtspec 5]:
 * harts, timebase, the RTC, and which PLIC context is whose U context.
 */
#include "isa.h"

enum { FDT_BEGIN = 1, FDT_END_NODE, FDT_PROP, FDT_NOP, FDT_END = 9 };
enum { IRQ_U_EXT = 8, IRQ_S_EXT = 9, DEPTH_MAX = 16, PHANDLES_MAX = 16 };

struct machine machine;

/* One node while it is being read; its properties, if they were there. */
struct node {
    const char *compatible;
    ulong base;
    uint32_t reg, phandle, interrupt, extended_count;
    const uint32_t *extended;
    bool is_cpu;
};

static struct {
    uint32_t phandle, hart;
} cpu_intc[PHANDLES_MAX];
static unsigned cpu_intcs;
static const uint32_t *plic_cells;
static uint32_t plic_cell_count;

static uint32_t be32(const void *p)
{
    const uint8_t *b = p;

    return (uint32_t)b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3];
}

static bool same(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

static void property(struct node *n, const char *name, const void *value,
                     uint32_t size)
{
    if (same(name, "compatible"))
        n->compatible = value;
    else if (same(name, "device_type"))
        n->is_cpu = same(value, "cpu");
    else if (same(name, "phandle"))
        n->phandle = be32(value);
    else if (same(name, "interrupts"))
        n->interrupt = be32(value);
    else if (same(name, "timebase-frequency"))
        machine.timebase = be32(value);
    else if (same(name, "reg") && size >= 4) {
        n->reg = be32(value);
        if (size >= 8)
            n->base = (ulong)be32(value) << 32 | be32((const char *)value + 4);
    } else if (same(name, "interrupts-extended")) {
        n->extended = value;
        n->extended_count = size / 4;
    }
}

static void node_done(const struct node *n, const struct node *parent)
{
    if (n->is_cpu)
        machine.harts++;
    if (!n->compatible)
        return;
    if (same(n->compatible, "riscv,cpu-intc") && cpu_intcs < PHANDLES_MAX) {
        cpu_intc[cpu_intcs].phandle = n->phandle;
        cpu_intc[cpu_intcs++].hart = parent->reg;
    } else if (same(n->compatible, "sifive,plic-1.0.0")) {
        machine.plic = n->base;
        plic_cells = n->extended;
        plic_cell_count = n->extended_count;
    } else if (same(n->compatible, "google,goldfish-rtc")) {
        machine.rtc = n->base;
        machine.rtc_source = n->interrupt;
    }
}

static void contexts_read(void)
{
    for (unsigned h = 0; h < 8; h++)
        machine.user_context[h] = machine.supervisor_context[h] = -1;
    for (uint32_t i = 0; i + 1 < plic_cell_count; i += 2)
        for (unsigned c = 0; c < cpu_intcs; c++) {
            unsigned hart = cpu_intc[c].hart;
            uint32_t irq = be32(plic_cells + i + 1);
            if (cpu_intc[c].phandle != be32(plic_cells + i) || hart >= 8)
                continue;
            if (irq == IRQ_U_EXT)
                machine.user_context[hart] = i / 2;
            else if (irq == IRQ_S_EXT)
                machine.supervisor_context[hart] = i / 2;
        }
}

void machine_read(const void *dtb)
{
    const char *base = dtb;
    const char *p = base + be32(base + 8), *strings = base + be32(base + 12);
    struct node stack[DEPTH_MAX];
    int depth = -1;

    for (;;) {
        uint32_t token = be32(p);
        p += 4;
        if (token == FDT_BEGIN && depth + 1 < DEPTH_MAX) {
            stack[++depth] = (struct node){0};
            while (*p++)
                ;
            p = (const char *)(((ulong)p + 3) & ~3UL);
        } else if (token == FDT_PROP) {
            uint32_t size = be32(p);
            property(&stack[depth], strings + be32(p + 4), p + 8, size);
            p += 8 + ((size + 3) & ~3U);
        } else if (token == FDT_END_NODE) {
            node_done(&stack[depth], depth ? &stack[depth - 1] : 0);
            depth--;
        } else if (token != FDT_NOP) {
            break;
        }
    }
    contexts_read();
}
