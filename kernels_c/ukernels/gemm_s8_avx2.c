/* Samara: s8_gemm on AVX2: both sides widened to 16 bits, vpmaddwd, exact. (vpmaddubsw would saturate.) */
#include "ukernels/simd_avx2.h"
#include "ukernels/ukernels.h"

enum { KR = 2, STEP_BYTES = 16 };

static inline vi load_w(const int8_t *p) { return _mm256_cvtepi8_epi16(_mm_load_si128((const __m128i *)p)); }
static inline vi load_a(const char *p) {
  int32_t x;
  __builtin_memcpy(&x, p, 4);
  return _mm256_set1_epi32(x);
}
#define DOT(acc, a, w) acc = _mm256_add_epi32(acc, _mm256_madd_epi16(a, w))

#include "ukernels/gemm_s16_form.inc"
#include "ukernels/gemm_s8_avx2.inc"

sam_s8_gemm_t sam_s8_gemm__avx2 = {
    .tile = {6, 8, 2, 25}, .form = SAM_A_S16, .run = run, .convert = convert_s16, .row_sums = row_sums_s16};
