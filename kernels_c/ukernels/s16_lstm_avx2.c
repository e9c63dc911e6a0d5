/* Samara: the integer LSTM step, 16 lanes of AVX2. */
#include <immintrin.h>
#include <string.h>

#include "ukernels/ukernels.h"

enum { VH_N = 16 };
typedef __m256i vh;
typedef __m256i vm;
typedef __m256i vw;

static inline vh vh_set(int16_t x) { return _mm256_set1_epi16(x); }
static inline vh vh_load(const int16_t *p) { return _mm256_loadu_si256((const __m256i *)p); }
static inline void vh_store(int16_t *p, vh a) { _mm256_storeu_si256((__m256i *)p, a); }
static inline vh vh_add(vh a, vh b) { return _mm256_add_epi16(a, b); }
static inline vh vh_sub(vh a, vh b) { return _mm256_sub_epi16(a, b); }
static inline vh vh_adds(vh a, vh b) { return _mm256_adds_epi16(a, b); }
static inline vh vh_min(vh a, vh b) { return _mm256_min_epi16(a, b); }
static inline vh vh_max(vh a, vh b) { return _mm256_max_epi16(a, b); }
static inline vh vh_and(vh a, vh b) { return _mm256_and_si256(a, b); }
static inline vh vh_shl(vh a, int n) { return _mm256_slli_epi16(a, n); }
static inline vh vh_sar(vh a, int n) { return _mm256_srai_epi16(a, n); }
static inline vh vh_average(vh a, vh b) { return _mm256_avg_epu16(a, b); }
static inline vh vh_high(vh a, vh b) { return _mm256_mulhrs_epi16(a, b); }
static inline vm vh_gt(vh a, vh b) { return _mm256_cmpgt_epi16(a, b); }
static inline vm vh_is_zero(vh a) { return _mm256_cmpeq_epi16(a, _mm256_setzero_si256()); }
static inline vm vh_test(vh a, vh bit) { return _mm256_cmpeq_epi16(_mm256_and_si256(a, bit), bit); }
static inline vh vh_select(vm m, vh a, vh b) { return _mm256_blendv_epi8(b, a, m); }
static inline vw vw_load(const int32_t *p) { return _mm256_loadu_si256((const __m256i *)p); }
/* The product's bits 31..62, even lanes and odd lanes apart. */
static inline vw vw_high(vw a, int32_t q) {
  const __m256i factor = _mm256_set1_epi32(q), half = _mm256_load_si256((const __m256i *)sam_s16_lstm_half);
  __m256i even = _mm256_add_epi64(_mm256_mul_epi32(a, factor), half);
  __m256i odd = _mm256_add_epi64(_mm256_mul_epi32(_mm256_srli_epi64(a, 32), factor), half);
  return _mm256_blend_epi32(_mm256_srli_epi64(even, 31), _mm256_slli_epi64(odd, 1), 0xaa);
}
static inline vw vw_halve(vw a, int n) {
  const __m128i count = _mm_cvtsi32_si128(n);
  const __m256i mask = _mm256_set1_epi32((int32_t)((1u << n) - 1));
  __m256i threshold = _mm256_add_epi32(_mm256_srli_epi32(mask, 1), _mm256_srli_epi32(a, 31));
  return _mm256_sub_epi32(_mm256_sra_epi32(a, count), _mm256_cmpgt_epi32(_mm256_and_si256(a, mask), threshold));
}
static inline vw vw_halve_small(vw a, int n) {
  __m256i sum = _mm256_add_epi32(_mm256_add_epi32(a, _mm256_set1_epi32((1 << n) >> 1)), _mm256_srai_epi32(a, 31));
  return n ? _mm256_sra_epi32(sum, _mm_cvtsi32_si128(n)) : a;
}
static inline vh vh_narrow(vw a, vw b) { return _mm256_permute4x64_epi64(_mm256_packs_epi32(a, b), 0xd8); }
static inline void vh_wide(vh a, vh b, vw *x, vw *y) {
  __m256i low = _mm256_mullo_epi16(a, b), high = _mm256_mulhi_epi16(a, b);
  *x = _mm256_unpacklo_epi16(low, high);
  *y = _mm256_unpackhi_epi16(low, high);
}
static inline vh vh_join(vw x, vw y) { return _mm256_packs_epi32(x, y); }
static inline void vh_store_s8(int8_t *p, vh a) {
  _mm_storeu_si128((__m128i *)p, _mm_packs_epi16(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1)));
}

#define SAM_SIMD_LSTM(name) lstm_##name
#include "s16_lstm.inc"

sam_s16_lstm_t sam_s16_lstm__avx2 = {lstm_add, lstm_logistic, lstm_tanh, lstm_step};
