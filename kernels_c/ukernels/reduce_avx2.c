#include "ukernels/simd_avx2.h"

/* Sums of whole words, which are odd bytes times 256 plus even ones, and of the odd bytes alone. */
typedef struct byte_sums {
  __m256i words, odd;
} byte_sums;
#define NO_BYTES ((byte_sums){_mm256_setzero_si256(), _mm256_setzero_si256()})
static inline byte_sums byte_sums_add(byte_sums s, vb x) {
  return (byte_sums){_mm256_add_epi16(s.words, x), _mm256_add_epi16(s.odd, _mm256_srli_epi16(x, 8))};
}
static inline void byte_sums_store(uint16_t *p, byte_sums s) {
  const __m256i even = _mm256_sub_epi16(s.words, _mm256_slli_epi16(s.odd, 8));
  const __m256i low = _mm256_unpacklo_epi16(even, s.odd), high = _mm256_unpackhi_epi16(even, s.odd);
  _mm256_storeu_si256((__m256i *)(void *)p, _mm256_permute2x128_si256(low, high, 0x20));
  _mm256_storeu_si256((__m256i *)(void *)(p + 16), _mm256_permute2x128_si256(low, high, 0x31));
}

static inline vm still_real(vm real, vf a, vf b) {
  return vm_and(real, _mm256_castps_si256(_mm256_cmp_ps(a, b, _CMP_ORD_Q)));
}
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
