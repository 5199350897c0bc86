/* A call of the firmware, for programs that run behind it. */
#ifndef BARE_SBI_H
#define BARE_SBI_H

typedef unsigned long ulong;

struct answer {
    long error, value;
};

static inline struct answer sbi(ulong extension, ulong function, ulong x0,
                                ulong x1, ulong x2)
{
    register ulong a0 __asm__("a0") = x0;
    register ulong a1 __asm__("a1") = x1;
    register ulong a2 __asm__("a2") = x2;
    register ulong a6 __asm__("a6") = function;
    register ulong a7 __asm__("a7") = extension;

    __asm__ volatile("ecall"
                     : "+r"(a0), "+r"(a1)
                     : "r"(a2), "r"(a6), "r"(a7)
                     : "memory");
    return (struct answer){a0, a1};
}

#endif
