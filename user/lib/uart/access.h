/*
 * One access to a register of a device. A host test supplies its own and so is
 * the device (tests/host/uart_chip.h): reading a register has effects that
 * plain memory cannot show.
 */
#ifndef UART_ACCESS_H
#define UART_ACCESS_H

#include <stdint.h>

#ifdef UINTA_HOST
uint8_t register_get(volatile uint8_t *address);
void register_put(volatile uint8_t *address, uint8_t value);
static inline void store_release(uint64_t *place, uint64_t value)
{
    __atomic_store_n(place, value, __ATOMIC_RELEASE);
}
#else
/* Assembly: the compiler would clear the upper bits of a volatile byte again. */
static inline unsigned long register_get(volatile uint8_t *address)
{
    unsigned long value;
    __asm__ volatile("lbu %0, %1" : "=r"(value) : "m"(*address));
    return value;
}

static inline void register_put(volatile uint8_t *address, uint8_t value)
{
    *address = value;
}

/* Assembly: the compiler would take an amoswap. */
static inline void store_release(uint64_t *place, uint64_t value)
{
    __asm__ volatile("fence rw, w\n\tsd %1, %0"
                     : "=m"(*place)
                     : "r"(value)
                     : "memory");
}
#endif

#endif
