/* From device tree to struct machine, in two passes: harts first. */
#include "kernel/machine.h"
#include "abi/uintr.h"
#include "kernel/fdt.h"
#include "kernel/log.h"
#include "kernel/panic.h"
#include "kernel/phys.h"

enum { IRQ_U_EXT = 8, IRQ_S_EXT_INTC = 9, FDT_LIMIT = 1 << 20 };

struct machine machine;

static bool starts_with(const char *s, const char *prefix)
{
    while (*prefix && *s == *prefix)
        s++, prefix++;
    return *prefix == 0;
}

static bool equals(const struct fdt_node *node, const char *property,
                   const char *text)
{
    uint32_t size;
    const char *value = fdt_property(node, property, &size);

    return value && size == strlen(text) + 1 && memcmp(value, text, size) == 0;
}

static bool contains(const char *text, uint32_t size, const char *word)
{
    uint32_t n = (uint32_t)strlen(word);

    for (uint32_t i = 0; i + n <= size; i++) {
        if (memcmp(text + i, word, n) == 0)
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

static void read_cpu(const struct fdt_node *node)
{
    uint64_t id, none;
    uint32_t size;
    const char *isa = fdt_property(node, "riscv,isa", &size);
    uint32_t address_cells = node->address_cells;

    if (!equals(node, "status", "okay") && fdt_property(node, "status", &size))
        return;
    if (!fdt_reg(node, 0, &id, &none) || address_cells == 0)
        return;
    if (machine.harts_found++ >= HARTS_MAX)
        return;
    machine.hart[machine.harts++] =
        (struct machine_hart){.id = id, .context_s = -1, .context_u = -1};
    if (!isa || !contains(isa, size, "sstc"))
        machine.sstc = false;
}

static void read_chosen(const struct fdt_node *node)
{
    uint32_t size;
    const char *args = fdt_property(node, "bootargs", &size);
    const void *start, *end;

    if (args && size > 0)
        memcpy(machine.bootargs, args, min(size, BOOT_ARGS_SIZE - 1u));
    start = fdt_property(node, "linux,initrd-start", &size);
    if (start && size >= 4)
        machine.archive = fdt_cells(start, min(size / 4, 2u));
    end = fdt_property(node, "linux,initrd-end", &size);
    if (end && size >= 4)
        machine.archive_end = fdt_cells(end, min(size / 4, 2u));
}

static void first_pass(const struct fdt_node *node, void *context)
{
    bool *in_reserved = context;
    uint64_t start, size;

    if (node->depth == 1)
        *in_reserved = strcmp(node->name, "reserved-memory") == 0;
    if (equals(node, "device_type", "memory")) {
        if (!machine.ram_end && fdt_reg(node, 0, &start, &size)) {
            machine.ram = start;
            machine.ram_end = start + size;
        }
    } else if (equals(node, "device_type", "cpu")) {
        read_cpu(node);
    } else if (starts_with(node->name, "interrupt-controller") &&
               fdt_compatible(node, "riscv,cpu-intc")) {
        if (machine.harts && machine.harts == machine.harts_found)
            machine.hart[machine.harts - 1].intc = fdt_u32(node, "phandle", 0);
    } else if (node->depth == 1 && strcmp(node->name, "cpus") == 0) {
        machine.timebase = fdt_u32(node, "timebase-frequency", 0);
    } else if (node->depth == 1 && strcmp(node->name, "chosen") == 0) {
        read_chosen(node);
    } else if (*in_reserved && node->depth == 2 &&
               fdt_reg(node, 0, &start, &size)) {
        reserve(start, start + size);
    }
}

/* Pair n of interrupts-extended is context n of the PLIC. */
static void read_plic(const struct fdt_node *node)
{
    uint32_t size;
    const uint8_t *pairs = fdt_property(node, "interrupts-extended", &size);

    fdt_reg(node, 0, &machine.plic, &machine.plic_size);
    machine.plic_sources =
        min(fdt_u32(node, "riscv,ndev", 0), SOURCES_MAX - 1u);
    for (uint32_t n = 0; pairs && (n + 1) * 8 <= size; n++) {
        uint32_t intc = (uint32_t)fdt_cells(pairs + n * 8, 1);
        uint32_t line = (uint32_t)fdt_cells(pairs + n * 8 + 4, 1);

        for (uint32_t h = 0; h < machine.harts; h++) {
            if (machine.hart[h].intc != intc)
                continue;
            if (line == IRQ_S_EXT_INTC)
                machine.hart[h].context_s = (int32_t)n;
            else if (line == IRQ_U_EXT)
                machine.hart[h].context_u = (int32_t)n;
        }
    }
}

static bool is_infrastructure(const struct fdt_node *node)
{
    uint32_t size;

    return fdt_property(node, "interrupt-controller", &size) ||
           fdt_property(node, "device_type", &size) ||
           starts_with(node->name, "clint") ||
           fdt_compatible(node, "riscv,clint0");
}

static void second_pass(const struct fdt_node *node, void *context)
{
    struct boot_device *d = &machine.device[machine.device_count];
    uint32_t size;
    const char *compatible = fdt_property(node, "compatible", &size);
    uint64_t base, length;

    (void)context;
    if (fdt_compatible(node, "riscv,plic0") ||
        fdt_compatible(node, "sifive,plic-1.0.0")) {
        read_plic(node);
        return;
    }
    if (!compatible || is_infrastructure(node) ||
        !fdt_reg(node, 0, &base, &length) || length == 0)
        return;
    if (machine.device_count == BOOT_DEVICES_MAX) {
        log_print("machine: more than %u devices, %s left out\n",
                  BOOT_DEVICES_MAX, node->name);
        return;
    }
    memcpy(d->compatible, compatible, min(size, sizeof(d->compatible) - 1));
    d->base = base;
    d->size = length;
    d->source = fdt_u32(node, "interrupts", 0);
    if (d->source >= SOURCES_MAX)
        d->source = 0;
    d->clock = fdt_u32(node, "clock-frequency", 0);
    d->reg_shift = fdt_u32(node, "reg-shift", 0);
    machine.device_count++;
}

void machine_read(uint64_t physical)
{
    struct fdt fdt;
    bool in_reserved = false;

    machine.sstc = true;
    if (fdt_open(&fdt, phys_to_virt(physical), FDT_LIMIT) != OK)
        panic("device tree: none at 0x%lx, or its header is malformed",
              physical);
    reserve(physical, physical + fdt.total_size);
    if (fdt_walk(&fdt, first_pass, &in_reserved) != OK ||
        fdt_walk(&fdt, second_pass, NULL) != OK)
        panic("device tree: malformed structure block");
    if (machine.archive_end > machine.archive)
        reserve(machine.archive, machine.archive_end);
    if (machine.ram_end == 0)
        panic("device tree: no memory node");
    if (machine.harts == 0)
        panic("device tree: no cpu node");
    if (machine.timebase == 0)
        panic("device tree: /cpus has no timebase-frequency");
    if (machine.plic == 0)
        panic("device tree: no riscv,plic0 interrupt controller");
    for (uint32_t h = 0; h < machine.harts; h++) {
        if (machine.hart[h].context_s < 0)
            panic("device tree: the PLIC has no S context for hart %lu",
                  machine.hart[h].id);
    }
    if (machine.harts_found > machine.harts)
        log_print("machine: %u harts, the first %u are used\n",
                  machine.harts_found, machine.harts);
}
