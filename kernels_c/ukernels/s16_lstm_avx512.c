/* Samara: the integer LSTM step, 32 lanes of AVX-512BW. */
#include <immintrin.h>
#include <string.h>

#include "ukernels/ukernels.h"

enum { VH_N = 32 };
typedef __m512i vh;
typedef __mmask32 vm;
typedef __m512i vw;

static inline vh vh_set(int16_t x) { return _mm512_set1_epi16(x); }
static inline vh vh_load(const int16_t *p) { return _mm512_loadu_si512(p); }
static inline void vh_store(int16_t *p, vh a) { _mm512_storeu_si512(p, a); }
static inline vh vh_add(vh a, vh b) { return _mm512_add_epi16(a, b); }
static inline vh vh_sub(vh a, vh b) { return _mm512_sub_epi16(a, b); }
static inline vh vh_adds(vh a, vh b) { return _mm512_adds_epi16(a, b); }
static inline vh vh_min(vh a, vh b) { return _mm512_min_epi16(a, b); }
static inline vh vh_max(vh a, vh b) { return _mm512_max_epi16(a, b); }
static inline vh vh_and(vh a, vh b) { return _mm512_and_si512(a, b); }
static inline vh vh_shl(vh a, int n) { return _mm512_sll_epi16(a, _mm_cvtsi32_si128(n)); }
static inline vh vh_sar(vh a, int n) { return _mm512_sra_epi16(a, _mm_cvtsi32_si128(n)); }
static inline vh vh_average(vh a, vh b) { return _mm512_avg_epu16(a, b); }
static inline vh vh_high(vh a, vh b) { return _mm512_mulhrs_epi16(a, b); }
static inline vm vh_gt(vh a, vh b) { return _mm512_cmpgt_epi16_mask(a, b); }
static inline vm vh_is_zero(vh a) { return _mm512_testn_epi16_mask(a, a); }
static inline vm vh_test(vh a, vh b) { return _mm512_test_epi16_mask(a, b); }
static inline vh vh_select(vm m, vh a, vh b) { return _mm512_mask_blend_epi16(m, b, a); }
static inline vw vw_load(const int32_t *p) { return _mm512_loadu_si512(p); }
static inline vw vw_high(vw a, int32_t q) {
  const __m512i factor = _mm512_set1_epi32(q), half = _mm512_load_si512(sam_s16_lstm_half);
  __m512i even = _mm512_add_epi64(_mm512_mul_epi32(a, factor), half);
  __m512i odd = _mm512_add_epi64(_mm512_mul_epi32(_mm512_srli_epi64(a, 32), factor), half);
  return _mm512_mask_blend_epi32(0xaaaa, _mm512_srli_epi64(even, 31), _mm512_slli_epi64(odd, 1));
}
static inline vw vw_halve(vw a, int n) {
  const __m512i mask = _mm512_set1_epi32((int32_t)((1u << n) - 1));
  __m512i threshold = _mm512_add_epi32(_mm512_srli_epi32(mask, 1), _mm512_srli_epi32(a, 31));
  __m512i quotient = _mm512_sra_epi32(a, _mm_cvtsi32_si128(n));
  __mmask16 up = _mm512_cmpgt_epi32_mask(_mm512_and_si512(a, mask), threshold);
  return _mm512_mask_add_epi32(quotient, up, quotient, _mm512_set1_epi32(1));
}
static inline vw vw_halve_small(vw a, int n) {
  __m512i sum = _mm512_add_epi32(_mm512_add_epi32(a, _mm512_set1_epi32((1 << n) >> 1)), _mm512_srai_epi32(a, 31));
  return n ? _mm512_sra_epi32(sum, _mm_cvtsi32_si128(n)) : a;
}
static inline vh vh_narrow(vw a, vw b) {
  return _mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvtsepi32_epi16(a)), _mm512_cvtsepi32_epi16(b), 1);
}
static inline void vh_wide(vh a, vh b, vw *x, vw *y) {
  __m512i low = _mm512_mullo_epi16(a, b), high = _mm512_mulhi_epi16(a, b);
  *x = _mm512_unpacklo_epi16(low, high);
  *y = _mm512_unpackhi_epi16(low, high);
}
static inline vh vh_join(vw x, vw y) { return _mm512_packs_epi32(x, y); }
static inline void vh_store_s8(int8_t *p, vh a) { _mm256_storeu_si256((__m256i *)p, _mm512_cvtsepi16_epi8(a)); }

#define SAM_SIMD_LSTM(name) lstm_##name
#include "s16_lstm.inc"

sam_s16_lstm_t sam_s16_lstm__avx512 = {lstm_add, lstm_logistic, lstm_tanh, lstm_step};
