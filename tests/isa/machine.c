/* The few facts the program needs, from the device tree. */
#include "isa.h"
#include "tests/bare/fdt.h"

enum { U_EXTERNAL = 8, S_EXTERNAL = 9 };

struct machine machine;

/* First cell of a property; 0 if there is none. */
static uint32_t first_cell(const void *property)
{
    return property ? fdt_cell(property, 0) : 0;
}

void machine_read(ulong hart, const void *dtb)
{
    unsigned size;

    bare_dtb = dtb;
    machine = (struct machine){
        .harts = fdt_harts(),
        .boot_hart = hart,
        .plic = fdt_address("riscv,plic0", 0),
        .rtc = fdt_address("google,goldfish-rtc", 0),
        .rtc_source = first_cell(
            fdt_property("google,goldfish-rtc", 0, "interrupts", &size)),
        .timebase = first_cell(fdt_anywhere("timebase-frequency", &size)),
        .user_context = fdt_context(hart, U_EXTERNAL),
        .supervisor_context = fdt_context(hart, S_EXTERNAL),
    };
}
