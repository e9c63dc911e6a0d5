/* Samara: s8_gemm on AVX-512 without VNNI: both sides widened to 16 bits, vpmaddwd, exact. */
#include "ukernels/simd_avx512.h"
#include "ukernels/ukernels.h"

enum { KR = 2, STEP_BYTES = 32 };

static inline vi load_w(const int8_t *p) { return _mm512_cvtepi8_epi16(_mm256_load_si256((const __m256i *)p)); }
static inline vi load_a(const char *p) {
  int32_t x;
  __builtin_memcpy(&x, p, 4);
  return _mm512_set1_epi32(x);
}
#define DOT(acc, a, w) acc = _mm512_add_epi32(acc, _mm512_madd_epi16(a, w))

#include "ukernels/gemm_s16_form.inc"
#include "ukernels/gemm_s8_avx512.inc"

sam_s8_gemm_t sam_s8_gemm__avx512 = {
    .tile = {6, 16, 2, 50}, .form = SAM_A_S16, .run = run, .convert = convert_s16, .row_sums = row_sums_s16};
