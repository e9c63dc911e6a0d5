#include "ukernels/simd_neon.h"

/* 16 channels at once; 16-bit lanes take the bytes of 128 pixels. */
enum { SUM_AT_ONCE = 128 };
#define SUM_PIXELS(t, type)                                                                   \
  static inline void t##_sum_pixels(const type *p, int64_t cols, int64_t channels, vi s[4]) { \
    while (cols > 0) {                                                                        \
      int64_t n = cols < SUM_AT_ONCE ? cols : SUM_AT_ONCE;                                    \
      cols -= n;                                                                              \
      int16x8_t low = vdupq_n_s16(0), high = low;                                             \
      for (; n > 0; n--, p += channels) {                                                     \
        const vb x = vb_load(p);                                                              \
        low = add_low_##t(low, x), high = add_high_##t(high, x);                              \
      }                                                                                       \
      s[0] = vaddw_s16(s[0], vget_low_s16(low)), s[1] = add_high_s16(s[1], low);              \
      s[2] = vaddw_s16(s[2], vget_low_s16(high)), s[3] = add_high_s16(s[3], high);            \
    }                                                                                         \
  }

/* The body, over that vector layer: */
#include "ukernels/pool.inc"
