#include "ukernels/simd_neon.h"
#include "ukernels/ukernels.h"
#include "ukernels/unroll.h"

enum { ROWS = 2, PARTS = 2 };

/* Sums of four neighbours of a and of b. */
static inline vi sums_of_four(int16x8_t a, int16x8_t b) {
  const int32x4_t x = vpaddlq_s16(a), y = vpaddlq_s16(b);
#if defined(__aarch64__)
  return vpaddq_s32(x, y);
#else
  return vcombine_s32(vpadd_s32(vget_low_s32(x), vget_high_s32(x)), vpadd_s32(vget_low_s32(y), vget_high_s32(y)));
#endif
}

static inline int8x8_t four(const int8_t *x) {
  int32_t value;
  memcpy(&value, x, 4);
  return vreinterpret_s8_s32(vdup_n_s32(value));
}

/* Every product in 16 bits of its own: eight of them fit. */
SAM_INLINE void add_chunk(vi (*acc)[PARTS], const int rows, const uint8_t *w, const int8_t *x, int64_t ldx) {
  int16x8_t sum[ROWS][4]; /* of two columns each */
  SAM_UNROLL for (int step = 0; step < 4; step++, w += 32, x += 8) {
    SAM_UNROLL for (int v = 0; v < 4; v++) {
      const uint8x8_t both = vld1_u8(w + 8 * v);
      const int8x8_t a = vreinterpret_s8_u8(vand_u8(both, vdup_n_u8(15))), b = vreinterpret_s8_u8(vshr_n_u8(both, 4));
      SAM_UNROLL for (int r = 0; r < rows; r++) {
        const int8x8_t first = four(x + r * ldx), second = four(x + r * ldx + 4);
        sum[r][v] = vmlal_s8(step ? vmlal_s8(sum[r][v], a, first) : vmull_s8(a, first), b, second);
      }
    }
  }
  SAM_UNROLL for (int r = 0; r < rows; r++) {
    acc[r][0] = vi_add(acc[r][0], sums_of_four(sum[r][0], sum[r][1]));
    acc[r][1] = vi_add(acc[r][1], sums_of_four(sum[r][2], sum[r][3]));
  }
}

#include "ukernels/s4_blockwise.inc"
