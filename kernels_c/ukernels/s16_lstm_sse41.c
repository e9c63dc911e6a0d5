/* Samara: the integer LSTM step, 8 lanes of SSE4.1. */
#include "ukernels/simd_sse41.h"
#include "ukernels/ukernels.h"

enum { VH_N = 8 };
typedef __m128i vh;
typedef __m128i vw;

static inline vh vh_set(int16_t x) { return _mm_set1_epi16(x); }
static inline vh vh_load(const int16_t *p) { return _mm_loadu_si128((const __m128i *)p); }
static inline void vh_store(int16_t *p, vh a) { _mm_storeu_si128((__m128i *)p, a); }
static inline vh vh_add(vh a, vh b) { return _mm_add_epi16(a, b); }
static inline vh vh_sub(vh a, vh b) { return _mm_sub_epi16(a, b); }
static inline vh vh_adds(vh a, vh b) { return _mm_adds_epi16(a, b); }
static inline vh vh_min(vh a, vh b) { return _mm_min_epi16(a, b); }
static inline vh vh_max(vh a, vh b) { return _mm_max_epi16(a, b); }
static inline vh vh_and(vh a, vh b) { return _mm_and_si128(a, b); }
static inline vh vh_shl(vh a, int n) { return _mm_slli_epi16(a, n); }
static inline vh vh_sar(vh a, int n) { return _mm_srai_epi16(a, n); }
static inline vh vh_average(vh a, vh b) { return _mm_avg_epu16(a, b); }
static inline vh vh_high(vh a, vh b) { return _mm_mulhrs_epi16(a, b); }
static inline vm vh_gt(vh a, vh b) { return _mm_cmpgt_epi16(a, b); }
static inline vm vh_is_zero(vh a) { return _mm_cmpeq_epi16(a, _mm_setzero_si128()); }
static inline vm vh_test(vh a, vh bit) { return _mm_cmpeq_epi16(_mm_and_si128(a, bit), bit); }
static inline vh vh_select(vm m, vh a, vh b) { return _mm_blendv_epi8(b, a, m); }
static inline vw vw_load(const int32_t *p) { return _mm_loadu_si128((const __m128i *)p); }
static inline vw vw_high(vw a, int32_t q) { return vi_mul_high(a, vi_set(q)); }
static inline vw vw_halve(vw a, int n) {
  const __m128i count = _mm_cvtsi32_si128(n);
  const __m128i mask = _mm_set1_epi32((int32_t)((1u << n) - 1));
  __m128i threshold = _mm_add_epi32(_mm_srli_epi32(mask, 1), _mm_srli_epi32(a, 31));
  return _mm_sub_epi32(_mm_sra_epi32(a, count), _mm_cmpgt_epi32(_mm_and_si128(a, mask), threshold));
}
static inline vw vw_halve_small(vw a, int n) {
  __m128i sum = _mm_add_epi32(_mm_add_epi32(a, _mm_set1_epi32((1 << n) >> 1)), _mm_srai_epi32(a, 31));
  return n ? _mm_sra_epi32(sum, _mm_cvtsi32_si128(n)) : a;
}
static inline vh vh_narrow(vw a, vw b) { return _mm_packs_epi32(a, b); }
static inline void vh_wide(vh a, vh b, vw *x, vw *y) {
  __m128i low = _mm_mullo_epi16(a, b), high = _mm_mulhi_epi16(a, b);
  *x = _mm_unpacklo_epi16(low, high);
  *y = _mm_unpackhi_epi16(low, high);
}
static inline vh vh_join(vw x, vw y) { return _mm_packs_epi32(x, y); }
static inline void vh_store_s8(int8_t *p, vh a) { _mm_storel_epi64((__m128i *)p, _mm_packs_epi16(a, a)); }

#define SAM_SIMD_LSTM(name) lstm_##name
#include "s16_lstm.inc"

sam_s16_lstm_t sam_s16_lstm__sse41 = {lstm_add, lstm_logistic, lstm_tanh, lstm_step};
