/* Sv39 page tables: the kernel's half, and the regions of processes. */
#include "kernel/space.h"
#include "kernel/frame.h"
#include "kernel/memory.h"
#include "kernel/pool.h"
#include "kernel/process.h"
#include "kernel/sbi.h"

enum { ENTRIES = 512, USER_ENTRIES = 256, ASIDS = 1024 };

#define MEGA        (2UL << 20)
#define KERNEL_LEAF (PTE_V | PTE_R | PTE_G | PTE_A | PTE_D)

extern char kernel_start[], kernel_rodata[], kernel_data[], hart_stacks[];

static uint64_t kernel_root[ENTRIES] __attribute__((aligned(4096)));
static uint64_t kernel_satp;
static bool asid_taken[ASIDS]; /* 0 is the kernel's */
static bool have_asids;
static struct pool region_pool = {.size = sizeof(struct region)};

static uint64_t entry_of(uint64_t physical, uint64_t flags)
{
    return physical >> 12 << 10 | flags;
}

static uint64_t *table_of(uint64_t entry)
{
    return phys_to_virt(entry >> 10 << 12);
}

static uint32_t slot(uint64_t address, int level)
{
    return address >> (12 + 9 * level) & (ENTRIES - 1);
}

/* The table below *entry, made if it is missing; NULL: no memory. */
static uint64_t *descend(uint64_t *entry, bool create)
{
    if (*entry & PTE_V)
        return table_of(*entry);
    uint64_t frame = create ? frame_alloc_zero() : 0;
    if (!frame)
        return NULL;
    *entry = entry_of(frame, PTE_V);
    return phys_to_virt(frame);
}

/* The leaf entry for an address, NULL without its tables. */
static uint64_t *walk(uint64_t *root, uint64_t address, bool create)
{
    uint64_t *middle = descend(&root[slot(address, 2)], create);
    uint64_t *leaf = middle ? descend(&middle[slot(address, 1)], create) : NULL;

    return leaf ? &leaf[slot(address, 0)] : NULL;
}

/* ---- the kernel's half ------------------------------------------------ */

void space_kernel_map(struct range range)
{
    for (uint64_t p = range.start & ~(MEGA - 1); p < range.end; p += MEGA) {
        uint64_t v = (uint64_t)phys_to_virt(p);
        uint64_t *middle = descend(&kernel_root[slot(v, 2)], true);

        assert(middle);
        if (!(middle[slot(v, 1)] & PTE_V))
            middle[slot(v, 1)] = entry_of(p, KERNEL_LEAF | PTE_W);
    }
    sfence_all();
}

/*
 * The 2 MiB of the image by 4 KiB pages: text X, rodata R, the rest W; the
 * page below each hart's stack is left out.
 */
static void map_image(void)
{
    uint64_t start = (uint64_t)kernel_start;
    uint64_t *leaf = walk(kernel_root, start, true);

    assert(leaf); /* of the first page: the image begins a table */
    for (uint64_t v = start; v < start + MEGA; v += PAGE_SIZE) {
        uint64_t extra = v < (uint64_t)kernel_rodata ? PTE_X
                         : v < (uint64_t)kernel_data ? 0
                                                     : PTE_W;

        leaf[slot(v, 0)] = entry_of(v - KERNEL_BASE, KERNEL_LEAF | extra);
    }
    for (uint32_t h = 0; h < HARTS_MAX; h++)
        leaf[slot((uint64_t)hart_stacks + h * STACK_STRIDE, 0)] = 0;
}

void space_kernel_init(struct range ram)
{
    map_image();
    space_kernel_map(ram);
    kernel_satp = SATP_SV39 | virt_to_phys(kernel_root) >> 12;
    csr_write(CSR_SATP, kernel_satp | SATP_ASID_MASK << SATP_ASID_SHIFT);
    have_asids =
        (csr_read(CSR_SATP) >> SATP_ASID_SHIFT & SATP_ASID_MASK) >= ASIDS - 1;
    csr_write(CSR_SATP, kernel_satp);
    sfence_all();
}

void space_kernel_enter(void)
{
    this_hart->space = NULL;
    csr_write(CSR_SATP, kernel_satp);
    if (!have_asids)
        sfence_all();
}

/* ---- a process's space ------------------------------------------------ */

int64_t space_init(struct space *s)
{
    uint32_t asid = 1;

    while (asid < ASIDS && asid_taken[asid])
        asid++;
    if (asid == ASIDS)
        return E_LIMIT;
    uint64_t frame = frame_alloc_zero();
    if (!frame)
        return E_NOMEM;
    asid_taken[asid] = true;
    s->asid = asid;
    s->root = phys_to_virt(frame);
    memcpy(s->root + USER_ENTRIES, kernel_root + USER_ENTRIES,
           (ENTRIES - USER_ENTRIES) * sizeof(uint64_t));
    s->satp = SATP_SV39 | frame >> 12;
    if (have_asids)
        s->satp |= (uint64_t)s->asid << SATP_ASID_SHIFT;
    s->fence_harts = ~0u;
    list_init(&s->regions);
    return OK;
}

static void free_region(struct space *s, struct region *r)
{
    list_remove(&r->node);
    s->mapped -= r->size;
    object_put(&r->memory->object);
    pool_free(&region_pool, r);
}

/* A table of this level with what is below; the pages are not its own. */
static void free_table(uint64_t *table, uint32_t entries, int level)
{
    for (uint32_t i = 0; level > 0 && i < entries; i++) {
        if (table[i] & PTE_V)
            free_table(table_of(table[i]), ENTRIES, level - 1);
    }
    frame_free(virt_to_phys(table));
}

void space_free(struct space *s)
{
    list_each_entry(struct region, r, &s->regions, node)
        free_region(s, r);
    free_table(s->root, USER_ENTRIES, 2);
    asid_taken[s->asid] = false;
}

uint64_t *space_entry(struct space *s, uint64_t address, bool create)
{
    return walk(s->root, address, create);
}

static bool overlaps(struct space *s, uint64_t start, uint64_t size)
{
    /* the pages that uintr_register maps belong to the kernel */
    if (start < USER_UINTR_STATS + PAGE_SIZE &&
        start + size > USER_UINTR_CONTEXTS)
        return true;
    list_each_entry(struct region, r, &s->regions, node) {
        if (start < r->start + r->size && r->start < start + size)
            return true;
    }
    return false;
}

/* page-aligned, not empty, inside the user half, page 0 never mapped */
static int64_t check_range(uint64_t address, uint64_t size)
{
    if (!page_aligned(address | size))
        return E_ALIGN;
    if (size == 0 || size > USER_END || address < PAGE_SIZE ||
        address > USER_END - size)
        return E_RANGE;
    return OK;
}

static_assert(PTE_R == 2 * PROT_R && PTE_W == 2 * PROT_W && PTE_X == 2 * PROT_X,
              "protections are shifted bits of an entry");

int64_t space_map(struct space *s, struct memory *m, uint64_t address,
                  uint64_t offset, uint64_t size, uint32_t prot)
{
    uint64_t flags = PTE_V | PTE_U | PTE_A | PTE_D | prot * 2;
    uint64_t *entry = NULL;
    struct region *r;

    TRY(check_range(address, size));
    if (!page_aligned(offset))
        return E_ALIGN;
    if (offset > m->size || size > m->size - offset)
        return E_RANGE;
    if (overlaps(s, address, size))
        return E_OVERLAP;
    r = pool_alloc(&region_pool);
    if (!r)
        return E_NOMEM;
    /* every table first: empty ones do no harm if the next fails */
    for (uint64_t a = address; a < address + size; a = (a | (MEGA - 1)) + 1) {
        if (!space_entry(s, a, true)) {
            pool_free(&region_pool, r);
            return E_NOMEM;
        }
    }
    r->start = address;
    r->size = size;
    r->memory = m;
    list_push(&s->regions, &r->node);
    object_get(&m->object);
    s->mapped += size;
    for (uint64_t done = 0; done < size; done += PAGE_SIZE, entry++) {
        if (!entry || slot(address + done, 0) == 0)
            entry = space_entry(s, address + done, false);
        *entry = entry_of(memory_page(m, offset + done), flags);
    }
    if (prot & PROT_X) {
        s->fence_harts = ~0u;
        if (this_hart->space && s == &this_hart->space->space)
            fence_i();
    }
    return OK;
}

/*
 * An IPI costs thousands of instructions, so only harts that run the space
 * right now get one; the others fence before they run it again.
 */
void space_shoot_down(struct space *s, uint64_t address, uint64_t size)
{
    uint32_t running = 0, self = 1u << this_hart->index;

    for (uint32_t i = 0; i < hart_count; i++) {
        if (harts[i].space && &harts[i].space->space == s)
            running |= 1u << i;
    }
    if (running & self && size == PAGE_SIZE)
        sfence_page(address);
    else if (running & self)
        sfence_all();
    s->fence_harts |= s->ran_harts & ~running;
    sbi_remote_sfence(running & ~self, address, size);
}

int64_t space_unmap(struct space *s, uint64_t address, uint64_t size)
{
    struct region *found = NULL;

    TRY(check_range(address, size));
    list_each_entry(struct region, r, &s->regions, node) {
        if (r->start == address && r->size == size)
            found = r;
    }
    if (!found)
        return E_ARG;
    for (uint64_t done = 0; done < size; done += PAGE_SIZE)
        *space_entry(s, address + done, false) = 0;
    space_shoot_down(s, address, size);
    free_region(s, found);
    return OK;
}

void space_enter_fenced(struct space *s)
{
    uint32_t bit = 1u << this_hart->index;

    s->ran_harts |= bit;
    if (have_asids) {
        s->fence_harts &= ~bit;
        sfence_asid(s->asid);
    } else {
        sfence_all(); /* every time: all spaces share ASID 0 */
    }
    fence_i();
}

uint64_t *space_mapped(struct space *s, uint64_t address, uint64_t bits)
{
    uint64_t *entry =
        address < USER_END ? space_entry(s, address, false) : NULL;

    bits |= PTE_V;
    return entry && (*entry & bits) == bits ? entry : NULL;
}

bool space_spurious(struct space *s, uint64_t address, uint64_t cause)
{
    uint64_t need = cause == CAUSE_INSN_PAGE    ? PTE_X
                    : cause == CAUSE_STORE_PAGE ? PTE_W
                                                : PTE_R;

    if (!space_mapped(s, address, need))
        return false;
    sfence_page(address);
    return true;
}
