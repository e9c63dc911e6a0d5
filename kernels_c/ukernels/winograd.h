/* Samara: the inner loops of 3 x 3 convolutions by Winograd's F(2 x 2, 3 x 3) and F(4 x 4, 3 x 3); common/winograd.h
 * explains. A "plane" holds one of the 16 or 36 places of all tiles: [tiles][channels]. */
#ifndef SAM_UKERNELS_WINOGRAD_H
#define SAM_UKERNELS_WINOGRAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ukernels/gemm.h"

typedef const struct sam_f32_winograd {
  /* v[p * plane + c] = (Bt d B)[p] of the 4 x 4 pixels d, row by row, for c < n. */
  void (*input)(int64_t n, const float *const d[16], float *v, int64_t plane);
  /* The same as halves, a quarter as large, so that they fit where d does. */
  void (*input_f16)(int64_t n, const float *const d[16], uint16_t *v, int64_t plane);
  /* y[q][c] = clamp((At m A)[q] + bias[c]) of the 2 x 2 pixels q, from m[p * plane + c]. */
  void (*output)(int64_t n, const float *m, int64_t plane, const float *bias, float lo, float hi, float *const y[4]);
} sam_f32_winograd_t;

/* y = a * w for one plane of integers, modulo 2^32; sums of two products must fit int32. */
typedef struct sam_s8_winograd_product {
  int64_t m;
  int32_t n, k; /* n: a multiple of nr */
  const int16_t *a;
  ptrdiff_t lda;    /* in elements */
  const int16_t *w; /* packed as gemm.h has it, one tap, kr = 2 */
  int32_t *y;
  ptrdiff_t ldy;
} sam_s8_winograd_product;

/* From sums to bytes, as in sam_s8_gemm_args; start and scale have n rounded up to nr readable elements. */
typedef struct sam_s8_winograd_end {
  const int32_t *start;
  const float *scale;
  int32_t zero_point, lo, hi;
  uint8_t flip;
  bool large_scale;
} sam_s8_winograd_end;

/* The transforms of one size of tiles, as above, of int8 values x ^ flip. output makes y[q][c] from the sum of pixel q
 * and start[c]; rows of m are readable up to the next multiple of nr. */
typedef struct sam_s8_winograd_form {
  void (*input)(int64_t n, const uint8_t *const *d, uint8_t flip, int16_t *v, int64_t plane);
  void (*output)(int64_t n, const int32_t *m, int64_t plane, const sam_s8_winograd_end *end, uint8_t *const *y);
} sam_s8_winograd_form;

typedef const struct sam_s8_winograd {
  sam_gemm_tile tile;
  int32_t lanes; /* rows of v are written up to the next multiple of it */
  void (*multiply)(const sam_s8_winograd_product *product);
  sam_s8_winograd_form two, four; /* F(2 x 2): sums times 4; F(4 x 4): times 576, see below */
} sam_s8_winograd_t;

/* Both transforms for vectors of any type: spread_<name>(x) is Bt x B in place, gather_<name>(x, y) is y = At x A.
 *   Bt = 1 0 -1 0 | 0 1 1 0 | 0 -1 1 0 | 0 1 0 -1, first over the columns of each row, then over the rows
 *   At = 1 1 1 0 | 0 1 -1 -1, likewise */
#define SAM_WINOGRAD_TRANSFORMS(name, T, ADD, SUB)                            \
  static inline void four_##name(T *x, int step) {                            \
    const T a = SUB(x[0], x[2 * step]), b = ADD(x[step], x[2 * step]);        \
    const T c = SUB(x[2 * step], x[step]), d = SUB(x[step], x[3 * step]);     \
    x[0] = a, x[step] = b, x[2 * step] = c, x[3 * step] = d;                  \
  }                                                                           \
  static inline void spread_##name(T *x) {                                    \
    for (int i = 0; i < 4; i++) four_##name(x + 4 * i, 1);                    \
    for (int i = 0; i < 4; i++) four_##name(x + i, 4);                        \
  }                                                                           \
  static inline void gather_##name(const T *x, T *y) {                        \
    T t[8];                                                                   \
    for (int i = 0; i < 4; i++) {                                             \
      t[2 * i] = ADD(ADD(x[4 * i], x[4 * i + 1]), x[4 * i + 2]);              \
      t[2 * i + 1] = SUB(SUB(x[4 * i + 1], x[4 * i + 2]), x[4 * i + 3]);      \
    }                                                                         \
    for (int j = 0; j < 2; j++) {                                             \
      y[j] = ADD(ADD(t[j], t[2 + j]), t[4 + j]);                              \
      y[2 + j] = SUB(SUB(t[2 + j], t[4 + j]), t[6 + j]);                      \
    }                                                                         \
  }

/* The same for F(4 x 4, 3 x 3): spread6_<name>, gather6_<name>.
 *   Bt = 4 0 -5 0 1 0 | 0 -4 -4 1 1 0 | 0 4 -4 -1 1 0 | 0 -2 -1 2 1 0 | 0 2 -1 -2 1 0 | 0 4 0 -5 0 1
 *   At = 6 -4 -4 1 1 0 | 0 -2 2 1 -1 0 | 0 -1 -1 1 1 0 | 0 -1 1 2 -2 6, for G without its fractions:
 *        1 0 0 | 1 1 1 | 1 -1 1 | 1 2 4 | 1 -2 4 | 0 0 1
 * Pixel (i, j) comes out times d[i] * d[j] where d = 24 12 6 6, that is 9 << SAM_WINOGRAD_SHIFT(4 * i + j). A product
 * with the inverse of 9 modulo 2^32 and a shift bring it back, if it is less than 2^25. */
#define SAM_WINOGRAD_NINTH 0x38E38E39
#define SAM_WINOGRAD_SHIFT(q) ((0x1123 >> 4 * ((q) / 4) & 15) + (0x1123 >> 4 * ((q) % 4) & 15))
#define SAM_WINOGRAD_TRANSFORMS_6(name, T, ADD, SUB)                                             \
  static inline T twice_##name(T x) { return ADD(x, x); }                                        \
  static inline void six_##name(T *x, int step) {                                                \
    T *const x1 = x + step, *const x2 = x1 + step, *const x3 = x2 + step, *const x4 = x3 + step; \
    T *const x5 = x4 + step;                                                                     \
    const T p = SUB(*x4, twice_##name(twice_##name(*x2)));                                       \
    const T q = SUB(*x3, twice_##name(twice_##name(*x1)));                                       \
    const T s = SUB(*x4, *x2), t = twice_##name(SUB(*x3, *x1));                                  \
    *x = ADD(twice_##name(twice_##name(SUB(*x, *x2))), s);                                       \
    *x5 = SUB(SUB(*x5, *x3), twice_##name(t));                                                   \
    *x1 = ADD(p, q), *x2 = SUB(p, q), *x3 = ADD(s, t), *x4 = SUB(s, t);                          \
  }                                                                                              \
  static inline void spread6_##name(T *x) {                                                      \
    for (int i = 0; i < 6; i++) six_##name(x + 6 * i, 1);                                        \
    for (int i = 0; i < 6; i++) six_##name(x + i, 6);                                            \
  }                                                                                              \
  static inline T sixfold_##name(T x) { return twice_##name(ADD(x, twice_##name(x))); }          \
  static inline void quad_##name(const T *x, int step, T *y, int to) {                           \
    const T a = ADD(x[step], x[2 * step]), b = SUB(x[step], x[2 * step]);                        \
    const T c = ADD(x[3 * step], x[4 * step]), d = SUB(x[3 * step], x[4 * step]);                \
    y[0] = ADD(SUB(sixfold_##name(x[0]), twice_##name(twice_##name(a))), c);                     \
    y[to] = SUB(d, twice_##name(b));                                                             \
    y[2 * to] = SUB(c, a);                                                                       \
    y[3 * to] = ADD(SUB(twice_##name(d), b), sixfold_##name(x[5 * step]));                       \
  }                                                                                              \
  static inline void gather6_##name(const T *x, T *y) {                                          \
    T t[24];                                                                                     \
    for (int i = 0; i < 6; i++) quad_##name(x + i, 6, t + i, 6);                                 \
    for (int j = 0; j < 4; j++) quad_##name(t + 6 * j, 1, y + 4 * j, 1);                         \
  }

#endif
