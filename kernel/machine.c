/*
 * From device tree to struct machine. The tree is read by libfdt, which first
 * checks it as a whole; a node or property that is missing reads as nothing.
 */
#include "kernel/machine.h"
#include "abi/uintr.h"
#include "kernel/log.h"
#include "kernel/panic.h"
#include "kernel/phys.h"
#include <libfdt.h>

/* interrupt lines of a hart's own controller [priv 3.1.9, N chapter] */
enum { LINE_U_EXT = 8, LINE_S_EXT = 9 };
enum { FDT_LIMIT = 1 << 20 };

struct machine machine;

static const void *fdt;

/* Big-endian number of `count` 32-bit cells. */
static uint64_t cells(const fdt32_t *at, int count)
{
    uint64_t value = 0;

    for (int i = 0; i < count; i++)
        value = value << 32 | fdt32_ld(at + i);
    return value;
}

/* The first `count` cells of a property, or as many as it has; none is 0. */
static uint64_t number(int node, const char *property, int count)
{
    int size;
    const fdt32_t *at = fdt_getprop(fdt, node, property, &size);

    return at ? cells(at, min(size / 4, count)) : 0;
}

static int cell_count(int parent, const char *property, int otherwise)
{
    return fdt_getprop(fdt, parent, property, NULL)
               ? (int)number(parent, property, 1)
               : otherwise;
}

/* First entry of "reg", bytes; false if there is none or it wraps around. */
static bool reg(int node, uint64_t *start, uint64_t *length)
{
    int parent = fdt_parent_offset(fdt, node), size;
    int a = cell_count(parent, "#address-cells", 2);
    int s = cell_count(parent, "#size-cells", 1);
    const fdt32_t *at = fdt_getprop(fdt, node, "reg", &size);

    if (!at || a < 1 || a > 2 || s < 0 || s > 2 || size < (a + s) * 4)
        return false;
    *start = cells(at, a);
    *length = cells(at + a, s);
    return *start + *length >= *start;
}

static bool equals(int node, const char *property, const char *text)
{
    int size;
    const char *value = fdt_getprop(fdt, node, property, &size);

    return value && (size_t)size == strlen(text) + 1 &&
           memcmp(value, text, (size_t)size) == 0;
}

static bool has_extension(int cpu, const char *name)
{
    int size, n = (int)strlen(name);
    const char *isa = fdt_getprop(fdt, cpu, "riscv,isa", &size);

    for (int i = 0; isa && i + n <= size; i++) {
        if (memcmp(isa + i, name, (size_t)n) == 0)
            return true;
    }
    return false;
}

static void reserve(uint64_t start, uint64_t end)
{
    if (machine.reserved_count == MACHINE_RESERVED_MAX)
        panic("device tree: more than %u reserved ranges",
              MACHINE_RESERVED_MAX);
    machine.reserved[machine.reserved_count].start = start;
    machine.reserved[machine.reserved_count++].end = end;
}

static void read_memory(void)
{
    int memory = fdt_node_offset_by_prop_value(fdt, -1, "device_type", "memory",
                                               sizeof("memory"));
    int reserved = fdt_path_offset(fdt, "/reserved-memory"), node;
    uint64_t start, size;

    if (!reg(memory, &machine.ram, &size) || size == 0)
        panic("device tree: no memory node");
    machine.ram_end = machine.ram + size;
    if (reserved < 0)
        return;
    fdt_for_each_subnode(node, fdt, reserved) {
        if (reg(node, &start, &size))
            reserve(start, start + size);
    }
}

static void read_cpu(int node)
{
    struct machine_hart h = {.context_s = -1, .context_u = -1};
    uint64_t none;

    if (!equals(node, "device_type", "cpu") || !reg(node, &h.id, &none) ||
        (fdt_getprop(fdt, node, "status", NULL) &&
         !equals(node, "status", "okay")))
        return;
    machine.harts_found++;
    if (machine.harts == HARTS_MAX) {
        if (h.id != machine.boot_hart)
            return;
        machine.harts--; /* the one we run on takes the last place */
    }
    h.intc = fdt_get_phandle(
        fdt, fdt_subnode_offset(fdt, node, "interrupt-controller"));
    machine.hart[machine.harts++] = h;
    if (!has_extension(node, "sstc"))
        machine.sstc = false;
}

static void read_cpus(void)
{
    int cpus = fdt_path_offset(fdt, "/cpus"), node;

    machine.sstc = true;
    machine.timebase = number(cpus, "timebase-frequency", 1);
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

static void read_chosen(void)
{
    int chosen = fdt_path_offset(fdt, "/chosen"), size;
    const char *args = fdt_getprop(fdt, chosen, "bootargs", &size);

    if (args)
        memcpy(machine.bootargs, args,
               (size_t)min(size, (int)BOOT_ARGS_SIZE - 1));
    machine.archive = number(chosen, "linux,initrd-start", 2);
    machine.archive_end = number(chosen, "linux,initrd-end", 2);
    if (machine.archive_end > machine.archive)
        reserve(machine.archive, machine.archive_end);
}

/* Pair n of interrupts-extended, <controller line>, is context n. */
static void read_plic(void)
{
    int node = fdt_node_offset_by_compatible(fdt, -1, "riscv,plic0"), size;
    const fdt32_t *pairs;

    if (node < 0)
        node = fdt_node_offset_by_compatible(fdt, -1, "sifive,plic-1.0.0");
    if (!reg(node, &machine.plic, &machine.plic_size))
        panic("device tree: no riscv,plic0 interrupt controller");
    machine.plic_sources =
        min((uint32_t)number(node, "riscv,ndev", 1), SOURCES_MAX - 1u);
    pairs = fdt_getprop(fdt, node, "interrupts-extended", &size);
    for (int n = 0; pairs && (n + 1) * 8 <= size; n++) {
        uint32_t line = fdt32_ld(pairs + n * 2 + 1);

        for (uint32_t i = 0; i < machine.harts; i++) {
            struct machine_hart *h = &machine.hart[i];

            if (h->intc == fdt32_ld(pairs + n * 2) && line == LINE_S_EXT)
                h->context_s = n;
            else if (h->intc == fdt32_ld(pairs + n * 2) && line == LINE_U_EXT)
                h->context_u = n;
        }
    }
    for (uint32_t i = 0; i < machine.harts; i++) {
        if (machine.hart[i].context_s < 0)
            panic("device tree: the PLIC has no S context for hart %lu",
                  machine.hart[i].id);
    }
}

static bool is_infrastructure(int node)
{
    return fdt_getprop(fdt, node, "interrupt-controller", NULL) ||
           fdt_getprop(fdt, node, "device_type", NULL) ||
           !fdt_node_check_compatible(fdt, node, "riscv,clint0") ||
           !fdt_node_check_compatible(fdt, node, "sifive,clint0");
}

static void read_device(int node)
{
    struct boot_device d = {0};
    int size;
    const char *names = fdt_getprop(fdt, node, "compatible", &size);

    if (!names || is_infrastructure(node) || !reg(node, &d.base, &d.size) ||
        d.size == 0)
        return;
    if (machine.device_count == BOOT_DEVICES_MAX) {
        log_print("machine: more than %u devices, %s left out\n",
                  BOOT_DEVICES_MAX, fdt_get_name(fdt, node, NULL));
        return;
    }
    memcpy(d.compatible, names, min((size_t)size, sizeof(d.compatible) - 1));
    d.source = (uint32_t)number(node, "interrupts", 1);
    if (d.source >= SOURCES_MAX)
        d.source = 0;
    d.clock = (uint32_t)number(node, "clock-frequency", 1);
    d.reg_shift = (uint32_t)number(node, "reg-shift", 1);
    machine.device[machine.device_count++] = d;
}

void machine_read(uint64_t physical)
{
    fdt = phys_to_virt(physical);
    int error = fdt_check_full(fdt, FDT_LIMIT);
    if (error)
        panic("device tree: none at 0x%lx, or it is malformed (libfdt: %d)",
              physical, error);
    reserve(physical, physical + fdt_totalsize(fdt));
    read_memory();
    read_cpus();
    read_chosen();
    read_plic();
    for (int node = 0; node >= 0; node = fdt_next_node(fdt, node, NULL))
        read_device(node);
}
