/*
 * The three ways in which people brought external interrupts to the S-mode of
 * a K210, whose PLIC has no S contexts that work, in the order in which they
 * were tried. docs/design/relay.md tells what is wrong with the first two.
 *
 *   claim  M claims the source and hands it over in one word, with SSIP
 *   call   M runs S-mode's handler itself
 *   mask   M hands over with SSIP and masks MEIE; S claims
 *
 * The timer needs nothing here: OpenSBI sets STIP, masks MTIE, and gives MTIE
 * back with the next set_timer, which is the third way.
 */
#include <libfdt.h>
#include <sbi/riscv_asm.h>
#include <sbi/riscv_atomic.h>
#include <sbi/riscv_encoding.h>
#include <sbi/riscv_io.h>
#include <sbi/sbi_console.h>
#include <sbi/sbi_domain.h>
#include <sbi/sbi_error.h>
#include <sbi/sbi_hartmask.h>
#include <sbi/sbi_platform.h>
#include <sbi/sbi_scratch.h>
#include <sbi/sbi_string.h>
#include <sbi_utils/fdt/fdt_helper.h>

#include "abi/sbi_uinta.h"
#include "relay.h"

enum { PLIC_CONTEXT = 0x200000, PLIC_STRIDE = 0x1000, PLIC_CLAIM = 4 };
enum { COUNT_TAKEN, COUNT_LOST, COUNT_TRAPPED, COUNT_CAUSE, COUNTS };

#define CAUSE_INTERRUPT (1UL << 63)

/* What one hart's M-mode and S-mode pass each other. */
struct relay {
    ulong *word; /* claim, mask: S-mode's, what SSIP is for */
    ulong claim; /* claim: address of the claim register */
    ulong handler, argument;
    ulong calling; /* call: the handler runs */
    ulong count[COUNTS];
    struct relay_frame frame;
};

static const char *const names[] = {"none", "claim", "call", "mask"};
static ulong mode, state_offset;
static ulong claim_register[SBI_HARTMASK_MAX_BITS];

static struct relay *relay_here(void)
{
    return sbi_scratch_thishart_offset_ptr(state_offset);
}

ulong relay_mode(void)
{
    return mode;
}

/*
 * Pair n of interrupts-extended, <controller line>, is context n. M's line is
 * rewritten to S's: S-mode finds a context where it does on other machines.
 */
static int contexts_to_supervisor(void *fdt, int plic)
{
    uint64_t base, size;
    int bytes, found = 0;
    u32 hart;
    fdt32_t *cells =
        (fdt32_t *)fdt_getprop(fdt, plic, "interrupts-extended", &bytes);

    if (!cells || fdt_get_node_addr_size(fdt, plic, 0, &base, &size))
        return SBI_EINVAL;
    for (int i = 0; i + 1 < bytes / 4; i += 2) {
        int intc = fdt_node_offset_by_phandle(fdt, fdt32_to_cpu(cells[i]));

        if (fdt32_to_cpu(cells[i + 1]) == IRQ_S_EXT) {
            sbi_printf("uinta: a relay is asked for, but S-mode has PLIC "
                       "contexts\n");
            return SBI_EINVAL;
        }
        if (fdt32_to_cpu(cells[i + 1]) != IRQ_M_EXT || intc < 0 ||
            fdt_parse_hart_id(fdt, fdt_parent_offset(fdt, intc), &hart) ||
            hart >= SBI_HARTMASK_MAX_BITS)
            continue;
        claim_register[hart] =
            base + PLIC_CONTEXT + PLIC_STRIDE * (i / 2) + PLIC_CLAIM;
        cells[i + 1] = cpu_to_fdt32(IRQ_S_EXT);
        found++;
    }
    return found ? 0 : SBI_ENODEV;
}

int relay_init(void *fdt)
{
    const char *asked =
        fdt_getprop(fdt, fdt_path_offset(fdt, "/chosen"), "uinta,relay", NULL);
    int plic = fdt_node_offset_by_compatible(fdt, -1, "riscv,plic0");
    int error;

    if (!asked)
        return 0;
    for (mode = RELAY_CLAIM; mode <= RELAY_MASK; mode++)
        if (!sbi_strcmp(asked, names[mode]))
            break;
    if (mode > RELAY_MASK) {
        sbi_printf("uinta: unknown relay \"%s\"; known: claim call mask\n",
                   asked);
        return SBI_EINVAL;
    }
    state_offset = sbi_scratch_alloc_offset(sizeof(struct relay));
    if (!state_offset)
        return SBI_ENOMEM;
    error = contexts_to_supervisor(fdt, plic);
    if (error)
        sbi_printf("uinta: relay %s: the PLIC has no M contexts to relay\n",
                   asked);
    return error;
}

void relay_hart_init(void)
{
    struct relay *r = relay_here();

    sbi_memset(r, 0, sizeof(*r));
    r->claim = claim_register[current_hartid()];
    csr_clear(CSR_MIE, MIP_MEIP); /* until S-mode says that it is ready */
}

/*
 * Nothing keeps the next source from coming before S-mode has taken this one:
 * its interrupts may be off. Then the first is claimed, forgotten, and its
 * gateway waits for a completion that never comes. (On the K210 the word was
 * stval, which the SSIP trap itself overwrites [priv 4.1.9].)
 */
static void relay_claim(struct relay *r)
{
    ulong source = readl((void *)r->claim);

    if (!source)
        return;
    if (atomic_raw_xchg_ulong(r->word, source))
        r->count[COUNT_LOST]++;
    csr_set(CSR_MIP, MIP_SSIP);
}

static void relay_call_handler(struct relay *r)
{
    r->calling = 1;
    if (relay_call(r->handler, r->argument, &r->frame))
        csr_clear(CSR_MIE, MIP_MEIP);
    r->calling = 0;
}

static void relay_mask(struct relay *r)
{
    atomic_raw_xchg_ulong(r->word, 1);
    csr_clear(CSR_MIE, MIP_MEIP);
    csr_set(CSR_MIP, MIP_SSIP);
}

/* The trap that `regs` is about happened in a handler of S-mode's. */
static bool in_handler(const struct relay *r, const struct sbi_trap_regs *regs)
{
    return r->calling && (regs->mstatus & MSTATUS_MPP) == MSTATUS_MPP;
}

static void end_handler(struct relay *r, struct sbi_trap_regs *regs,
                        ulong cause)
{
    r->count[COUNT_TRAPPED]++;
    r->count[COUNT_CAUSE] = cause;
    regs->a0 = (ulong)&r->frame;
    regs->mepc = (ulong)relay_abandon;
}

void relay_after(struct sbi_trap_regs *regs, ulong pc)
{
    /* OpenSBI leaves an SBI call of M-mode with a bad pointer where it is */
    if (mode == RELAY_CALL && regs->mepc == pc &&
        in_handler(relay_here(), regs))
        end_handler(relay_here(), regs, CAUSE_MACHINE_ECALL);
}

bool relay_trap(struct sbi_trap_regs *regs, ulong cause)
{
    static void (*const relays[])(struct relay *) = {
        [RELAY_CLAIM] = relay_claim,
        [RELAY_CALL] = relay_call_handler,
        [RELAY_MASK] = relay_mask,
    };
    struct relay *r;

    if (mode == RELAY_NONE)
        return false;
    r = relay_here();
    if (cause == (CAUSE_INTERRUPT | IRQ_M_EXT)) {
        r->count[COUNT_TAKEN]++;
        relays[mode](r);
        return true;
    }
    /* M-mode has no interrupts on, and OpenSBI answers its own calls. */
    if (!in_handler(r, regs) || cause == CAUSE_MACHINE_ECALL)
        return false;
    end_handler(r, regs, cause);
    return true;
}

/* S-mode's word or handler: from now on external interrupts are relayed. */
static int set_receiver(struct relay *r, ulong address, ulong argument)
{
    const struct sbi_domain *domain = sbi_domain_thishart_ptr();

    csr_clear(CSR_MIE, MIP_MEIP);
    if ((address & (mode == RELAY_CALL ? 1 : sizeof(ulong) - 1)) ||
        !sbi_domain_check_addr(domain, address, PRV_S,
                               SBI_DOMAIN_READ | SBI_DOMAIN_WRITE))
        return SBI_EINVALID_ADDR;
    r->word = (ulong *)address;
    r->handler = address;
    r->argument = argument;
    if (address)
        csr_set(CSR_MIE, MIP_MEIP);
    return 0;
}

int relay_ecall(ulong function, const struct sbi_trap_regs *regs, ulong *out)
{
    struct relay *r;

    *out = mode;
    if (function == SBI_UINTA_RELAY)
        return 0;
    if (mode == RELAY_NONE)
        return SBI_ENOTSUPP;
    r = relay_here();
    switch (function) {
    case SBI_UINTA_RELAY_WORD:
        return mode == RELAY_CALL ? SBI_ENOTSUPP : set_receiver(r, regs->a0, 0);
    case SBI_UINTA_RELAY_UNMASK:
        if (mode == RELAY_CLAIM || !r->handler)
            return SBI_ENOTSUPP;
        csr_set(CSR_MIE, MIP_MEIP);
        return 0;
    case SBI_UINTA_RELAY_HANDLER:
        return mode != RELAY_CALL ? SBI_ENOTSUPP
                                  : set_receiver(r, regs->a0, regs->a1);
    case SBI_UINTA_RELAY_COUNT:
        if (regs->a0 >= COUNTS)
            return SBI_EINVAL;
        *out = r->count[regs->a0];
        return 0;
    default:
        return SBI_ENOTSUPP;
    }
}
