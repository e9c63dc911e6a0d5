#include "ukernels/simd_avx512.h"

#define VH_N 32
typedef __m512i vh;
static inline vh vh_set(uint16_t x) { return _mm512_set1_epi16((short)x); }
static inline vh vh_add(vh a, vh b) { return _mm512_add_epi16(a, b); }
static inline vh vh_xor(vh a, vh b) { return _mm512_xor_si512(a, b); }
static inline vh vh_load_u8(const uint8_t *p) { return _mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *)p)); }
static inline void vh_store(uint16_t *p, vh v) { _mm512_storeu_si512(p, v); }

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
