/*
 * The hart as the kernel uses it: CSR access, bits and numbers, with the
 * section of the privileged specification (1.12) they come from.
 */
#pragma once

#include <stdint.h>

#define csr_read(csr)                                                     \
    ({                                                                    \
        uint64_t v_;                                                      \
        __asm__ volatile("csrr %0, %1" : "=r"(v_) : "i"(csr) : "memory"); \
        v_;                                                               \
    })
/* Not the immediate forms: the firmware emulates them five times slower. */
#define csr_write(csr, value) \
    __asm__ volatile("csrw %0, %z1" : : "i"(csr), "rJ"(value) : "memory")
#define csr_set(csr, bits) \
    __asm__ volatile("csrs %0, %1" : : "i"(csr), "rK"(bits) : "memory")
#define csr_clear(csr, bits) \
    __asm__ volatile("csrc %0, %1" : : "i"(csr), "rK"(bits) : "memory")
#define csr_swap(csr, value)                     \
    ({                                           \
        uint64_t v_;                             \
        __asm__ volatile("csrrw %0, %1, %z2"     \
                         : "=r"(v_)              \
                         : "i"(csr), "rJ"(value) \
                         : "memory");            \
        v_;                                      \
    })

/* Supervisor CSRs [priv 4.1] */
#define CSR_SSTATUS    0x100
#define CSR_SIE        0x104
#define CSR_SCOUNTEREN 0x106
#define CSR_SIP        0x144
#define CSR_STIMECMP   0x14d /* Sstc */
#define CSR_SATP       0x180
#define CSR_TIME       0xc01
#define CSR_INSTRET    0xc02

#define SSTATUS_SPIE (1UL << 5)

/* sie, sip bits; scause codes of interrupts [priv 4.1.3, 4.1.8] */
enum { IRQ_S_SOFT = 1, IRQ_S_TIMER = 5, IRQ_S_EXT = 9 };
/* the kernel's bits of sip and sie: with N there are the user's too */
enum { S_IRQS = 1 << IRQ_S_SOFT | 1 << IRQ_S_TIMER | 1 << IRQ_S_EXT };
#define SCAUSE_INTERRUPT (1UL << 63)

enum { CAUSE_INSN_PAGE = 12, CAUSE_LOAD_PAGE = 13, CAUSE_STORE_PAGE = 15 };

/* Sv39 [priv 4.4] */
#define SATP_SV39       (8UL << 60)
#define SATP_ASID_SHIFT 44
#define SATP_ASID_MASK  0xffffUL
enum { PTE_V = 1 << 0, PTE_R = 1 << 1, PTE_W = 1 << 2, PTE_X = 1 << 3 };
#define PHYSICAL_END (1UL << 56) /* of addresses that an entry can name */
enum { PTE_U = 1 << 4, PTE_G = 1 << 5, PTE_A = 1 << 6, PTE_D = 1 << 7 };

static inline uint64_t rdtime(void)
{
    return csr_read(CSR_TIME);
}

static inline void sfence_all(void)
{
    __asm__ volatile("sfence.vma" : : : "memory");
}

static inline void sfence_page(uint64_t address)
{
    __asm__ volatile("sfence.vma %0, zero" : : "r"(address) : "memory");
}

static inline void sfence_asid(uint64_t asid)
{
    __asm__ volatile("sfence.vma zero, %0" : : "r"(asid) : "memory");
}

static inline void fence_i(void)
{
    __asm__ volatile("fence.i" : : : "memory");
}
