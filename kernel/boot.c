/*
 * From the first C instruction to the first process: memory, translation,
 * PLIC, the other harts, then init with every handle there is.
 */
#include "abi/startup.h"
#include "kernel/frame.h"
#include "kernel/irq.h"
#include "kernel/log.h"
#include "kernel/memory.h"
#include "kernel/sbi.h"
#include "kernel/sched.h"
#include "kernel/uintr.h"

enum { INIT_STACK_SIZE = 64 << 10, RAM_MINIMUM = 32 << 20 };

/* Header of build/user/init.bin (user/init.ld): virtual addresses. */
#define INIT_IMAGE_MAGIC 0x74696e69746e6975UL
struct init_image {
    uint64_t magic, entry, text_end, rodata_end, data_end, bss_end;
};

extern char kernel_start[], kernel_end[], hart_stacks[];
extern char init_image[], init_image_end[];
extern char secondary_entry[];

struct kernel_lock kernel_lock;

#define LOAD(word) __atomic_load_n(&(word), __ATOMIC_RELAXED)

/*
 * Who waits gives the processor away at each look, or an emulator that runs
 * harts in turns spins here for the rest of our turn while the one whose turn
 * it is waits (with -icount, 60 % of all instructions of two UART drivers). A
 * wfi with an interrupt pending does it, and so we raise one, and take it back
 * if nobody else did: they say so before, with the lock held (hart_kick).
 */
void kernel_lock_wait(void)
{
    const uint64_t none = UINT64_MAX;
    uint64_t until = rdtime() + machine.timebase / 10, ticket = none;

    for (;;) {
        if (LOAD(kernel_lock.owner) ==
                (ticket != none ? ticket : LOAD(kernel_lock.next)) &&
            !LOAD(kernel_lock.held) &&
            !__atomic_exchange_n(&kernel_lock.held, 1, __ATOMIC_ACQUIRE)) {
            kernel_lock.owner += ticket != none;
            if (!this_hart->kicked)
                csr_clear(CSR_SIP, 1 << IRQ_S_SOFT);
            return;
        }
        if (ticket == none && rdtime() > until)
            ticket = __atomic_fetch_add(&kernel_lock.next, 1, __ATOMIC_RELAXED);
        csr_set(CSR_SIP, 1 << IRQ_S_SOFT);
        __asm__ volatile("wfi");
    }
}

static struct thread sinks[HARTS_MAX];

static void hart_setup(uint32_t index)
{
    struct hart *h = &harts[index];

    h->index = index;
    h->id = machine.hart[index].id;
    h->stack = hart_stacks + (index + 1) * STACK_STRIDE;
    h->sink = &sinks[index];
    h->kicked = 1;
    h->trapped = h->sink;
    h->plic_s = plic_context((uint32_t)machine.hart[index].context_s);
    h->plic_u = plic_context((uint32_t)machine.hart[index].context_u);
    h->plic_page = space_user_page(plic_context_page(&h->plic_u));
    if (machine.hart[index].context_u < 0)
        uintr_delivery = DELIVERY_NONE;
    sched_init(h);
}

/* What every hart does for itself. */
static void hart_enable(struct hart *h)
{
    plic_context_reset(&h->plic_s);
    if (machine.hart[h->index].context_u >= 0)
        plic_context_reset(&h->plic_u);
    csr_write(CSR_SCOUNTEREN, 7);         /* cycle, time, instret for all */
    csr_write(CSR_SSTATUS, SSTATUS_SPIE); /* sret goes to U-mode, no FP */
    relay_hart_enable(h);
    h->programmed = 0;
    timer_program(h);
    h->programmed = DEADLINE_NEVER;
    csr_write(CSR_SIE, S_IRQS);
    h->online = true;
}

_Noreturn void secondary_main(uint64_t hartid, struct hart *h)
{
    (void)hartid;
    csr_write(CSR_SIE, 1 << IRQ_S_SOFT); /* kernel_lock_acquire may wfi */
    kernel_lock_acquire();
    space_kernel_enter();
    sfence_all();
    hart_enable(h);
    log_print("hart %lu is up\n", h->id);
    enter_scheduler();
}

/* A free frame is written to, so reserved ones must never be free. */
static void release_unreserved(uint64_t at, uint64_t end)
{
    while (at < end) {
        uint64_t next = end, skip = at;

        for (uint32_t i = 0; i < machine.reserved_count; i++) {
            uint64_t start = machine.reserved[i].start & ~(PAGE_SIZE - 1);

            if (start <= at)
                skip = max(skip, page_round(machine.reserved[i].end));
            else
                next = min(next, start);
        }
        if (skip == at)
            frame_release(at, skip = next);
        at = skip;
    }
}

static void memory_setup(void)
{
    uint64_t bitmap = virt_to_phys(kernel_end);
    uint64_t size;

    if (machine.ram.end - machine.ram.start < RAM_MINIMUM)
        panic("too little memory: %lu MiB of RAM, %u MiB are needed; give "
              "the machine more (make qemu MEM=64M)",
              (machine.ram.end - machine.ram.start) >> 20, RAM_MINIMUM >> 20);
    size = frame_init(machine.ram.start, machine.ram.end, bitmap);
    release_unreserved(bitmap + size, machine.ram.end);
}

static void start_other_harts(void)
{
    for (uint32_t i = 0; i < hart_count; i++) {
        int64_t error = OK;

        if (&harts[i] != this_hart)
            error = sbi_hart_start(harts[i].id, virt_to_phys(secondary_entry),
                                   (uint64_t)&harts[i]);
        if (error)
            log_print("hart %lu does not start: SBI error %ld\n", harts[i].id,
                      error);
        else
            harts_started |= 1u << i;
    }
}

/* A handle of init's to a new object, or a panic: nothing runs without. */
static handle_t give(struct process *p, void *object, uint32_t rights)
{
    int64_t h = object ? handle_add(&p->table, object, rights, 0) : E_NOMEM;

    if (h < 0)
        panic("boot: no memory for init's handles");
    object_put(object);
    return (handle_t)h;
}

static void map(struct process *p, struct memory *m, uint64_t address,
                uint64_t offset, uint64_t size, uint32_t prot)
{
    if (size && (!m || space_map(&p->space, m, address, offset, size, prot)))
        panic("boot: cannot map init's memory at 0x%lx", address);
}

/* Memory that the firmware filled; 0 = there is none. */
static handle_t give_range(struct process *p, struct range r, uint32_t rights)
{
    if (r.end <= r.start)
        return 0;
    return give(p, memory_new_fixed(r.start, r.end - r.start), rights);
}

static void fill_bootinfo(struct process *p, struct bootinfo *info)
{
    object_get(&p->object);
    *info = (struct bootinfo){
        .magic = BOOTINFO_MAGIC,
        .delivery = uintr_delivery,
        .harts = hart_count,
        .timebase = machine.timebase,
        .system = give(p, object_new(OBJECT_SYSTEM), R_ALL),
        .process = give(p, p, R_ALL),
        .archive = give_range(p, machine.archive, R_READ | R_EXEC | R_DUP),
        .tree = give_range(p, machine.tree, R_READ | R_DUP),
        .archive_size = machine.archive.end - machine.archive.start,
        .tree_offset = machine.tree.start % PAGE_SIZE,
    };
}

static void start_init(void)
{
    const struct init_image *image = (const void *)init_image;
    static const char init_name[NAME_SIZE] = "init";
    uint64_t text = USER_TEXT, size = (uint64_t)(init_image_end - init_image);
    struct process *p = process_new(init_name, PRIORITIES - 1);
    struct memory *m = memory_new_fixed(virt_to_phys(init_image), size);
    struct memory *info = memory_new(PAGE_SIZE, false);
    struct thread *t = p ? thread_new(p, PRIORITY_SERVER) : NULL;

    if (image->magic != INIT_IMAGE_MAGIC || image->data_end > text + size)
        panic("boot: the init image is malformed");
    if (!t || !m || !info)
        panic("boot: no memory for init");
    map(p, m, text, 0, image->text_end - text, PROT_R | PROT_X);
    map(p, m, image->text_end, image->text_end - text,
        image->rodata_end - image->text_end, PROT_R);
    map(p, m, image->rodata_end, image->rodata_end - text,
        image->data_end - image->rodata_end, PROT_R | PROT_W);
    map(p, memory_new(image->bss_end - image->data_end, false), image->data_end,
        0, image->bss_end - image->data_end, PROT_R | PROT_W);
    map(p, memory_new(INIT_STACK_SIZE, false), USER_STACK_TOP - INIT_STACK_SIZE,
        0, INIT_STACK_SIZE, PROT_R | PROT_W);
    map(p, info, USER_STARTUP, 0, PAGE_SIZE, PROT_R);
    fill_bootinfo(p, phys_to_virt(memory_page(info, 0)));
    t->x[X_PC] = image->entry;
    t->x[X_SP] = USER_STACK_TOP;
    t->x[X_A0] = USER_STARTUP;
    sched_ready(t);
}

_Noreturn void boot_main(uint64_t hartid, uint64_t fdt)
{
    kernel_lock_acquire();
    machine.boot_hart = hartid;
    machine_read(fdt);
    hart_count = machine.harts;
    uintr_delivery = (uint32_t)sbi_uinta(SBI_UINTA_DELIVERY, 0, 0);
    for (uint32_t i = 0; i < hart_count; i++) {
        hart_setup(i);
        if (harts[i].id == hartid)
            this_hart = &harts[i];
    }
    if (!this_hart) /* 0 from _start until here */
        panic("boot: started on hart %lu, which the device tree does not "
              "list among the first %u",
              hartid, HARTS_MAX);
    memory_setup();
    space_kernel_init(machine.ram);
    space_kernel_map(machine.plic);
    space_kernel_map(machine.sswi);
    plic_reset();
    irq_init();
    hart_enable(this_hart);
    log_print("Uinta on %u harts, %lu MiB\n", hart_count,
              (machine.ram.end - machine.ram.start) >> 20);
    start_init();
    start_other_harts();
    enter_scheduler();
}
