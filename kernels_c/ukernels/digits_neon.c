/* Sums of bytes in 16-bit lanes: 16 of them at a time. */
#include "ukernels/simd_neon.h"
#include "ukernels/ukernels.h"

typedef struct digits {
  int8x16_t a[3], b[3];
  int16x8_t low, top; /* bias: both lower digits, the third */
  int16x8_t up;       /* results are the upper bytes then */
} digits;

/* The lowest digit from -64 to 63 leaves 16-bit sums room for two digits of the bias. */
static inline void spread_digit(const uint8_t *digit, int8x16_t *v) {
  const int upper = digit[1] + (digit[0] >> 6), top = digit[2] + (upper >> 7);
  v[0] = vdupq_n_s8((int8_t)(digit[0] - (digit[0] >> 6 << 7)));
  v[1] = vdupq_n_s8((int8_t)(upper & 127));
  v[2] = vdupq_n_s8((int8_t)top);
}

static inline digits spread_digits(const sam_digits *d) {
  digits v = {.low = vdupq_n_s16((int16_t)(d->bias[0] + (d->bias[1] << 7))),
              .top = vdupq_n_s16(d->bias[2]),
              .up = vdupq_n_s16((int16_t)(8 - d->shift))};
  spread_digit(d->a, v.a);
  spread_digit(d->b, v.b);
  return v;
}

/* A carry of 7 bits goes into the next digit by the instruction that shifts it. */
#define SUM(mul, mla)                                                          \
  do {                                                                         \
    const int16x8_t d0 = mla(mla(v->low, a, v->a[0]), b, v->b[0]);             \
    const int16x8_t d1 = vsraq_n_s16(mla(mul(a, v->a[1]), b, v->b[1]), d0, 7); \
    const int16x8_t d2 = vsraq_n_s16(mla(mul(a, v->a[2]), b, v->b[2]), d1, 7); \
    return vreinterpretq_u8_s16(vqshlq_s16(vqaddq_s16(d2, v->top), v->up));    \
  } while (0)
static inline vb sum_low(const digits *v, int8x16_t a, int8x16_t b) { SUM(mul_low_s8, mla_low_s8); }
static inline vb sum_high(const digits *v, int8x16_t a, int8x16_t b) { SUM(mul_high_s8, mla_high_s8); }

static inline vb sum_digits(vb a, vb b, const digits *v) {
  const int8x16_t sa = vreinterpretq_s8_u8(a), sb = vreinterpretq_s8_u8(b);
  return vuzpq_u8(sum_low(v, sa, sb), sum_high(v, sa, sb)).val[1];
}

enum { TOGETHER = 4 };
#include "ukernels/digits.inc"
