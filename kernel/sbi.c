/* Firmware calls: a7 = extension, a6 = function [SBI 3]. */
#include "kernel/sbi.h"
#include "abi/sbi_uinta.h"
#include "kernel/hart.h"

enum { EXT_LEGACY_PUTCHAR = 0x01, EXT_TIME = 0x54494d45 };
enum { EXT_IPI = 0x735049, EXT_RFENCE = 0x52464e43, EXT_HSM = 0x48534d };
enum { EXT_SRST = 0x53525354, RFENCE_SFENCE = 1 };

static struct sbi_result call(uint64_t ext, uint64_t fn, uint64_t x0,
                              uint64_t x1, uint64_t x2, uint64_t x3)
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

int64_t sbi_hart_start(uint64_t hartid, uint64_t address, uint64_t opaque)
{
    return call(EXT_HSM, 0, hartid, address, opaque, 0).error;
}

void sbi_send_ipi(uint64_t hartid)
{
    call(EXT_IPI, 0, 1, hartid, 0, 0);
}

void sbi_remote_sfence(uint32_t mask, uint64_t address, uint64_t size)
{
    for (uint32_t i = 0; mask >> i; i++) {
        if (mask >> i & 1)
            call(EXT_RFENCE, RFENCE_SFENCE, 1, harts[i].id, address, size);
    }
}

void sbi_set_timer(uint64_t deadline)
{
    call(EXT_TIME, 0, deadline, 0, 0, 0);
}

void sbi_putchar(char c)
{
    if (c == '\n')
        sbi_putchar('\r');
    call(EXT_LEGACY_PUTCHAR, 0, (uint8_t)c, 0, 0, 0);
}

void sbi_reset(uint32_t type, uint32_t failed)
{
    call(EXT_SRST, 0, type, failed, 0, 0);
}

uint64_t sbi_uinta(uint64_t function, uint64_t x0, uint64_t x1)
{
    struct sbi_result r = call(SBI_EXT_UINTA, function, x0, x1, 0, 0);

    return r.error ? 0 : (uint64_t)r.value;
}
