/* Calls to the firmware [SBI 1.0]. From any hart, lock held or not. */
#pragma once

#include <stdint.h>

struct sbi_result {
    int64_t error, value;
};

enum { SBI_RESET_SHUTDOWN = 0, SBI_RESET_COLD = 1 };

/* Start a hart at a physical address with a1 = opaque [SBI 9.1]. */
int64_t sbi_hart_start(uint64_t hartid, uint64_t address, uint64_t opaque);
void sbi_send_ipi(uint64_t hartid);
/* Harts by index; size in bytes [SBI 8]. */
void sbi_remote_sfence(uint32_t harts, uint64_t address, uint64_t size);
void sbi_set_timer(uint64_t deadline);
void sbi_putchar(char c); /* at the end only: the console is a driver's */
void sbi_reset(uint32_t type, uint32_t failed);
/* Our own, abi/sbi_uinta.h; 0 also where it is not there: the 0 of its enums */
uint64_t sbi_uinta(uint64_t function, uint64_t x0, uint64_t x1);
