/* Samara: the integer LSTM step, 16 lanes of AVX2. */
#include "ukernels/simd_avx2.h"
#include "ukernels/ukernels.h"

#define OP(name) _mm256_##name
#include "ukernels/s16_lstm_x86.inc"

/* The product's bits 31..62, even lanes and odd lanes apart. */
static inline vw vw_high(vw a, int32_t q) {
  const __m256i factor = _mm256_set1_epi32(q), half = _mm256_load_si256((const __m256i *)sam_s16_lstm_half);
  __m256i even = _mm256_add_epi64(_mm256_mul_epi32(a, factor), half);
  __m256i odd = _mm256_add_epi64(_mm256_mul_epi32(_mm256_srli_epi64(a, 32), factor), half);
  return _mm256_blend_epi32(_mm256_srli_epi64(even, 31), _mm256_slli_epi64(odd, 1), 0xaa);
}
static inline vh vh_narrow(vw a, vw b) { return _mm256_permute4x64_epi64(_mm256_packs_epi32(a, b), 0xd8); }
static inline void vh_store_s8(int8_t *p, vh a) {
  _mm_storeu_si128((__m128i *)p, _mm_packs_epi16(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1)));
}

#define SAM_SIMD_LSTM(name) lstm_##name
#include "s16_lstm.inc"

sam_s16_lstm_t sam_s16_lstm__avx2 = {lstm_add, lstm_logistic, lstm_tanh, lstm_step};
