/* Samara: 3 x 3 convolutions of floats with stride 1 by Winograd's F(2 x 2, 3 x 3): 16 multiplications where the
 * definition has 36 (S. Winograd, 1980; A. Lavin and S. Gray, "Fast Algorithms for Convolutional Neural Networks").
 *
 *   y = At ((G g Gt) . (Bt d B)) A      for every 2 x 2 output pixels y, from 4 x 4 input pixels d and the filter g
 *
 * The dot in the middle, summed over the input channels, is a matrix product at each of the 16 places: tiles x channels
 * times channels x outputs. G g Gt is packed once; its 16 matrices take 16/9 of the filter's bytes. Results differ from
 * the definition's by a few units in the last place of the largest product. */
#ifndef SAM_COMMON_WINOGRAD_H
#define SAM_COMMON_WINOGRAD_H

#include "samara/op.h"
#include "ukernels/ukernels.h"

typedef struct sam_winograd {
  /* Set by the caller. */
  const sam_tensor *in, *filter, *bias, *out; /* NHWC, [n][3][3][k], [n] or NULL */
  int32_t top, left;                          /* padding before the first pixel */
  float lo, hi;

  /* sam_winograd's own. */
  sam_f32_gemm_t *gemm;
  sam_f32_winograd_t *transform;
  const float *packed;
  int32_t n_padded;
  int64_t tiles_x, tiles; /* of one image */
  int64_t block;          /* tiles of one item */
  size_t thread_bytes;
} sam_winograd;

/* Whether it wins; the shapes must be those of a convolution with stride and dilation 1 and one group. */
bool sam_winograd_wins(const sam_winograd *w);
/* prepare: packs the filter. */
sam_status sam_winograd_prepare(sam_ctx *ctx, sam_winograd *w);
size_t sam_winograd_scratch(const sam_ctx *ctx, const sam_winograd *w);
void sam_winograd_run(sam_ctx *ctx, const sam_winograd *w, void *scratch);

#endif
