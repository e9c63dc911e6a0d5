#include "ukernels/simd_scalar.h"
#include "ukernels/ukernels.h"

enum { ROWS = 1, PARTS = SAM_BLOCKWISE_NR };

static inline void add_chunk(vi (*acc)[PARTS], const int rows, const uint8_t *w, const int8_t *x, int64_t ldx) {
  for (int r = 0; r < rows; r++)
    for (int c = 0; c < PARTS; c++)
      for (int k = 0; k < SAM_BLOCKWISE_CHUNK; k++)
        acc[r][c] += x[r * ldx + k] * (w[k / 8 * 32 + 4 * c + k % 4] >> (k & 4) & 15);
}

#include "ukernels/s4_blockwise.inc"
