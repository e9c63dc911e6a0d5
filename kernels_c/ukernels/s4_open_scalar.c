/* int4 to int8, eight bytes of nibbles at a time: the lower ones, then the upper ones, each moved to 8 bits by
 * (x ^ 8) - 8. An upper bit of 1 keeps the subtraction from borrowing from the next byte. */
#include <string.h>

#include "ukernels/ukernels.h"

static inline uint64_t widen(uint64_t nibbles) {
  const uint64_t each = UINT64_C(0x0101010101010101);
  return (((nibbles & each * 15) ^ each * 0x88) - each * 8) ^ each * 0x80;
}

void sam_s4_open__scalar(int64_t n, const void *x, int8_t *y) {
  const char *from = x;
  for (int64_t i = 0; i < n; i += 16, from += 8) {
    uint64_t both;
    memcpy(&both, from, 8);
    const uint64_t pair[2] = {widen(both), widen(both >> 4)};
    memcpy(y + i, pair, 16);
  }
}
