/*
 * libfdt reads the tree, which the kernel has checked as a whole
 * (fdt_check_full). What a node says is not trusted: the kernel refuses
 * registers that are not a device's, and sources that there are not.
 */
#include "devices.h"

#include <libfdt.h>
#include <string.h>
#include <uinta/process.h>
#include "abi/errors.h"
#include "abi/layout.h"
#include "boot.h"
#include "gen/syscalls.h"

static const void *fdt;
static struct device_node devices[DEVICES_MAX];
static int device_count;

/* A property that ends with a NUL; NULL: there is none, or it does not. */
static const char *text(int node, const char *property)
{
    int size;
    const char *at = fdt_getprop(fdt, node, property, &size);
    return at && size > 0 && !at[size - 1] ? at : NULL;
}

/* The first cell of a property, 0 if there is none. */
static uint32_t number(int node, const char *property)
{
    int size;
    const fdt32_t *at = fdt_getprop(fdt, node, property, &size);
    return at && size >= 4 ? fdt32_ld(at) : 0;
}

static uint64_t cells(const fdt32_t *at, int count)
{
    uint64_t value = 0;
    for (int i = 0; i < count; i++)
        value = value << 32 | fdt32_ld(at + i);
    return value;
}

/* First entry of "reg": false if it is none that can be read. */
static bool registers(const fdt32_t *at, int size, struct device_node *d)
{
    int parent = fdt_parent_offset(fdt, d->node);
    int a = fdt_address_cells(fdt, parent), s = fdt_size_cells(fdt, parent);
    if (a < 1 || a > 2 || s < 1 || s > 2 || size < (a + s) * 4)
        return false;
    d->base = cells(at, a);
    d->size = cells(at + a, s);
    return d->size && d->base + (d->size - 1) >= d->base;
}

bool device_is(const struct device_node *device, const char *name)
{
    return !fdt_node_check_compatible(fdt, device->node, name);
}

/* Memory, harts and interrupt controllers are the kernel's and firmware's. */
static bool is_infrastructure(const struct device_node *d)
{
    return fdt_getprop(fdt, d->node, "interrupt-controller", NULL) ||
           fdt_getprop(fdt, d->node, "device_type", NULL) ||
           device_is(d, "riscv,clint0") || device_is(d, "sifive,clint0");
}

static void make_handles(struct device_node *d, const char *name,
                         handle_t system)
{
    uint64_t first = d->base & ~(PAGE_SIZE - 1);
    uint64_t last = (d->base + (d->size - 1)) | (PAGE_SIZE - 1);
    int64_t mmio = sys_system_device(system, first, last + 1 - first);
    int64_t irq =
        d->source ? sys_system_irq(system, d->source) : (int64_t)E_NOENT;
    if (mmio < 0)
        boot_log("device tree: %s: registers 0x%lx, size 0x%lx, refused: %s",
                 name, d->base, d->size, error_text(mmio));
    if (irq < 0 && d->source)
        boot_log("device tree: %s: interrupt %u refused: %s", name,
                 (unsigned)d->source, error_text(irq));
    d->mmio = mmio < 0 ? 0 : mmio;
    d->irq = irq < 0 ? 0 : irq;
}

static void read_node(int node, handle_t system)
{
    int size;
    struct device_node d = {.node = node};
    const char *name = fdt_get_name(fdt, node, NULL);
    const fdt32_t *reg = fdt_getprop(fdt, node, "reg", &size);
    if (!reg || !fdt_getprop(fdt, node, "compatible", NULL) ||
        is_infrastructure(&d))
        return;
    if (!registers(reg, size, &d)) {
        boot_log("device tree: %s: its reg cannot be read, left out", name);
        return;
    }
    if (device_count == DEVICES_MAX) {
        boot_log("device tree: more than %d devices, %s left out", DEVICES_MAX,
                 name);
        return;
    }
    d.source = number(node, "interrupts");
    d.clock = number(node, "clock-frequency");
    d.reg_shift = number(node, "reg-shift");
    make_handles(&d, name, system);
    if (d.mmio)
        devices[device_count++] = d;
}

void devices_read(const void *tree, handle_t system)
{
    fdt = tree;
    device_count = 0;
    for (int node = 0; node >= 0; node = fdt_next_node(fdt, node, NULL))
        read_node(node, system);
}

const struct device_node *device_nth(int n)
{
    return n < device_count ? &devices[n] : NULL;
}

const struct device_node *device_find(const char *name, int n)
{
    for (int i = 0; i < device_count; i++)
        if (device_is(&devices[i], name) && n-- == 0)
            return &devices[i];
    return NULL;
}

const struct device_node *device_console(void)
{
    const char *path = text(fdt_path_offset(fdt, "/chosen"), "stdout-path");
    if (!path)
        return device_find("ns16550a", 0);
    /* behind a colon stands the speed */
    int length = strcspn(path, ":");
    int node = fdt_path_offset_namelen(fdt, path, length);
    for (int i = 0; i < device_count; i++)
        if (devices[i].node == node && device_is(&devices[i], "ns16550a"))
            return &devices[i];
    boot_log("device tree: stdout-path '%.*s' is no ns16550a that there is: "
             "the first one is the console",
             length, path);
    return device_find("ns16550a", 0);
}

const char *device_bootargs(void)
{
    const char *args = text(fdt_path_offset(fdt, "/chosen"), "bootargs");
    return args ? args : "";
}
