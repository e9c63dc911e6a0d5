/* Samara: 3 x 3 convolutions with stride 1 by Winograd's F(2 x 2, 3 x 3): 16 multiplications where the definition has
 * 36; and, for integers, F(4 x 4, 3 x 3): 36 where it has 144 (S. Winograd, 1980; A. Lavin and S. Gray, "Fast Algorithms
 * for Convolutional Neural Networks").
 *
 *   y = At ((G g Gt) . (Bt d B)) A      for every 2 x 2 output pixels y, from 4 x 4 input pixels d and the filter g
 *                                 (4 x 4 from 6 x 6)
 *
 * The dot in the middle, summed over the input channels, is a matrix product at each of the 16 or 36 places: tiles x
 * channels times channels x outputs. G g Gt is packed once.
 *
 *   FLOAT32       16/9 of the filter's bytes; results differ from the definition's by a few units in the last place of
 *                 the largest product. In half precision the products alone are: transforms add floats
 *   INT8, UINT8   exact. 2 G has whole numbers only, so the sums come out four times as large, without a remainder. The
 *                 left side takes 11 bits, the right one 13, both are kept in 16: 32/9 of the filter's bytes. Pays where
 *                 bytes are widened to 16 bits before they are multiplied anyway.
 *                 F(4 x 4): the left side takes 15 bits, the right one 14 or 15; 8 bytes for one of the filter. Sums
 *                 are those of the definition times 9 * 2^2 to 9 * 2^6, modulo 2^32, so exact where these are less than
 *                 2^25: up to 227 channels of int8. Pays where tiles are many */
#ifndef SAM_COMMON_WINOGRAD_H
#define SAM_COMMON_WINOGRAD_H

#include "common/matmul.h"

typedef struct sam_winograd {
  /* Set by the caller. */
  sam_matmul *mm;    /* with types and kernels chosen; prepare makes it hold our packed filter */
  int32_t top, left; /* padding before the first pixel */

  /* sam_winograd's own. */
  const sam_tensor *in, *filter, *out; /* NHWC, [n][3][3][k] */
  sam_f32_winograd_t *f32;
  sam_s8_winograd_t *s8;
  const sam_s8_winograd_form *form;
  int32_t size, planes;            /* 2, 16 or 4, 36 */
  int64_t k_padded;                /* elements of a row of the transformed input */
  int64_t plane_bytes;             /* of the packed filter */
  int64_t tiles_x, tiles;          /* of one image */
  int64_t block;                   /* tiles of one item */
  int64_t in_plane, product_plane; /* elements */
  size_t input_bytes, thread_bytes;
} sam_winograd;

/* Whether it wins; the shapes must be those of a convolution with stride and dilation 1 and one group. */
bool sam_winograd_wins(const sam_matmul *mm);
/* prepare: packs the filter. */
sam_status sam_winograd_prepare(sam_ctx *ctx, sam_winograd *w);
size_t sam_winograd_scratch(const sam_ctx *ctx, const sam_winograd *w);
/* eval, after sam_matmul_bind. */
void sam_winograd_run(sam_ctx *ctx, const sam_winograd *w, void *scratch);

#endif
