/*
 * A writer of device trees, token by token, and QEMU's virt machine in small.
 * Nodes and properties with the name in `skipped` are left out.
 */
#ifndef FDT_BLOB_H
#define FDT_BLOB_H

#include <libfdt.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER = 40, RESERVATIONS = 16, STRUCTURE = HEADER + RESERVATIONS };
enum { MAX = 8192 };

/* The blob being written. */
static uint8_t structure[MAX], strings[MAX];
static uint32_t structure_size, strings_size;

static const char *skipped; /* name of nodes or properties left out */
static int skip_depth;
static uint32_t cpus;
static const char *stdout_path;
static uint32_t stdout_size; /* bytes */

static void cell(uint32_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        structure[structure_size++] = value >> shift;
}

static void bytes(const void *from, uint32_t n)
{
    memcpy(structure + structure_size, from, n);
    structure_size += n;
    while (structure_size % 4)
        structure[structure_size++] = 0;
}

static void begin(const char *name)
{
    if (skip_depth || (skipped && !strcmp(name, skipped))) {
        skip_depth++;
        return;
    }
    cell(FDT_BEGIN_NODE);
    bytes(name, strlen(name) + 1);
}

static void prop(const char *name, const void *value, uint32_t n)
{
    if (skip_depth || (skipped && !strcmp(name, skipped)))
        return;
    cell(FDT_PROP);
    cell(n);
    cell(strings_size);
    memcpy(strings + strings_size, name, strlen(name) + 1);
    strings_size += strlen(name) + 1;
    bytes(value, n);
}

static void prop_cells(const char *name, unsigned count, const uint32_t *values)
{
    uint8_t big[64];
    for (unsigned i = 0; i < 4 * count; i++)
        big[i] = values[i / 4] >> (24 - i % 4 * 8);
    prop(name, big, 4 * count);
}

#define CELLS(name, ...)                                    \
    prop_cells(name, sizeof((uint32_t[]){__VA_ARGS__}) / 4, \
               (uint32_t[]){__VA_ARGS__})

static void put32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = value >> (24 - 8 * i);
}

/* The finished blob on the heap, exactly *size bytes. */
static uint8_t *blob(uint32_t *size)
{
    *size = STRUCTURE + structure_size + strings_size;
    uint8_t *b = calloc(1, *size);
    put32(b, 0xd00dfeed);
    put32(b + 4, *size);
    put32(b + 8, STRUCTURE);
    put32(b + 12, STRUCTURE + structure_size);
    put32(b + 16, HEADER);
    put32(b + 20, 17);
    put32(b + 24, 16);
    put32(b + 32, strings_size);
    put32(b + 36, structure_size);
    memcpy(b + STRUCTURE, structure, structure_size);
    memcpy(b + STRUCTURE + structure_size, strings, strings_size);
    return b;
}

static int start(void **state)
{
    (void)state;
    structure_size = strings_size = 0;
    skipped = NULL;
    cpus = 2;
    stdout_path = "/soc/serial@10000000:115200n8";
    stdout_size = strlen(stdout_path) + 1;
    return 0;
}

static void end(void)
{
    if (skip_depth)
        skip_depth--;
    else
        cell(FDT_END_NODE);
}

/* QEMU's virt machine in small: two harts, what the kernel looks for. */
static void write_machine(void)
{
    begin("");
    CELLS("#address-cells", 2);
    CELLS("#size-cells", 2);
    begin("chosen");
    prop("bootargs", "run=/bin/ps", 12);
    prop("stdout-path", stdout_path, stdout_size);
    CELLS("linux,initrd-start", 0, 0x84000000);
    CELLS("linux,initrd-end", 0x84001234);
    end();
    begin("reserved-memory");
    CELLS("#address-cells", 2);
    CELLS("#size-cells", 2);
    begin("firmware@80000000");
    CELLS("reg", 0, 0x80000000, 0, 0x80000);
    end();
    end();
    begin("memory@80000000");
    prop("device_type", "memory", 7);
    CELLS("reg", 0, 0x80000000, 0, 0x8000000, 1, 0, 2, 3);
    end();
    begin("cpus");
    CELLS("#address-cells", 1);
    CELLS("#size-cells", 0);
    CELLS("timebase-frequency", 10000000);
    for (uint32_t i = 0; i < cpus; i++) {
        begin("cpu");
        prop("device_type", "cpu", 4);
        CELLS("reg", 3 + i);
        prop("status", "okay", 5);
        prop("riscv,isa", "rv64imac_sstc", 14);
        begin("interrupt-controller");
        prop("interrupt-controller", "", 0);
        CELLS("phandle", 100 + i);
        end();
        end();
    }
    end();
    begin("soc");
    CELLS("#address-cells", 2);
    CELLS("#size-cells", 2);
    begin("plic@c000000");
    prop("compatible", "sifive,plic-1.0.0\0riscv,plic0", 30);
    prop("interrupt-controller", "", 0);
    CELLS("reg", 0, 0xc000000, 0, 0x600000);
    CELLS("riscv,ndev", 96);
    CELLS("interrupts-extended", 100, 8, 100, 9, 101, 11, 101, 9);
    end();
    begin("clint@2000000");
    prop("compatible", "riscv,clint0", 13);
    CELLS("reg", 0, 0x2000000, 0, 0x10000);
    end();
    begin("serial@10010000");
    prop("compatible", "ns16550a", 9);
    CELLS("reg", 0, 0x10010000, 0, 0x100);
    CELLS("interrupts", 12);
    end();
    begin("serial@10000000");
    prop("compatible", "snps,dw-apb-uart\0ns16550a", 26);
    CELLS("reg", 0, 0x10000000, 0, 0x100);
    CELLS("interrupts", 10);
    CELLS("clock-frequency", 3686400);
    CELLS("reg-shift", 2);
    end();
    begin("odd@20000000");
    prop("compatible", "odd", 4);
    CELLS("reg", 0, 0x20000000, 0, 0x100);
    CELLS("interrupts", 4000, 5);
    end();
    begin("wraps");
    prop("compatible", "wraps", 6);
    CELLS("reg", 0xffffffff, 0, 2, 0);
    end();
    begin("short");
    prop("compatible", "short", 6);
    CELLS("reg", 0, 0x30000000, 0);
    end();
    begin("memory-in-disguise");
    prop("compatible", "odd", 4);
    CELLS("reg", 0, 0x80000000, 0, 0x1000);
    end();
    begin("no-registers");
    prop("compatible", "syscon-poweroff", 16);
    end();
    end();
    begin("strange");
    CELLS("#address-cells", 3);
    begin("child");
    prop("compatible", "child", 6);
    CELLS("reg", 1, 2, 3, 4);
    end();
    end();
    end();
    cell(FDT_END);
}

#endif
