/* Samara: matrix multiplication, the kinds f32_gemm, f16_gemm and s8_gemm. Convolutions run on them without im2col:
 *
 *      row i of the left matrix:   the bytes at a[i] + tap[0], then at a[i] + tap[1], …   (`k` elements at each)
 *                                  = the window of output pixel i; a plain matrix has one tap, offset 0
 *      right matrix, packed:       [columns / nr][taps][k rounded up to kr / kr][nr][kr]    zeros where nothing is
 *                                  one "panel" of nr columns after the other
 *
 * A call computes all columns of `n` for all rows of `m`. The caller cuts larger products into calls that fit the
 * caches. Arrays per column (bias, scale, …) have n rounded up to nr readable elements. */
#ifndef SAM_UKERNELS_GEMM_H
#define SAM_UKERNELS_GEMM_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Layout of the packed right matrix. */
typedef struct sam_gemm_tile {
  int32_t mr; /* rows that fill the registers: give multiples of it where possible */
  int32_t nr, kr;
  int32_t rate; /* multiplications per cycle, roughly: how much work is worth a thread */
} sam_gemm_tile;

typedef struct sam_f32_gemm_args {
  int64_t m;
  int32_t n, taps, k;
  const float *const *a;
  const ptrdiff_t *tap; /* in bytes */
  const float *w;
  const float *bias; /* NULL: zero */
  float *y;          /* row i at y + i * ldy */
  ptrdiff_t ldy;     /* in elements */
  float lo, hi;      /* clamp */
} sam_f32_gemm_args;

typedef const struct sam_f32_gemm {
  sam_gemm_tile tile; /* kr = 1 */
  void (*run)(const sam_f32_gemm_args *args);
  const struct sam_f32_gemm *few; /* for fewer columns than nr, whose vectors lie along k; nr = 1; or NULL */
} sam_f32_gemm_t;

/* The kernel for n columns of these sums: `few` takes a step for nr elements of k and column, and some for each sum. */
static inline sam_f32_gemm_t *sam_f32_gemm_for(sam_f32_gemm_t *kernel, int64_t n, int64_t taps, int64_t k) {
  const int64_t nr = kernel->tile.nr, steps = taps * ((k + nr - 1) / nr) + 4;
  return kernel->few && n < nr && n * steps < taps * k ? kernel->few : kernel;
}

/* The same in half precision: y = clamp(bias + scale[j] * sum a * w). At most SAM_F16_RUN products are added up as
 * halves; such sums go to one of float32, so that long ones lose no more than short ones. sam_f16_scale makes weights
 * so small that no sum of halves is larger than the largest element of its rows: what leaves the range of halves
 * (65504) is an element of `a` alone, and then infinite, as IEEE 754 has it. */
enum { SAM_F16_RUN = 64 };
typedef struct sam_f16_gemm_args {
  int64_t m;
  int32_t n, taps, k;
  const uint16_t *const *a;
  const ptrdiff_t *tap;
  const uint16_t *w; /* each panel: nr factors `scale` (float), then its weights times 1 / scale[j] */
  const float *bias;
  float *y;
  ptrdiff_t ldy;
  float lo, hi;
} sam_f16_gemm_args;

typedef const struct sam_f16_gemm {
  sam_gemm_tile tile; /* kr = 1; a rate above f32_gemm's where this is the faster one */
  void (*run)(const sam_f16_gemm_args *args);
  void (*convert)(int64_t n, const float *x, uint16_t *y); /* half to even; beyond 65504 infinity */
} sam_f16_gemm_t;

/* A power of two for a column whose largest finite weight has this magnitude: times 1 / scale it is at most
 * 1 / SAM_F16_RUN. */
static inline float sam_f16_scale(float magnitude) {
  int exponent = 0;
  frexpf(magnitude, &exponent);
  return ldexpf(SAM_F16_RUN, exponent < -120 ? -120 : exponent > 120 ? 120 : exponent);
}

enum { SAM_GEMM_S8, SAM_GEMM_F32, SAM_GEMM_S32 };

/* How a kernel wants the int8 values of the left side: as they are, plus 128 (machines that multiply unsigned by
 * signed), or widened. */
typedef enum sam_a_form { SAM_A_S8, SAM_A_U8, SAM_A_S16 } sam_a_form;

/* acc = bias[j] + row[i] * col[j] + sum a * w, then by `out`:
 *   S8   y = clamp(round_half_even(float(acc) * scale[j]) + zero_point, lo, hi) ^ out_flip       (bytes)
 *   F32  y = clamp(float(acc) * (row_scale[i] * scale[j]) + fbias[j], flo, fhi)
 *   S32  y = acc
 * uint8 data is int8 data with the upper bit flipped: out_flip = 0x80 writes uint8. */
typedef struct sam_s8_gemm_args {
  int64_t m;
  int32_t n, taps, k;
  int32_t skipped;      /* taps that a panel of w has besides those */
  const void *const *a; /* in the kernel's form; each run is readable up to the next multiple of kr elements */
  int64_t row_step;     /* bytes from a row to the next in every four of them from the first on; 0: any */
  const ptrdiff_t *tap; /* in bytes */
  const int8_t *w;
  const int32_t *bias; /* with form U8, holds -128 * (sum of column j); NULL: zero */
  const int32_t *row;  /* NULL: no rank-one term */
  const int32_t *col;
  const float *scale;
  int32_t out;
  uint8_t out_flip;
  const int8_t *fix;                 /* fitted weights, see common/fit.h: of nr columns and kr elements of k each, */
  const int32_t *fix_start, *fix_at; /* the first of each panel and of the one behind; bytes before its elements */
  bool pairs_fit;                    /* sam_s8_gemm_pairs_fit: the sums of two products the kernel makes fit 16 bits */
  const uint8_t *quads;              /* of each panel and tap: sam_s8_gemm_quads_fit; or NULL */
  int32_t w_zero;                    /* taken off all weights, if the kernel's takes_zero says so of these arguments */
  bool large_scale;                  /* a scale is 1 or more: the product may pass 2^31 */
  bool fits16;                       /* sam_s8_gemm_fits16 of all columns */
  int32_t zero_point, lo, hi;
  const float *row_scale, *fbias; /* fbias NULL: zero */
  float flo, fhi;
  void *y;
  ptrdiff_t ldy; /* in elements */
} sam_s8_gemm_args;

typedef const struct sam_s8_gemm {
  sam_gemm_tile tile;
  sam_a_form form;
  int32_t pair; /* bytes between two weights whose products meet in 16 bits; 0: none do; -1: no weight may be -128 */
  bool (*quads_fit)(const int8_t *w); /* NULL, or whether sums of four products fit 16 bits in two steps of a panel */
  const struct sam_s8_gemm *thin; /* the kernel for sums of at most thin_depth products, of the same form; or NULL */
  int32_t thin_depth;
  const struct sam_s8_gemm *fitted; /* for weights fitted by common/fit.h; form U8, nr 8, kr 4; or NULL */
  /* For int4 weights of one tap in groups of 64, k a multiple of 64 / nr: byte i of a group has weight i of the panel
   * in its lower half and weight i + 32 in the upper one; or NULL. */
  const struct sam_s8_gemm *int4;
  /* Of fitted kernels: sets `bit` in flags[i / 8] where 8 weights (x ^ flip) - zero from the i-th on may not fit. */
  void (*fit_over)(int64_t n, const uint8_t *x, uint8_t flip, int32_t zero, uint8_t bit, uint8_t *flags);
  bool (*takes_zero)(const sam_s8_gemm_args *args); /* or NULL */
  void (*run)(const sam_s8_gemm_args *args);
  /* n values x ^ flip (int8 or, with flip 0x80, uint8) to the form. */
  void (*convert)(int64_t n, const uint8_t *x, uint8_t flip, void *to);
  /* sums[i] = sum over taps and k of the int8 values. */
  void (*row_sums)(const sam_s8_gemm_args *args, int32_t *sums);
  /* The sum of the magnitudes of n weights x ^ flip; NULL: the kernel does not ask for args->fits16. */
  int32_t (*magnitude)(int64_t n, const uint8_t *x, uint8_t flip);
} sam_s8_gemm_t;

static inline const struct sam_s8_gemm *sam_s8_gemm_for(const struct sam_s8_gemm *kernel, int64_t depth) {
  return kernel->thin && depth <= kernel->thin_depth ? kernel->thin : kernel;
}

/* Two products of int8 fit 16 bits unless all four factors are -128. Looks at the packed weights of a run. */
static inline bool sam_s8_gemm_pairs_fit(const int8_t *w, size_t bytes, int32_t pair) {
  const int8_t *end = w + bytes;
  if (pair < 0) return !memchr(w, 0x80, bytes);
  while (pair && w + pair < end && (w = memchr(w, 0x80, (size_t)(end - w - pair))) != NULL)
    if (w++[pair] == -128) return false;
  return true;
}

/* Whether 16 bits have room for every value a column can have before its zero point is added, and for that: a kernel
 * then need not saturate twice. `start`: the bias; `magnitude`: the sum of the magnitudes of its weights. vf_rounder of
 * simd_neon.h has room for 19008. */
enum { SAM_GEMM_FITS16 = 19000 };
static inline bool sam_s8_gemm_fits16(double magnitude, int32_t start, float scale) {
  return (128 * magnitude + fabs((double)start)) * fabs((double)scale) < SAM_GEMM_FITS16;
}

/* n int4 weights (a multiple of 16) to int8. They lie in groups of 16: byte i has weight i below and i + 8 above. */
typedef void sam_s4_open_t(int64_t n, const void *x, int8_t *y);

/* Whether all sums of four products of a run fit 16 bits. Looks at its packed weights. */
static inline bool sam_s8_gemm_quads_fit(const struct sam_s8_gemm *kernel, const int8_t *w, size_t bytes) {
  const size_t two = 2 * (size_t)(kernel->tile.nr * kernel->tile.kr);
  if (!kernel->quads_fit || bytes < two) return false;
  for (; bytes >= two; bytes -= two, w += two)
    if (!kernel->quads_fit(w)) return false;
  return true;
}

/* int16 by int8 into 64-bit sums, exact for every size. */
typedef struct sam_s16_gemm_args {
  int64_t m;
  int32_t n, taps, k;
  const int16_t *const *a; /* each run is readable up to the next multiple of kr elements */
  const ptrdiff_t *tap;
  const int8_t *w;
  int64_t *y; /* columns up to the next multiple of nr may be written */
  ptrdiff_t ldy;
} sam_s16_gemm_args;

/* y[i] = (sums[i] + bias[i]) * factor[i], rounded half up, or half away from zero, clamped. |sums[i] + bias[i]| is at
 * most 2^SAM_S16_BITS: with factors of 15 bits (rule R16) doubles are exact then. */
enum { SAM_S16_BITS = 37 };
typedef struct sam_s16_finish_args {
  int64_t n;
  const int64_t *sums, *bias;
  const double *factor;
  bool away;
  int32_t lo, hi;
  int16_t *y;
} sam_s16_finish_args;

typedef const struct sam_s16_gemm {
  sam_gemm_tile tile;
  void (*run)(const sam_s16_gemm_args *args);
  void (*finish)(const sam_s16_finish_args *args);
} sam_s16_gemm_t;

#endif
