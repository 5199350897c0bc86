/*
 * Where OpenSBI waits for another hart in a loop, it gives its processor away
 * at each look, as the kernel's lock does (kernel/boot.c): by a wfi with an
 * interrupt pending. QEMU with -icount runs harts in turns, and next to a hart
 * that spins another may never get one (docs/testing.md).
 */
#include <sbi/riscv_asm.h>
#include <sbi/riscv_encoding.h>
#include <sbi/riscv_locks.h>

/*
 * SEIP: M-mode is not interrupted by it, its writable half is nobody else's,
 * and clearing that half leaves the PLIC's [priv 3.1.9].
 */
static void give_turn(void)
{
    ulong mie = csr_read_set(CSR_MIE, MIP_SEIP);

    csr_set(CSR_MIP, MIP_SEIP);
    wfi();
    csr_clear(CSR_MIP, MIP_SEIP);
    csr_write(CSR_MIE, mie);
}

/*
 * Remote fences wait in two loops of this exchange (sbi_tlb.c): for the other
 * hart's answer, and for room to answer. One that has changed nothing is a
 * turn of such a loop.
 */
ulong __real_atomic_raw_xchg_ulong(volatile ulong *at, ulong value);
ulong __wrap_atomic_raw_xchg_ulong(volatile ulong *at, ulong value)
{
    ulong old = __real_atomic_raw_xchg_ulong(at, value);

    if (old == value)
        give_turn();
    return old;
}

/* OpenSBI's ticket lock; spin_unlock() and spin_trylock() stay its own. */
void __wrap_spin_lock(spinlock_t *lock)
{
    enum { NEXT_SHIFT = 16 }; /* `next` is the upper half, atomics have words */
    u32 old =
        __atomic_fetch_add((u32 *)lock, 1u << NEXT_SHIFT, __ATOMIC_ACQUIRE);
    u16 ticket = (u16)(old >> NEXT_SHIFT);

    while (__atomic_load_n(&lock->owner, __ATOMIC_ACQUIRE) != ticket)
        give_turn();
}
