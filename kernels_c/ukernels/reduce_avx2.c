#include "ukernels/simd_avx2.h"

#define VH_N 16
typedef __m256i vh;
static inline vh vh_set(uint16_t x) { return _mm256_set1_epi16((short)x); }
static inline vh vh_add(vh a, vh b) { return _mm256_add_epi16(a, b); }
static inline vh vh_xor(vh a, vh b) { return _mm256_xor_si256(a, b); }
static inline vh vh_load_u8(const uint8_t *p) { return _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)p)); }
static inline void vh_store(uint16_t *p, vh v) { _mm256_storeu_si256((__m256i *)(void *)p, v); }

static inline vi vi_add_bytes(vi total, vb x) {
  return _mm256_add_epi64(total, _mm256_sad_epu8(x, _mm256_setzero_si256()));
}
static inline int32_t vi_hmax(vi a) {
  __m128i s = _mm_max_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
  s = _mm_max_epi32(s, _mm_unpackhi_epi64(s, s));
  return _mm_cvtsi128_si32(_mm_max_epi32(s, _mm_shuffle_epi32(s, 1)));
}
/* The machine has the smallest of eight 16-bit numbers: of the complements, the smaller of two bytes each. */
static inline uint8_t vb_hmax(vb a) {
  __m128i s = _mm_max_epu8(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
  s = _mm_xor_si128(s, _mm_set1_epi8(-1));
  return (uint8_t)~_mm_cvtsi128_si32(_mm_minpos_epu16(_mm_min_epu8(s, _mm_srli_epi16(s, 8))));
}

#include "ukernels/reduce.inc"
