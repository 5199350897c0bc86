/* Giving way: see share.h. */
#include "share.h"

#include <uinta/clock.h>
#include "clients.h"

/* 4 KiB each way are 9,000 instructions of a client's: 144 us at 62.5 MIPS. */
enum { WAY_NS = 200 * 1000 };

uint64_t share_seen;
static uint64_t over;  /* the time is up; else 0 */
static bool held_back; /* the other end, by flow control */

void share_init(const struct uart *uart)
{
    held_back = uart->config.flow != UART_FLOW_NONE;
}

void share_timer(void)
{
    over = true;
    uintr_woke();
}

void share_give_way(bool native)
{
    share_seen = uintr_taken;
    if (!held_back || !clients_awake())
        return;
    over = false;
    uintr_csr_clear(CSR_UIE, UIRQ_EXT);
    sys_uintr_timer(clock_deadline(WAY_NS));
    while (!*(volatile uint64_t *)&over) {
        if (native)
            uintr_pause();
        else
            uintr_sleep_unless(&over);
    }
    uintr_csr_set(CSR_UIE, UIRQ_EXT);
}
