/* Firmware calls that are more than a call. */
#include "kernel/sbi.h"
#include "kernel/hart.h"

struct sbi_result sbi_call(uint64_t ext, uint64_t fn, uint64_t x0, uint64_t x1,
                           uint64_t x2, uint64_t x3)
{
    register uint64_t a0 __asm__("a0") = x0;
    register uint64_t a1 __asm__("a1") = x1;
    register uint64_t a2 __asm__("a2") = x2;
    register uint64_t a3 __asm__("a3") = x3;
    register uint64_t a6 __asm__("a6") = fn;
    register uint64_t a7 __asm__("a7") = ext;

    __asm__ volatile("ecall"
                     : "+r"(a0), "+r"(a1)
                     : "r"(a2), "r"(a3), "r"(a6), "r"(a7)
                     : "memory");
    return (struct sbi_result){(int64_t)a0, (int64_t)a1};
}

void sbi_remote_sfence(uint32_t mask, uint64_t address, uint64_t size)
{
    for (uint32_t i = 0; mask >> i; i++) {
        if (mask >> i & 1)
            sbi_call(SBI_RFENCE, SBI_RFENCE_SFENCE, 1, harts[i].id, address,
                     size);
    }
}

void sbi_putchar(char c)
{
    if (c == '\n')
        sbi_putchar('\r');
    sbi_call(SBI_LEGACY_PUTCHAR, 0, (uint8_t)c, 0, 0, 0);
}
