/* Samara: s16_gemm on AVX-512. */
#include "ukernels/simd_avx512.h"
#include "ukernels/ukernels.h"

enum { STEP_BYTES = 32 };

static inline vi load_w(const int8_t *p) { return _mm512_cvtepi8_epi16(_mm256_load_si256((const __m256i *)p)); }
static inline vi load_a(const char *p) {
  int32_t x;
  memcpy(&x, p, 4);
  return _mm512_set1_epi32(x);
}
static inline void add_wide(int64_t *y, vi v) {
  const __m512i low = _mm512_cvtepi32_epi64(_mm512_castsi512_si256(v));
  const __m512i high = _mm512_cvtepi32_epi64(_mm512_extracti64x4_epi64(v, 1));
  _mm512_storeu_si512(y, _mm512_add_epi64(_mm512_loadu_si512(y), low));
  _mm512_storeu_si512(y + 8, _mm512_add_epi64(_mm512_loadu_si512(y + 8), high));
}
#define DOT(acc, a, w) acc = _mm512_add_epi32(acc, _mm512_madd_epi16(a, w))

#include "ukernels/gemm_s16.inc"
#include "ukernels/gemm_s16_finish.inc"

sam_s16_gemm_t sam_s16_gemm__avx512 = {{ROWS, VF_N, KR, 16}, run, finish_s16};
