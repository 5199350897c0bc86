/* Calls to the firmware [SBI 1.0]. From any hart, lock held or not. */
#pragma once

#include <stdint.h>

#include "abi/sbi_uinta.h"

enum { SBI_LEGACY_PUTCHAR = 0x01, SBI_TIME = 0x54494d45, SBI_IPI = 0x735049 };
enum { SBI_RFENCE = 0x52464e43, SBI_HSM = 0x48534d, SBI_SRST = 0x53525354 };
enum { SBI_RFENCE_SFENCE = 1, SBI_RESET_SHUTDOWN = 0, SBI_RESET_COLD = 1 };

struct sbi_result {
    int64_t error, value;
};

/* a7 = extension, a6 = function [SBI 3] */
struct sbi_result sbi_call(uint64_t ext, uint64_t fn, uint64_t x0, uint64_t x1,
                           uint64_t x2, uint64_t x3);
/* Harts by index; size in bytes [SBI 8]. */
void sbi_remote_sfence(uint32_t harts, uint64_t address, uint64_t size);
void sbi_putchar(char c); /* at the end only: the console is a driver's */

/* Start a hart at a physical address with a1 = opaque [SBI 9.1]. */
static inline int64_t sbi_hart_start(uint64_t hartid, uint64_t address,
                                     uint64_t opaque)
{
    return sbi_call(SBI_HSM, 0, hartid, address, opaque, 0).error;
}
static inline void sbi_send_ipi(uint64_t hartid)
{
    sbi_call(SBI_IPI, 0, 1, hartid, 0, 0);
}
static inline void sbi_set_timer(uint64_t deadline)
{
    sbi_call(SBI_TIME, 0, deadline, 0, 0, 0);
}
static inline void sbi_reset(uint32_t type, uint32_t failed)
{
    sbi_call(SBI_SRST, 0, type, failed, 0, 0);
}
/* Our own, abi/sbi_uinta.h; 0 also where it is not there: the 0 of its enums */
static inline uint64_t sbi_uinta(uint64_t function, uint64_t x0, uint64_t x1)
{
    struct sbi_result r = sbi_call(SBI_EXT_UINTA, function, x0, x1, 0, 0);

    return r.error ? 0 : (uint64_t)r.value;
}
