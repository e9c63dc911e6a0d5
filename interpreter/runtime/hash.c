/* Four independent lanes of 16 bytes each, mixed by the full product of two 64-bit numbers, so that memory is what
 * limits it. The additions beside the product keep what a factor of zero would lose. */
#include "hash.h"

#include <string.h>

enum { LANES = 4, BLOCK = 16 * LANES };

/* Odd, with as many ones as zeros. */
static const uint64_t keys[LANES] = {UINT64_C(0xa3321b3fe9142b4d), UINT64_C(0x29865e36b10ccd7d),
                                     UINT64_C(0x6dc730c5bd825587), UINT64_C(0xe01bdc0cd28ef41f)};

static inline uint64_t turned(uint64_t x, int bits) { return x << bits | x >> (64 - bits); }

/* Both halves of the product, as one. */
static inline uint64_t product(uint64_t x, uint64_t y) {
#if defined(__SIZEOF_INT128__)
  __extension__ const unsigned __int128 p = (unsigned __int128)x * y;
  return (uint64_t)p ^ (uint64_t)(p >> 64);
#else
  const uint64_t xl = x & 0xffffffff, xh = x >> 32, yl = y & 0xffffffff, yh = y >> 32;
  const uint64_t low = xl * yl, left = xh * yl + (low >> 32), right = xl * yh + (left & 0xffffffff);
  return (right << 32 | (low & 0xffffffff)) ^ (xh * yh + (left >> 32) + (right >> 32));
#endif
}

static inline uint64_t mixed(uint64_t lane, const unsigned char *from, uint64_t key) {
  uint64_t x, y;
  memcpy(&x, from, 8);
  memcpy(&y, from + 8, 8);
  return turned(lane, 29) + (x ^ turned(y, 32)) + product(x ^ key, y ^ lane);
}

sam_hash sam_hash_of(const void *data, size_t bytes, sam_hash seed) {
  const unsigned char *from = data;
  unsigned char last[BLOCK] = {0};
  uint64_t l0 = seed.a ^ keys[3], l1 = seed.b ^ keys[2], l2 = seed.a + keys[1], l3 = seed.b + keys[0];
  if (bytes % BLOCK) memcpy(last, from + bytes / BLOCK * BLOCK, bytes % BLOCK);
  for (size_t left = bytes / BLOCK + 1; left > 0; left--, from += BLOCK) {
    if (left == 1) from = last;
    l0 = mixed(l0, from, keys[0]); /* by name, so that they stay in registers */
    l1 = mixed(l1, from + 16, keys[1]);
    l2 = mixed(l2, from + 32, keys[2]);
    l3 = mixed(l3, from + 48, keys[3]);
  }
  const uint64_t lanes[LANES] = {l0, l1, l2, l3};
  uint64_t a = (uint64_t)bytes, b = ~(uint64_t)bytes;
  for (int i = 0; i < LANES; i++) {
    a = turned(a, 31) + product(lanes[i] ^ keys[i], a ^ keys[LANES - 1 - i]);
    b = turned(b, 37) + product(lanes[LANES - 1 - i] ^ a, b ^ keys[i]);
  }
  return (sam_hash){a, b};
}
