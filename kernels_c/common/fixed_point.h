/* Samara: the integer arithmetic of the format's quantized operators, in plain C that no compiler may change.
 *
 * A real factor d > 0 is held as q * 2^(shift - 31) with q in [2^30, 2^31): sam_multiplier. Applying it to an int32
 * rounds twice, at last half away from zero (rule D-away of the format's reference kernels):
 *
 *      x ──* 2^left──> ──* q, take the high 31 bits, round──> ── / 2^right, round──> result
 */
#ifndef SAM_COMMON_FIXED_POINT_H
#define SAM_COMMON_FIXED_POINT_H

#include <limits.h>
#include <math.h>
#include <stdint.h>

#include "samara/op.h"

typedef struct sam_multiplier {
  int32_t q;
  int32_t shift;
} sam_multiplier;

/* Factors too small for 31 bits become 0, too large ones the largest. d must be finite and >= 0. */
static inline sam_multiplier sam_multiplier_of(double d) {
  sam_multiplier m = {0, 0};
  if (!(d > 0)) return m;
  if (d >= 0x1p30) return (sam_multiplier){INT32_MAX, 30};
  int exponent;
  double fraction = frexp(d, &exponent);
  int64_t q = (int64_t)floor(fraction * 2147483648.0 + 0.5);
  if (q == (INT64_C(1) << 31)) {
    q /= 2;
    exponent++;
  }
  if (exponent < -31) return m;
  if (exponent > 30) {
    exponent = 30;
    q = INT32_MAX;
  }
  m.q = (int32_t)q;
  m.shift = exponent;
  return m;
}

static inline int32_t sam_saturate32(int64_t x) {
  return x > INT32_MAX ? INT32_MAX : x < INT32_MIN ? INT32_MIN : (int32_t)x;
}

/* a * b / 2^31, rounded, halves up; the one overflow (both INT32_MIN) saturates. */
static inline int32_t sam_high_mul32(int32_t a, int32_t b) {
  if (a == INT32_MIN && b == INT32_MIN) return INT32_MAX;
  return (int32_t)(((int64_t)a * b + (INT64_C(1) << 30)) >> 31);
}

/* x / 2^n for n in [0, 31], rounded half away from zero. */
static inline int32_t sam_round_shift32(int32_t x, int n) {
  if (n == 0) return x;
  return (int32_t)(((int64_t)x + (INT64_C(1) << (n - 1)) - (x < 0)) >> n);
}

static inline int32_t sam_scale32(int32_t x, sam_multiplier m) {
  int left = m.shift > 0 ? m.shift : 0, right = m.shift > 0 ? 0 : -m.shift;
  int32_t shifted = sam_saturate32((int64_t)((uint64_t)(int64_t)x << left));
  return sam_round_shift32(sam_high_mul32(shifted, m.q), right);
}

/* 1 / sqrt(x) for x >= 0 (0 counts as 1), with the format's choice of bits: q below 2^29, so that the first of the two
 * roundings is the coarse one. */
static inline sam_multiplier sam_inverse_root(int64_t x) {
  sam_multiplier m = {INT32_MAX, 0};
  if (x <= 1) return m;
  int shift = 11;
  for (; x >= (INT64_C(1) << 29); x /= 4) shift++;
  for (; x < (INT64_C(1) << 27); x *= 4) shift--;
  int64_t q = (int64_t)floor(268435456.0 * sqrt(0.5) / sqrt((double)x / 536870912.0) + 0.5);
  for (; shift < 0; shift++) q *= 2;
  m.q = q > INT32_MAX ? INT32_MAX : (int32_t)q;
  m.shift = -shift;
  return m;
}

static inline int32_t sam_clamp32(int32_t x, int32_t lo, int32_t hi) { return x < lo ? lo : x > hi ? hi : x; }

/* Saturating conversion of a rounded double; NaN gives 0. */
static inline int32_t sam_int32_of(double x) {
  if (x != x) return 0;
  return x >= 2147483647.0 ? INT32_MAX : x <= -2147483648.0 ? INT32_MIN : (int32_t)x;
}

/* Half away from zero, half to even: independent of the rounding mode's libm quirks. */
static inline double sam_round_away(double x) { return x < 0 ? ceil(x - 0.5) : floor(x + 0.5); }
static inline float sam_round_away_f32(float x) { return roundf(x); }

/* log2 of a power of two; false when x is none (within the format's tolerance of 1e-3 in the exponent). */
static inline bool sam_exact_log2(float x, int *result) {
  double exponent = log2((double)x), rounded = sam_round_away(exponent);
  *result = (int)rounded;
  return fabs(exponent - rounded) < 1e-3;
}

/* Range of a quantized or plain integer type of up to 32 bits. */
static inline void sam_type_range(sam_type type, int32_t *lo, int32_t *hi) {
  switch (type) {
    case SAM_INT8:
      *lo = -128, *hi = 127;
      break;
    case SAM_UINT8:
      *lo = 0, *hi = 255;
      break;
    case SAM_INT16:
      *lo = -32768, *hi = 32767;
      break;
    case SAM_UINT16:
      *lo = 0, *hi = 65535;
      break;
    case SAM_INT4:
      *lo = -8, *hi = 7;
      break;
    case SAM_UINT4:
      *lo = 0, *hi = 15;
      break;
    case SAM_INT2:
      *lo = -2, *hi = 1;
      break;
    default:
      *lo = INT32_MIN, *hi = INT32_MAX;
      break;
  }
}

/* `real` in the units of (scale, zero_point), rounded half away from zero, clamped to [lo, hi]. */
static inline int32_t sam_quantize_bound(float real, float scale, int32_t zero_point, int32_t lo, int32_t hi) {
  double q = (double)roundf(real / scale) + zero_point;
  return q <= lo ? lo : q >= hi ? hi : (int32_t)q;
}

#endif
