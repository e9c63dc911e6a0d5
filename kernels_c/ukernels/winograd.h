/* Samara: the two transforms of a 3 x 3 convolution by Winograd's F(2 x 2, 3 x 3); common/winograd.h explains. */
#ifndef SAM_UKERNELS_WINOGRAD_H
#define SAM_UKERNELS_WINOGRAD_H

#include <stdint.h>

typedef const struct sam_f32_winograd {
  /* v[p * plane + c] = (Bt d B)[p] of the 4 x 4 pixels d, row by row, for c < n. */
  void (*input)(int64_t n, const float *const d[16], float *v, int64_t plane);
  /* y[q][c] = clamp((At m A)[q] + bias[c]) of the 2 x 2 pixels q, from m[p * plane + c]. */
  void (*output)(int64_t n, const float *m, int64_t plane, const float *bias, float lo, float hi, float *const y[4]);
} sam_f32_winograd_t;

#endif
