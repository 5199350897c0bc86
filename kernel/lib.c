/* Memory helpers; the compiler calls them itself, too. */
#include "kernel/lib.h"

void *memset(void *to, int byte, size_t n)
{
    uint8_t *t = to;
    uint64_t word = 0x0101010101010101UL * (uint8_t)byte;

    while (n && ((uintptr_t)t & 7)) {
        *t++ = (uint8_t)byte;
        n--;
    }
    /* eight words a turn: pages are zeroed here */
    for (; n >= 64; n -= 64, t += 64) {
        uint64_t *w = (uint64_t *)t;

        w[0] = w[1] = w[2] = w[3] = word;
        w[4] = w[5] = w[6] = w[7] = word;
    }
    while (n--)
        *t++ = (uint8_t)byte;
    return to;
}

void *memcpy(void *to, const void *from, size_t n)
{
    uint8_t *t = to;
    const uint8_t *f = from;

    if ((((uintptr_t)t | (uintptr_t)f) & 7) == 0) {
        for (; n >= 8; n -= 8, t += 8, f += 8)
            *(uint64_t *)t = *(const uint64_t *)f;
    }
    while (n--)
        *t++ = *f++;
    return to;
}
