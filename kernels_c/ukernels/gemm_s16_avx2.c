/* Samara: s16_gemm on AVX2. */
#include "ukernels/simd_avx2.h"
#include "ukernels/ukernels.h"

enum { STEP_BYTES = 16 };

static inline vi load_w(const int8_t *p) { return _mm256_cvtepi8_epi16(_mm_load_si128((const __m128i *)p)); }
static inline vi load_a(const char *p) {
  int32_t x;
  memcpy(&x, p, 4);
  return _mm256_set1_epi32(x);
}
static inline void add_wide(int64_t *y, vi v) {
  __m256i *low = (__m256i *)y, *high = (__m256i *)(y + 4);
  _mm256_storeu_si256(low, _mm256_add_epi64(_mm256_loadu_si256(low), _mm256_cvtepi32_epi64(_mm256_castsi256_si128(v))));
  _mm256_storeu_si256(
      high, _mm256_add_epi64(_mm256_loadu_si256(high), _mm256_cvtepi32_epi64(_mm256_extracti128_si256(v, 1))));
}
#define DOT(acc, a, w) acc = _mm256_add_epi32(acc, _mm256_madd_epi16(a, w))

#include "ukernels/gemm_s16.inc"
#include "ukernels/gemm_s16_finish.inc"

sam_s16_gemm_t sam_s16_gemm__avx2 = {{ROWS, VF_N, KR, 8}, run, finish_s16};
