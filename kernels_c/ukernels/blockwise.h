/* Samara: int8 rows by int4 weights that have a scale for each block of k ("blockwise"): the layout of the weights, and
 * the kernel. Whole numbers inside a block, floats from block to block:
 *
 *   y[i][c] = clamp(row_scale[i] * (sum over blocks b of scale[c][b] * (x . w of the block) - row_zero[i] * offset[c])
 *                   + bias[c])        offset[c] = sum over b of scale[c][b] * (sum of w in the block)
 *
 * A panel is 8 columns. For each block: its weights, then the 8 scales. The weights are unsigned, w + 8, so that
 * sixteen products with int8 fit 16 bits; byte 4 * c + d of 32 has k = d of column c in its lower half, and k = 4 + d
 * in the upper one, then come the next 8 of k. */
#ifndef SAM_UKERNELS_BLOCKWISE_H
#define SAM_UKERNELS_BLOCKWISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SAM_BLOCKWISE_NR = 8, SAM_BLOCKWISE_CHUNK = 32 /* of k; a block is a multiple of it */ };

typedef struct sam_blockwise_args {
  int64_t m;             /* rows */
  int32_t n;             /* columns of this panel, at most 8 */
  int32_t blocks, block; /* of a row; elements of k in a block */
  bool half;             /* scales are half-precision numbers, not floats */
  const int8_t *x;       /* m rows of blocks * block */
  const int32_t *sums;   /* m rows of `blocks`: 8 times the sum of the block of x */
  const uint8_t *w;      /* the panel */
  const float *offset;   /* 8 */
  const float *bias;     /* n, or NULL */
  const float *row_scale;
  const int32_t *row_zero;
  float *y; /* row 0, first column of the panel */
  int64_t ldy;
  float lo, hi;
} sam_blockwise_args;

typedef void sam_s4_blockwise_t(const sam_blockwise_args *args);

/* Bytes of a block of a panel. */
static inline size_t sam_blockwise_bytes(int32_t block, bool half) {
  return (size_t)block * SAM_BLOCKWISE_NR / 2 + SAM_BLOCKWISE_NR * (half ? 2 : 4);
}

#endif
