/* Interrupts and faults of user programs; entered from trap.S. */
#pragma once

#include <stdint.h>

void trap_entry(void); /* stvec */
/* The current thread trapped, not by a system call. Lock held. */
void trap_user(uint64_t cause, uint64_t address);
/* Serve what is pending in sip and enabled. Lock held. */
void trap_interrupts(void);
