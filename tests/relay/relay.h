/*
 * What the cases of tests/relay stand on: printing, judging, the SBI, the PLIC
 * and two sources, the goldfish RTC and uart0's empty transmitter. S-mode with
 * interrupts off; what prints and touches devices also works in M-mode, for
 * everything is mapped at its own address. RAM is there once more at ALIAS.
 */
#ifndef TEST_RELAY_H
#define TEST_RELAY_H

#include "abi/sbi_uinta.h"
#include "tests/bare/bare.h"
#include "tests/bare/sbi.h"

enum { UART_SOURCE = 10, INVALID_PARAM = -3 };
enum { BASE = 0x10, HSM = 0x48534d, IPI = 0x735049, LEGACY_IPI = 4 };
enum { COUNT_TAKEN, COUNT_LOST, COUNT_TRAPPED, COUNT_CAUSE };

#define ALIAS 0x40000000UL

extern ulong rtc_source, word, here; /* here: the hart's id */
extern const char *running;          /* the case */
extern bool failed;                  /* so far */

void print(const char *s);
void print_number(long value);
void show(const char *what, long value); /* a line that begins with # */
void expect(const char *what, long got, long wanted);
_Noreturn void finish(bool good);

struct answer uinta(ulong function, ulong x0, ulong x1);
long count(ulong which);

void find_machine(ulong hart, const void *tree);
void paging_on(void);
ulong claim_register(void); /* of this hart's context: read, write */
void rtc_raise(void);
void rtc_lower(void);
void uart_raise(void);
void uart_lower(void);
/* Silent, complete, and enabled in this context; nothing handed over. */
void begin(void);
/* Clears SSIP, takes what is in `word`, as S-mode is to do. */
long take(void);
bool ssip(void);

#endif
