/*
 * From device tree to struct machine. The tree is read by libfdt, which first
 * checks it as a whole; a node or property that is missing reads as nothing.
 */
#include "kernel/machine.h"
#include "abi/uintr.h"
#include "kernel/log.h"
#include "kernel/phys.h"
#include <libfdt.h>

/* interrupt lines of a hart's own controller [priv 3.1.9, N chapter] */
enum { LINE_S_SOFT = 1, LINE_U_EXT = 8, LINE_S_EXT = 9 };
enum { FDT_LIMIT = 1 << 20 };

struct machine machine;

static const void *fdt;

/* Big-endian number of 0, 1 or 2 cells. */
static uint64_t cells(const fdt32_t *at, int count)
{
    return count == 2 ? fdt64_ld((const fdt64_t *)at)
           : count    ? fdt32_ld(at)
                      : 0;
}

/* A property of one or two cells; none is 0. */
static uint64_t number(int node, const char *property)
{
    int size;
    const fdt32_t *at = fdt_getprop(fdt, node, property, &size);

    return at ? cells(at, min(size / 4, 2)) : 0;
}

/* First entry of "reg", bytes; false if there is none or it wraps around. */
static bool reg(int node, struct range *range)
{
    int parent = fdt_parent_offset(fdt, node), size;
    int a = fdt_address_cells(fdt, parent), s = fdt_size_cells(fdt, parent);
    const fdt32_t *at = fdt_getprop(fdt, node, "reg", &size);

    if (!at || a < 1 || a > 2 || s < 0 || s > 2 || size < (a + s) * 4)
        return false;
    range->start = cells(at, a);
    range->end = range->start + cells(at + a, s);
    return range->end >= range->start;
}

/* The property is this text. */
static bool equals(int node, const char *property, const char *text)
{
    return fdt_stringlist_search(fdt, node, property, text) == 0;
}

static void reserve(struct range range)
{
    if (machine.reserved_count == MACHINE_RESERVED_MAX)
        panic("device tree: more than %u reserved ranges",
              MACHINE_RESERVED_MAX);
    machine.reserved[machine.reserved_count++] = range;
}

static void read_memory(void)
{
    int memory = fdt_node_offset_by_prop_value(fdt, -1, "device_type", "memory",
                                               sizeof("memory"));
    int reserved = fdt_path_offset(fdt, "/reserved-memory"), node;
    struct range range;

    if (!reg(memory, &machine.ram) || machine.ram.end == machine.ram.start)
        panic("device tree: no memory node");
    if (reserved < 0)
        return;
    fdt_for_each_subnode(node, fdt, reserved) {
        if (reg(node, &range))
            reserve(range);
    }
}

static void read_cpu(int node)
{
    struct machine_hart h = {0};
    const char *isa = fdt_stringlist_get(fdt, node, "riscv,isa", 0, NULL);
    struct range id;

    if (!equals(node, "device_type", "cpu") || !reg(node, &id) ||
        (fdt_getprop(fdt, node, "status", NULL) &&
         !equals(node, "status", "okay")))
        return;
    h.id = id.start;
    machine.harts_found++;
    if (machine.harts == HARTS_MAX) {
        if (h.id != machine.boot_hart)
            return;
        machine.harts--; /* the one we run on takes the last place */
    }
    h.intc = fdt_get_phandle(
        fdt, fdt_subnode_offset(fdt, node, "interrupt-controller"));
    machine.hart[machine.harts++] = h;
    if (!isa || !strstr(isa, "sstc"))
        machine.sstc = false;
}

static void read_cpus(void)
{
    int cpus = fdt_path_offset(fdt, "/cpus"), node;

    machine.sstc = true;
    machine.timebase = number(cpus, "timebase-frequency");
    if (machine.timebase == 0)
        panic("device tree: /cpus has no timebase-frequency");
    fdt_for_each_subnode(node, fdt, cpus)
        read_cpu(node);
    if (machine.harts == 0)
        panic("device tree: no cpu node");
    if (machine.harts_found > machine.harts)
        log_print("machine: %u harts, the first %u are used\n",
                  machine.harts_found, machine.harts);
}

static void read_archive(void)
{
    int chosen = fdt_path_offset(fdt, "/chosen");

    machine.archive.start = number(chosen, "linux,initrd-start");
    machine.archive.end = number(chosen, "linux,initrd-end");
    if (machine.archive.end > machine.archive.start)
        reserve(machine.archive);
}

/*
 * Pair n of interrupts-extended is <controller line>: what is n of `node` for the
 * hart with this controller? -1: nothing.
 */
static int32_t pair(int node, uint32_t intc, uint32_t line)
{
    int size = 0;
    const fdt32_t *p = fdt_getprop(fdt, node, "interrupts-extended", &size);

    for (int n = 0; p && (n + 1) * 8 <= size; n++) {
        if (fdt32_ld(p + n * 2) == intc && fdt32_ld(p + n * 2 + 1) == line)
            return n;
    }
    return -1;
}

static void read_controllers(void)
{
    int plic = fdt_node_offset_by_compatible(fdt, -1, "riscv,plic0");
    int sswi = fdt_node_offset_by_compatible(fdt, -1, "riscv,aclint-sswi");
    uint32_t sources;

    if (plic < 0)
        plic = fdt_node_offset_by_compatible(fdt, -1, "sifive,plic-1.0.0");
    if (!reg(plic, &machine.plic))
        panic("device tree: no riscv,plic0 interrupt controller");
    reg(sswi, &machine.sswi); /* it need not be there */
    sources = (uint32_t)number(plic, "riscv,ndev");
    machine.plic_sources =
        min(sources ? sources : SOURCES_MAX, SOURCES_MAX - 1u);
    for (uint32_t i = 0; i < machine.harts; i++) {
        struct machine_hart *h = &machine.hart[i];

        h->context_s = pair(plic, h->intc, LINE_S_EXT);
        h->context_u = pair(plic, h->intc, LINE_U_EXT);
        if (pair(sswi, h->intc, LINE_S_SOFT) >= 0)
            h->sswi = (uint32_t *)phys_to_virt(machine.sswi.start) +
                      pair(sswi, h->intc, LINE_S_SOFT);
        if (h->context_s < 0)
            panic("device tree: the PLIC has no S context for hart %lu", h->id);
    }
}

void machine_read(uint64_t physical)
{
    fdt = phys_to_virt(physical);
    int error = fdt_check_full(fdt, FDT_LIMIT);
    if (error)
        panic("device tree: none at 0x%lx, or it is malformed (libfdt: %d)",
              physical, error);
    machine.tree = (struct range){physical, physical + fdt_totalsize(fdt)};
    reserve(machine.tree);
    read_memory();
    read_cpus();
    read_archive();
    read_controllers();
}
