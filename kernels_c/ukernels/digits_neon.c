/* Sums of bytes in 16-bit lanes: 16 of them at a time. The third digit saturates where the result is out of range
 * anyway. */
#include "ukernels/simd_neon.h"
#include "ukernels/ukernels.h"

typedef struct digit_vectors {
  int8x16_t a[3], b[3];
  int16x8_t bias[3], shift;
  vb flip_a, flip_b, flip_y, lo, hi;
} digit_vectors;

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
static inline int16x8_t sum_low(const digit_vectors *v, int8x16_t a, int8x16_t b) { SUM(mul_low_s8, mla_low_s8); }
static inline int16x8_t sum_high(const digit_vectors *v, int8x16_t a, int8x16_t b) { SUM(mul_high_s8, mla_high_s8); }

/* `flips`, `clamps`: known where this is called, so that int8 without an activation does without. */
static inline vb digit_sum(vb a, vb b, const digit_vectors *v, bool flips, bool clamps) {
  if (flips) a = vb_xor(a, v->flip_a), b = vb_xor(b, v->flip_b);
  const int8x16_t sa = vreinterpretq_s8_u8(a), sb = vreinterpretq_s8_u8(b);
  vb y = vreinterpretq_u8_s8(narrow_s16(sum_low(v, sa, sb), sum_high(v, sa, sb)));
  if (clamps) y = vb_max_s8(vb_min_s8(y, v->hi), v->lo);
  return flips ? vb_xor(y, v->flip_y) : y;
}

static inline void run(int64_t n, const uint8_t *a, const uint8_t *b, uint8_t *y, int steps, const digit_vectors *v,
                       bool flips, bool clamps) {
  const vb a0 = vb_set(*a), b0 = vb_set(*b);
  const digit_vectors copy = *v; /* stores of bytes cannot change it */
  int64_t i = 0;
#define WHOLE(A, B) \
  for (; i + VB_N <= n; i += VB_N) vb_store(y + i, digit_sum(A, B, &copy, flips, clamps))
  if (steps == SAM_STEP_A)
    WHOLE(vb_load(a + i), b0);
  else if (steps == SAM_STEP_B)
    WHOLE(a0, vb_load(b + i));
  else
    WHOLE(vb_load(a + i), vb_load(b + i));
  if (i == n) return;
  const size_t m = (size_t)(n - i);
  const vb x = steps == SAM_STEP_B ? a0 : vb_load_n(a + i, m), z = steps == SAM_STEP_A ? b0 : vb_load_n(b + i, m);
  vb_store_n(y + i, digit_sum(x, z, &copy, flips, clamps), m);
}

void sam_digit_add__neon(int64_t n, const void *pa, const void *pb, void *py, int steps, const sam_binary_params *p) {
  const uint8_t *a = pa, *b = pb;
  uint8_t *y = py;
  const sam_digits *d = &p->digits;
  digit_vectors v;
  if (n <= 0) return;
  for (int k = 0; k < 3; k++) {
    v.a[k] = vdupq_n_s8((int8_t)d->a[k]);
    v.b[k] = vdupq_n_s8((int8_t)d->b[k]);
    v.bias[k] = vdupq_n_s16(d->bias[k]);
  }
  v.shift = vdupq_n_s16((int16_t)-d->shift);
  v.flip_a = vb_set(d->flip_a);
  v.flip_b = vb_set(d->flip_b);
  v.flip_y = vb_set(d->flip_y);
  v.lo = vb_set((uint8_t)d->lo);
  v.hi = vb_set((uint8_t)d->hi);
  const bool flips = d->flip_a || d->flip_b || d->flip_y, clamps = d->lo != -128 || d->hi != 127;
  if (flips)
    run(n, a, b, y, steps, &v, true, true);
  else if (clamps)
    run(n, a, b, y, steps, &v, false, true);
  else
    run(n, a, b, y, steps, &v, false, false);
}
