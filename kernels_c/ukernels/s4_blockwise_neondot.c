#define SAM_SIMD(name) name##__neondot
#include "ukernels/simd_neon.h"
#include "ukernels/ukernels.h"
#include "ukernels/unroll.h"

enum { ROWS = 4, PARTS = 2 };

SAM_INLINE void add_chunk(vi (*acc)[PARTS], const int rows, const uint8_t *w, const int8_t *x, int64_t ldx) {
  SAM_UNROLL for (int step = 0; step < 4; step++, w += 32, x += 8) {
    SAM_UNROLL for (int v = 0; v < PARTS; v++) {
      const uint8x16_t both = vld1q_u8(w + 16 * v);
      const int8x16_t a = vreinterpretq_s8_u8(vandq_u8(both, vdupq_n_u8(15)));
      const int8x16_t b = vreinterpretq_s8_u8(vshrq_n_u8(both, 4));
      SAM_UNROLL for (int r = 0; r < rows; r++) {
        const int8x8_t eight = vld1_s8(x + r * ldx);
        acc[r][v] = vdotq_lane_s32(vdotq_lane_s32(acc[r][v], a, eight, 0), b, eight, 1);
      }
    }
  }
}

#include "ukernels/s4_blockwise.inc"
