/*
 * The conformance program for user-level interrupts (N extension 1.1): a
 * bare-metal S-mode program that checks one rule a case and prints a line for
 * each. It assumes nothing of how N is provided, except in cases() of
 * alias.c, which lists what trap and emulate cannot show.
 *
 * Memory: the kernel half is mapped where it is, and everything a second time
 * USER_ALIAS higher for U-mode; user code is position-independent, so a
 * pointer plus USER_ALIAS is the same thing seen from U-mode.
 */
#ifndef ISA_H
#define ISA_H

#define USER_ALIAS 0x40000000

#define CTX_PC     (32 * 8)
#define CTX_CAUSE  (33 * 8)
#define CTX_TVAL   (34 * 8)
#define CTX_STATUS (35 * 8)
#define CTX_HOST   (36 * 8)

/* What the user handler does, flags in s10 (user.S). */
#define ACT_CLEAR_USIP 1
#define ACT_DEVICE     2   /* claim, silence the RTC, complete */
#define ACT_DISABLE    4   /* clear the cause's bit in uie */
#define ACT_SKIP       8   /* uepc += 4 */
#define ACT_EXIT       16  /* ecall out of the handler */
#define ACT_REARM      32  /* start the next alarm, a4 ns from now, a5 times */
#define ACT_RESUME     64  /* uepc = a6 */
#define ACT_USIP       128 /* raise USIP, once */

#define LOG_COUNT   0
#define LOG_CLAIM   8
#define LOG_CYCLE   16
#define LOG_ENTRIES 64
#define LOG_SIZE    40 /* ucause, uepc, utval, ustatus, vector slot */
#define LOG_MAX     32

#ifndef __ASSEMBLER__
#include <stdbool.h>
#include <stdint.h>

#include "abi/uintr.h"

typedef unsigned long ulong;

#define INTERRUPT (1UL << 63)

#define csr_read(csr)                                                     \
    ({                                                                    \
        ulong v_;                                                         \
        __asm__ volatile("csrr %0, %1" : "=r"(v_) : "i"(csr) : "memory"); \
        v_;                                                               \
    })
#define csr_write(csr, v) \
    __asm__ volatile("csrw %0, %1" ::"i"(csr), "r"((ulong)(v)) : "memory")
#define csr_set(csr, v) \
    __asm__ volatile("csrs %0, %1" ::"i"(csr), "r"((ulong)(v)) : "memory")
#define csr_clear(csr, v) \
    __asm__ volatile("csrc %0, %1" ::"i"(csr), "r"((ulong)(v)) : "memory")

enum {
    CSR_SSTATUS = 0x100,
    CSR_SIE = 0x104,
    CSR_STVEC = 0x105,
    CSR_SCOUNTEREN = 0x106,
    CSR_SIP = 0x144,
    CSR_STIMECMP = 0x14d,
    CSR_SATP = 0x180,
    CSR_TIME = 0xc01,
    SSTATUS_SIE = 2,
    SSTATUS_SPIE = 0x20,
    SSTATUS_SPP = 0x100,
    SIP_SSIP = 2,
    SIP_STIP = 0x20,
    SIP_SEIP = 0x200,
};

/* Registers by their numbers. */
enum { SP = 2, TP = 4, T0 = 5, T1, T2, S0, S1, A0, A1, A2, A3, A4, A5, A6 };
enum { S8 = 24, S9, S10, S11, T3, T4, T5, T6 };

/* Exception codes [priv 4.1.9]. */
enum {
    EXC_FETCH_ACCESS = 1,
    EXC_ILLEGAL = 2,
    EXC_BREAKPOINT = 3,
    EXC_LOAD_MISALIGNED = 4,
    EXC_LOAD_ACCESS = 5,
    EXC_STORE_MISALIGNED = 6,
    EXC_STORE_ACCESS = 7,
    EXC_ECALL_U = 8,
    EXC_FETCH_PAGE = 12,
    EXC_LOAD_PAGE = 13,
    EXC_STORE_PAGE = 15,
};

/* One run below the checker: registers in and out, and why it came back. */
struct ctx {
    ulong x[32];
    ulong pc, cause, tval, status;
    ulong host[14]; /* the checker's own registers meanwhile */
};

enum mode { MODE_U, MODE_S };

/* Leaves for ctx->pc; returns at the first trap into S-mode. */
void run(struct ctx *ctx, enum mode mode);
void run_status(struct ctx *ctx, ulong sstatus); /* start.S */

/* What the user handler saw (one page, both sides). */
struct log_entry {
    ulong cause, epc, tval, status, slot;
};
struct log {
    ulong count, claim, cycle, unused[5];
    struct log_entry entry[LOG_MAX];
};
extern struct log user_log;

/* Code written at run time, for what must cover every encoding. */
extern uint32_t code[1024];
void code_begin(void);
void code_add(uint32_t insn);
void code_end(enum mode mode); /* appends the way back to the checker */
ulong code_at(enum mode mode); /* its address there */
uint32_t insn_csr(unsigned f3, unsigned rd, unsigned csr, unsigned rs1);
enum { CSRRW = 1, CSRRS, CSRRC, CSRRWI = 5, CSRRSI, CSRRCI };
enum {
    INSN_NOP = 0x13,
    INSN_ECALL = 0x73,
    INSN_EBREAK = 0x00100073,
    INSN_URET = 0x00200073,
    INSN_SRET = 0x10200073,
    INSN_INC_A0 = 0x00150513, /* addi a0, a0, 1 */
};

/* User code in user.S, as S-mode addresses. */
extern char user_handler[], user_vectors[], user_nops[], user_fire[],
    user_wait[], user_nested[], user_ecalls[], user_burst[], user_toggle[],
    user_load[], user_store[], user_jump[], user_lr[], user_amo[], user_exit[],
    user_time_csr[], user_time_uret[], user_time_fire[], user_time_write[],
    user_fire_enable[], user_fire_enabled[], user_fire_end[];

static inline ulong user_address(const volatile void *p)
{
    return (ulong)p + USER_ALIAS;
}

/* The machine, from the device tree. */
struct machine {
    unsigned harts, boot_hart;
    ulong plic, rtc;
    unsigned rtc_source;
    unsigned timebase;
    int user_context, supervisor_context; /* of boot_hart; -1 = none */
};
extern struct machine machine;
void machine_read(ulong hart, const void *dtb);

/* How N is provided; DELIVERY_NONE is also "our SBI call is not there". */
enum { NOT_PROBED, EMULATED, NATIVE };
extern int delivery;

/* Puts every N CSR, the device and the user context to a known state. */
void reset(struct ctx *ctx);
void reset_hart(struct ctx *ctx, struct log *log); /* the CSRs only */
void paging_on(void);

/* Reporting. A case may check many things; the first failure is its result. */
void begin(const char *name);
void check(const char *what, ulong got, ulong expected);
void end(void);
void not_shown(const char *name, const char *reason);
void measured(const char *name, ulong instructions);
void print(const char *s);
void print_hex(ulong v);
void print_dec(ulong v);
extern unsigned failed;

/* RTC and PLIC */
void device_enable(unsigned context); /* RTC source to that context */
void device_disable(unsigned context);
void device_fire(void);      /* raise the line now */
void device_alarm(ulong ns); /* raise it in ns */
void device_silence(unsigned context);
int here_context(void);            /* this hart's U context, -1 = none */
void user_device(struct ctx *ctx); /* s8, s9 for the user handler */

/* Enables these of SSI, STI and SEI and no others; uie stays as it is. */
void sie_write(ulong bits);

long sbi_call(ulong extension, ulong function, ulong a0, ulong a1, ulong a2);
void timer_set(ulong ticks); /* absolute; -1 = never */
ulong limit(void);           /* when to give up; only a failure waits for it */
_Noreturn void finish(void);

/* Groups of cases, one file each. */
void csr_cases(void);
void trap_cases(void);
void pending_cases(void);
void exception_cases(void);
void device_cases(void);
void wait_cases(void);
void alias_cases(void);
void hart_cases(void);
void harts_park(void); /* see hart.c */
void random_cases(void);
void count_cases(void);

#endif
#endif
