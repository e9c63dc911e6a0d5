/* Samara: functions of one quantized value as tables.
 *
 * 8 bits: 256 entries, indexed by the byte as unsigned. 16 bits: 513 samples, linear in between, each sample moved by
 * half of the interpolation's error at the middle of its step:
 *
 *      x:  |hhhhhhhhh|lllllll|     base = t[256 + h]    y = base + ((t[256 + h + 1] - base) * l + 64 >> 7)
 *
 * The function is evaluated in double and rounded to float; the rest is float32 in a fixed order. So the entries are
 * the same on every machine, whatever its libm does in the last place. */
#ifndef SAM_COMMON_TABLE_H
#define SAM_COMMON_TABLE_H

#include "fixed_point.h"

typedef double (*sam_real_fn)(double x, const void *arg);

enum { SAM_TABLE16_SIZE = 513 };

/* Quantizations must be per tensor and checked; types INT8 or UINT8, the same for both. */
void sam_table8_fill(uint8_t table[256], const sam_tensor *in, const sam_tensor *out, sam_real_fn f, const void *arg);
/* INT16 to INT16. */
void sam_table16_fill(int16_t table[SAM_TABLE16_SIZE], const sam_tensor *in, const sam_tensor *out, sam_real_fn f,
                      const void *arg);
/* The same over an input range and an output range of the caller's, computed in double. */
void sam_table16_fill_range(int16_t table[SAM_TABLE16_SIZE], double in_lo, double in_hi, double out_lo, double out_hi,
                            double (*f)(double));

/* Where the two samples around x begin, and the line between them at x. */
static inline int32_t sam_table16_step(int32_t x) { return 256 + (x >> 7); }
static inline int16_t sam_table16_between(int32_t base, int32_t next, int32_t x) {
  return (int16_t)(base + (((next - base) * (x & 127) + 64) >> 7));
}
static inline int16_t sam_table16_at(const int16_t *table, int32_t x) {
  const int32_t h = sam_table16_step(x);
  return sam_table16_between(table[h], table[h + 1], x);
}

#endif
