#include "ukernels/simd_avx512.h"

/* Sums of whole words, which are odd bytes times 256 plus even ones, and of the odd bytes alone. */
typedef struct byte_sums {
  __m512i words, odd;
} byte_sums;
#define NO_BYTES ((byte_sums){_mm512_setzero_si512(), _mm512_setzero_si512()})
static inline byte_sums byte_sums_add(byte_sums s, vb x) {
  return (byte_sums){_mm512_add_epi16(s.words, x), _mm512_add_epi16(s.odd, _mm512_srli_epi16(x, 8))};
}
static inline void byte_sums_store(uint16_t *p, byte_sums s) {
  const __m512i even = _mm512_sub_epi16(s.words, _mm512_slli_epi16(s.odd, 8));
  const __m512i low = _mm512_unpacklo_epi16(even, s.odd), high = _mm512_unpackhi_epi16(even, s.odd);
  for (int i = 0; i < 2; i++) {
    const __m256i l = i ? _mm512_extracti64x4_epi64(low, 1) : _mm512_castsi512_si256(low);
    const __m256i h = i ? _mm512_extracti64x4_epi64(high, 1) : _mm512_castsi512_si256(high);
    _mm256_storeu_si256((__m256i *)(void *)(p + 32 * i), _mm256_permute2x128_si256(l, h, 0x20));
    _mm256_storeu_si256((__m256i *)(void *)(p + 32 * i + 16), _mm256_permute2x128_si256(l, h, 0x31));
  }
}

static inline vm still_real(vm real, vf a, vf b) { return vm_and(real, _mm512_cmp_ps_mask(a, b, _CMP_ORD_Q)); }
static inline vi vi_add_bytes(vi total, vb x) {
  return _mm512_add_epi64(total, _mm512_sad_epu8(x, _mm512_setzero_si512()));
}
static inline int32_t vi_hmax(vi a) { return _mm512_reduce_max_epi32(a); }
/* The machine has the smallest of eight 16-bit numbers: of the complements, the smaller of two bytes each. */
static inline uint8_t vb_hmax(vb a) {
  const __m256i h = _mm256_max_epu8(_mm512_castsi512_si256(a), _mm512_extracti64x4_epi64(a, 1));
  __m128i s = _mm_max_epu8(_mm256_castsi256_si128(h), _mm256_extracti128_si256(h, 1));
  s = _mm_xor_si128(s, _mm_set1_epi8(-1));
  return (uint8_t)~_mm_cvtsi128_si32(_mm_minpos_epu16(_mm_min_epu8(s, _mm_srli_epi16(s, 8))));
}

#include "ukernels/reduce.inc"
