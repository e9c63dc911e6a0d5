/* Sums of bytes in 16-bit lanes: 16 of them at a time. */
#include "ukernels/simd_neon.h"
#include "ukernels/ukernels.h"

typedef struct digits {
  int8x16_t a[3], b[3];
  int16x8_t bias[3], shift;
} digits;

static inline digits spread_digits(const sam_digits *d) {
  digits v = {.shift = vdupq_n_s16((int16_t)-d->shift)};
  for (int k = 0; k < 3; k++) {
    v.a[k] = vdupq_n_s8((int8_t)d->a[k]);
    v.b[k] = vdupq_n_s8((int8_t)d->b[k]);
    v.bias[k] = vdupq_n_s16(d->bias[k]);
  }
  return v;
}

/* A carry of 7 bits goes into the next digit by the instruction that shifts it. */
#define SUM(mul, mla)                                        \
  do {                                                       \
    int16x8_t d0 = mla(v->bias[0], a, v->a[0]);              \
    d0 = mla(d0, b, v->b[0]);                                \
    int16x8_t d1 = mla(v->bias[1], a, v->a[1]);              \
    d1 = vsraq_n_s16(mla(d1, b, v->b[1]), d0, 7);            \
    const int16x8_t d2 = mla(mul(a, v->a[2]), b, v->b[2]);   \
    const int16x8_t sum = vsraq_n_s16(d2, d1, 7);            \
    return vshlq_s16(vqaddq_s16(sum, v->bias[2]), v->shift); \
  } while (0)
static inline int16x8_t sum_low(const digits *v, int8x16_t a, int8x16_t b) { SUM(mul_low_s8, mla_low_s8); }
static inline int16x8_t sum_high(const digits *v, int8x16_t a, int8x16_t b) { SUM(mul_high_s8, mla_high_s8); }

static inline vb sum_digits(vb a, vb b, const digits *v) {
  const int8x16_t sa = vreinterpretq_s8_u8(a), sb = vreinterpretq_s8_u8(b);
  return vreinterpretq_u8_s8(narrow_s16(sum_low(v, sa, sb), sum_high(v, sa, sb)));
}

enum { TOGETHER = 4 };
#include "ukernels/digits.inc"
