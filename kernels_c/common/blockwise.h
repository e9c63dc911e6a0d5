/* Samara: products of float rows with blockwise weights: [units, k] of 8, 4 or 2 bits, symmetric, with a scale for each
 * block of k. Each row is quantized to int8 (asymmetric); sums are whole numbers inside a block, floats from block to
 * block. Weights of 4 and 2 bits in blocks of a multiple of 32 are packed for the kernel of ukernels/blockwise.h;
 * others are read as they lie in the file. */
#ifndef SAM_COMMON_BLOCKWISE_H
#define SAM_COMMON_BLOCKWISE_H

#include "common/fp16.h"
#include "samara/op.h"

/* Scale i of a FLOAT16 or FLOAT32 tensor. */
static inline float sam_block_scale(const sam_tensor *scales, int64_t i) {
  return scales->type == SAM_FLOAT16 ? sam_f16_to_f32(((const uint16_t *)scales->data)[i])
                                     : ((const float *)scales->data)[i];
}

typedef struct sam_blockwise {
  /* Set by the caller. */
  const sam_tensor *weights, *bias, *out; /* bias may be NULL */
  int64_t rows;
  float lo, hi;

  /* The rest is sam_blockwise's own. */
  int64_t k;
  int32_t n, blocks, block;
  const uint8_t *packed; /* NULL: plain loops */
  size_t panel_bytes;
} sam_blockwise;

/* Checks the weights, their scales and the bias, and packs. */
sam_status sam_blockwise_prepare(sam_ctx *ctx, sam_blockwise *b);
/* Scratch bytes of sam_blockwise_run. */
size_t sam_blockwise_scratch(const sam_blockwise *b);
/* out = clamp(x * weights + bias), x[rows][k]. */
void sam_blockwise_run(sam_ctx *ctx, const sam_blockwise *b, const float *x, void *scratch);

#endif
