/* Samara: microkernels of one row times a matrix that is read where it lies, once. Two arrangements (sam_matvec_kernel):
 *
 *   rows   sums[c] = what x[i] * y[i * stride + c] add up to, i < k, c < n     (columns side by side)
 *   runs   sums[c] = what x[i] * y[c * stride + i] add up to
 *
 * Sums of floats have one order in either, whatever the neighbours. */
#ifndef SAM_UKERNELS_MATVEC_H
#define SAM_UKERNELS_MATVEC_H

#include <stdint.h>

typedef void sam_matvec_kernel(int64_t n, int64_t k, const void *x, const void *y, int64_t stride, void *sums);

enum { SAM_MATVEC_DEPTH = 1 << 15 /* most k of s16 */ };

/*         x        y        sums
 *   f32   float    float    float
 *   s8    int16    int8     int32, modulo 2^32
 *   u8    int16    uint8    int32, modulo 2^32
 *   s16   int16    int16    int64 */
typedef const struct sam_matvec_uk {
  sam_matvec_kernel *f32_rows, *s8_rows, *u8_rows, *s16_rows;
  sam_matvec_kernel *f32_runs, *s8_runs, *u8_runs, *s16_runs;
} sam_matvec_t;

#endif
