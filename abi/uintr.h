/*
 * User interrupts (N extension 1.1) as kernel, firmware and drivers share
 * them: CSR numbers, bits, and the two pages a driver gets.
 */
#ifndef ABI_UINTR_H
#define ABI_UINTR_H

/* CSR numbers, usable from assembly. */
#define CSR_USTATUS  0x000
#define CSR_UIE      0x004
#define CSR_UTVEC    0x005
#define CSR_USCRATCH 0x040
#define CSR_UEPC     0x041
#define CSR_UCAUSE   0x042
#define CSR_UTVAL    0x043
#define CSR_UIP      0x044
#define CSR_SEDELEG  0x102
#define CSR_SIDELEG  0x103

#define USTATUS_UIE  (1 << 0)
#define USTATUS_UPIE (1 << 4)
/* uip, uie, sideleg; the cause code is the bit number */
#define UIRQ_SOFT  (1 << 0)
#define UIRQ_TIMER (1 << 4)
#define UIRQ_EXT   (1 << 8)
#define UIRQ_ALL   (UIRQ_SOFT | UIRQ_TIMER | UIRQ_EXT)

/* Offsets in the virtual PLIC context page [plic 5, 6]. */
#define PLIC_THRESHOLD 0
#define PLIC_CLAIM     4 /* read: claim; write: complete */

#ifndef __ASSEMBLER__
#include <stdint.h>

enum { SOURCES_MAX = 512 }; /* PLIC sources this system routes: 1..511 */

/*
 * At USER_UINTR_STATS. The driver's interrupt entry counts there, `irqs` shows
 * it; the kernel reads it only to show it. No source has number 0: in its place
 * the kernel writes the index of the hart that the thread runs on, whenever the
 * thread comes to a hart.
 */
struct uintr_stats {
    union {
        uint64_t hart;
        uint64_t direct[SOURCES_MAX]; /* claims that the driver made */
    };
};

#endif
#endif
