/*
 * Finds the machine, asks how N is provided, runs the cases.
 */
#include "isa.h"
#include "abi/sbi_uinta.h"

enum { SBI_PROBE = 3, SBI_BASE = 0x10 };

int delivery;

/* One harmless CSR read, to find a machine without N before all else. */
static void need_n(void)
{
    struct ctx ctx = {0};

    code_begin();
    code_add(insn_csr(CSRRS, A0, CSR_USCRATCH, 0));
    code_end(MODE_S);
    ctx.pc = code_at(MODE_S);
    run(&ctx, MODE_S);
    begin("hart.has-n");
    check("scause of a read of uscratch", ctx.cause, EXC_BREAKPOINT);
    end();
    if (failed)
        finish();
}

int main(ulong hart, const void *dtb)
{
    machine_read(hart, dtb);
    paging_on();
    csr_write(CSR_SCOUNTEREN, 7);
    if (sbi_call(SBI_BASE, SBI_PROBE, SBI_EXT_UINTA, 0, 0) > 0)
        delivery = sbi_call(SBI_EXT_UINTA, SBI_UINTA_DELIVERY, 0, 0, 0);
    print(delivery == EMULATED ? "isa: N is emulated\n"
          : delivery == NATIVE ? "isa: N is native\n"
                               : "isa: no answer how N is provided\n");
    need_n();
    harts_park();
    csr_cases();
    trap_cases();
    pending_cases();
    exception_cases();
    device_cases();
    wait_cases();
    alias_cases();
    hart_cases();
    random_cases();
    count_cases();
    finish();
}
