/* A driver of the RTC in a process of its own, for the tests that move it, end
 * it, and compete with it. */
#ifndef TEST_DRIVER_H
#define TEST_DRIVER_H

#include <uinta/thread.h>
#include <uinta/uintr.h>
#include "child.h"
#include "rtc.h"

enum { CHILD_RTC = 0x5000000 };

/* Words of the shared page. */
enum {
    MODE,     /* what the handler does, below */
    COUNT,    /* interrupts handled */
    STAGE,    /* 1: in the handler, source claimed */
    GO_ON,    /* lets a waiting handler continue */
    IRQ,      /* handle */
    ATTACHED, /* result of irq_attach */
    READY,
    IDLE, /* what the thread does besides, below */
    TURNS,
    TAKEN,    /* sources that the kernel had recorded */
    REGISTER, /* result of uintr_register */
    NOTHING,  /* handler without a source */
    BELL      /* handle of a notification, for irq_bind */
};

enum { PLAIN, HOLD, EXIT, FAULT, AGAIN, NO_CLEAR };
enum { SPIN, WAIT, SLEEP, YIELD };

static BLOB void blob_handler(volatile uint64_t *d)
{
    volatile uint32_t *claim = (volatile uint32_t *)(USER_UINTR_PLIC + 4);
    uint64_t source = *claim;
    if (source == 0) {
        source = blob_call(SYS_uintr_take, 0, 0, 0, 0, 0, 0);
        if (source)
            d[TAKEN]++;
    }
    if (source == 0) {
        d[NOTHING]++;
        return;
    }
    if (d[MODE] != NO_CLEAR)
        rtc_clear_at(CHILD_RTC);
    d[COUNT]++;
    d[STAGE] = 1;
    /* A request that the driver before left behind is none to hold. */
    if (d[MODE] == HOLD && d[READY])
        while (!d[GO_ON])
            ;
    if (d[MODE] == EXIT)
        blob_call(SYS_process_exit, 33, 0, 0, 0, 0, 0);
    if (d[MODE] == FAULT)
        *(volatile int *)0 = 0;
    if (d[MODE] == AGAIN && d[COUNT] == 1)
        rtc_raise_at(CHILD_RTC);
    *claim = source;
    d[STAGE] = 2;
}

void blob_entry(void);
__asm__(".pushsection blob_text, \"ax\"\n"
        ".balign 4\n"
        ".globl blob_entry\n"
        "blob_entry:\n"
        "addi sp, sp, -144\n"
        "sd ra, 0(sp)\n sd a0, 8(sp)\n sd a1, 16(sp)\n sd a2, 24(sp)\n"
        "sd a3, 32(sp)\n sd a4, 40(sp)\n sd a5, 48(sp)\n sd a6, 56(sp)\n"
        "sd a7, 64(sp)\n sd t0, 72(sp)\n sd t1, 80(sp)\n sd t2, 88(sp)\n"
        "sd t3, 96(sp)\n sd t4, 104(sp)\n sd t5, 112(sp)\n sd t6, 120(sp)\n"
        "li a0, 0x800000\n"
        "call blob_handler\n"
        "ld ra, 0(sp)\n ld a0, 8(sp)\n ld a1, 16(sp)\n ld a2, 24(sp)\n"
        "ld a3, 32(sp)\n ld a4, 40(sp)\n ld a5, 48(sp)\n ld a6, 56(sp)\n"
        "ld a7, 64(sp)\n ld t0, 72(sp)\n ld t1, 80(sp)\n ld t2, 88(sp)\n"
        "ld t3, 96(sp)\n ld t4, 104(sp)\n ld t5, 112(sp)\n ld t6, 120(sp)\n"
        "addi sp, sp, 144\n"
        ".word 0x00200073\n" /* uret */
        ".popsection\n");

static BLOB void blob_driver(volatile uint64_t *d)
{
    uint64_t entry;
    __asm__ volatile("lla %0, blob_entry" : "=r"(entry));
    d[REGISTER] = blob_call(SYS_uintr_register, 0, 0, 0, 0, 0, 0);
    uintr_csr_write(CSR_UTVEC, entry);
    uintr_csr_set(CSR_UIE, UIRQ_EXT);
    d[ATTACHED] = blob_call(SYS_irq_attach, d[IRQ], 0, 0, 0, 0, 0);
    uintr_csr_set(CSR_USTATUS, USTATUS_UIE);
    d[READY] = 1;
    for (;; d[TURNS]++) {
        if (d[IDLE] == WAIT)
            blob_call(SYS_uintr_wait, -1UL, 0, 0, 0, 0, 0);
        if (d[IDLE] == SLEEP)
            blob_call(SYS_notification_wait, 0, 0, -1UL, 0, 0, 0);
        if (d[IDLE] == YIELD)
            blob_call(SYS_thread_yield, 0, 0, 0, 0, 0, 0);
    }
}

static struct child c;

/* hart: its only one, -1: any */
static __attribute__((unused)) void start_driver(int mode, int idle, int hart,
                                                 int priority)
{
    NEED_UINTR();
    rtc_need();
    child_make(&c);
    c.data[IRQ] = child_give(&c, rtc_irq);
    MUST(sys_process_map(c.process, rtc_mmio, CHILD_RTC, 0, PAGE_SIZE,
                         PROT_R | PROT_W));
    c.data[MODE] = mode;
    c.data[IDLE] = idle;
    child_run(&c, blob_driver, priority);
    if (hart >= 0)
        MUST(sys_thread_set(c.thread, -1, 1u << hart));
    CHECK(EVENTUALLY(c.data[READY], 2000));
    CHECK((int64_t)c.data[REGISTER] > 0);
    EXPECT(c.data[ATTACHED], OK);
}

#define SOON(condition) CHECK(EVENTUALLY(condition, 2000))

/* One interrupt more is handled completely. */
static __attribute__((unused)) void one_more(void)
{
    uint64_t count = c.data[COUNT];
    c.data[STAGE] = 0;
    rtc_raise_at(rtc);
    SOON(c.data[COUNT] == count + 1 && c.data[STAGE] == 2);
}

static __attribute__((unused)) void no_owner(void)
{
    EXPECT(rtc_info().pid, 0);
}

#endif
