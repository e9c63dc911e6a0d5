#include "ukernels/simd_avx2.h"
#include "ukernels/ukernels.h"
#include "ukernels/unroll.h"

enum { ROWS = 4, PARTS = 1 };

/* Four x of a row, for every column. */
static inline vi four(const int8_t *x) {
  int32_t value;
  memcpy(&value, x, 4);
  return _mm256_set1_epi32(value);
}

SAM_INLINE void add_chunk(vi (*acc)[PARTS], const int rows, const uint8_t *w, const int8_t *x, int64_t ldx) {
  const vb low = vb_set(15);
  vi sum[ROWS];
  SAM_UNROLL for (int step = 0; step < 4; step++, w += 32, x += 8) {
    const vb both = vb_load(w), a = _mm256_and_si256(both, low), b = _mm256_and_si256(_mm256_srli_epi16(both, 4), low);
    SAM_UNROLL for (int r = 0; r < rows; r++) {
      const vi two =
          _mm256_add_epi16(_mm256_maddubs_epi16(a, four(x + r * ldx)), _mm256_maddubs_epi16(b, four(x + r * ldx + 4)));
      sum[r] = step ? _mm256_add_epi16(sum[r], two) : two;
    }
  }
  SAM_UNROLL for (int r = 0; r < rows; r++) acc[r][0] =
      vi_add(acc[r][0], _mm256_madd_epi16(sum[r], _mm256_set1_epi16(1)));
}

#include "ukernels/s4_blockwise.inc"
