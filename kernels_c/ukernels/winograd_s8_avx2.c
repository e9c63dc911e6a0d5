#include "ukernels/simd_avx2.h"

#define VW_N 16
#define WIDE 2
typedef __m256i vw;
static inline vw vw_add(vw a, vw b) { return _mm256_add_epi16(a, b); }
static inline vw vw_sub(vw a, vw b) { return _mm256_sub_epi16(a, b); }
static inline void vw_store(int16_t *p, vw v) { _mm256_storeu_si256((__m256i *)p, v); }
static inline vw vw_load_s8(const uint8_t *p, uint8_t flip) {
  const __m128i bytes = _mm_loadu_si128((const __m128i *)p);
  return _mm256_cvtepi8_epi16(_mm_xor_si128(bytes, _mm_set1_epi8((char)flip)));
}
static inline vi load_pair(const int16_t *p) {
  int32_t x;
  memcpy(&x, p, 4);
  return _mm256_set1_epi32(x);
}
static inline vi load_pairs(const int16_t *p) { return _mm256_loadu_si256((const __m256i *)p); }
#define DOT(acc, a, w) acc = _mm256_add_epi32(acc, _mm256_madd_epi16(a, w))

/* The body, over that vector layer: */
#include "ukernels/winograd_s8.inc"
