/*
 * Copies between a ring and its user's buffer. newlib's memcpy falls back to
 * a byte at a time when the two addresses differ in their low three bits, and
 * after one odd-sized message in a byte ring they nearly always do. This one
 * merges shifted words there, and only touches words that lie wholly inside:
 * the bytes beside them may be written by the peer at this moment.
 */
#ifndef RING_COPY_H
#define RING_COPY_H

#include <stdint.h>

/* No overlap. */
void ring_copy(unsigned char *to, const unsigned char *from, uint64_t n);

#endif
