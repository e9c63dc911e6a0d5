/* Samara: from an integer accumulator to a quantized output. The rules, by the names of ARCHITECTURE.md:
 *
 *   float rule  round_half_even(float(acc) * float(scale)): int8 and uint8 multiply-accumulate operators. IEEE single
 *               precision is the same everywhere, so every machine gives the same bytes
 *   D-away      two roundings in 31-bit fixed point, both half away from zero: what the format's portable kernels use
 *   D-up        the same with the second rounding half up: what their ARM code uses
 *   S-up        one rounding of the exact 64-bit product, half up
 *   S-away      one rounding of the product in double precision, half away from zero
 *   R16         64-bit accumulators, multiplier cut to 16 bits: int16 activations with 64-bit bias
 *
 * sam_scale32 of fixed_point.h is D-away. */
#ifndef SAM_COMMON_REQUANT_H
#define SAM_COMMON_REQUANT_H

#include "common/fixed_point.h"

/* Rounds half to even; |x| must be at most 2^22. The sum lands where floats are whole numbers. */
static inline int32_t sam_round_small(float x) {
  const float magic = 12582912.0f, shifted = x + magic;
  return (int32_t)(shifted - magic);
}

/* The float rule. lo, hi: the activation range in quantized units. Clamps before it adds the zero point. */
static inline int32_t sam_requant(int32_t acc, float scale, int32_t zero_point, int32_t lo, int32_t hi) {
  float x = (float)acc * scale;
  const float min = (float)(lo - zero_point), max = (float)(hi - zero_point);
  x = x > min ? x : min; /* NaN, which no checked scale gives, becomes min */
  x = x < max ? x : max;
  return sam_round_small(x) + zero_point;
}
static inline int8_t sam_requant_s8(int32_t acc, float scale, int32_t zero_point, int32_t lo, int32_t hi) {
  return (int8_t)sam_requant(acc, scale, zero_point, lo, hi);
}
static inline uint8_t sam_requant_u8(int32_t acc, float scale, int32_t zero_point, int32_t lo, int32_t hi) {
  return (uint8_t)sam_requant(acc, scale, zero_point, lo, hi);
}

static inline int16_t sam_srdhm_i16(int16_t a, int16_t b) {
  if (a == INT16_MIN && b == INT16_MIN) return INT16_MAX;
  const int32_t product = (int32_t)a * b;
  return (int16_t)((product + (product >= 0 ? 1 << 14 : 1 - (1 << 14))) / (1 << 15));
}

/* D-up. */
static inline int32_t sam_scale32_up(int32_t x, sam_multiplier m) {
  const int left = m.shift > 0 ? m.shift : 0, right = m.shift > 0 ? 0 : -m.shift;
  const int32_t y = sam_high_mul32((int32_t)((uint32_t)x << left), m.q);
  return right ? (int32_t)(((int64_t)y + (INT64_C(1) << (right - 1))) >> right) : y;
}
/* S-up. */
static inline int32_t sam_scale64_single(int64_t x, sam_multiplier m) {
  return (int32_t)((x * m.q + (INT64_C(1) << (30 - m.shift))) >> (31 - m.shift));
}
/* R16: x within 48 bits, or the product wraps. */
static inline int64_t sam_q16(sam_multiplier m) { return m.q < 0x7fff0000 ? (m.q + (1 << 15)) >> 16 : 0x7fff; }
static inline int32_t sam_scale64_r16(int64_t x, sam_multiplier m) {
  const int64_t q16 = sam_q16(m);
  const int shift = m.shift > 14 ? 14 : m.shift;
  const uint64_t product = (uint64_t)x * (uint64_t)q16 + (UINT64_C(1) << (14 - shift));
  return sam_saturate32((int64_t)product >> (15 - shift));
}
/* What R16 multiplies with, before it rounds half up. */
static inline double sam_factor_r16(sam_multiplier m) {
  return ldexp((double)sam_q16(m), (m.shift > 14 ? 14 : m.shift) - 15);
}
/* S-away. */
static inline int32_t sam_scale64_away(int64_t x, double d) { return sam_int32_of(sam_round_away((double)x * d)); }

#endif
