#include "ukernels/simd_avx512.h"

#define VW_N 32
#define WIDE 4
typedef __m512i vw;
static inline vw vw_add(vw a, vw b) { return _mm512_add_epi16(a, b); }
static inline vw vw_sub(vw a, vw b) { return _mm512_sub_epi16(a, b); }
static inline void vw_store(int16_t *p, vw v) { _mm512_storeu_si512(p, v); }
static inline vw vw_load_s8(const uint8_t *p, uint8_t flip) {
  const __m256i bytes = _mm256_loadu_si256((const __m256i *)p);
  return _mm512_cvtepi8_epi16(_mm256_xor_si256(bytes, _mm256_set1_epi8((char)flip)));
}
static inline vi load_pair(const int16_t *p) {
  int32_t x;
  memcpy(&x, p, 4);
  return _mm512_set1_epi32(x);
}
static inline vi load_pairs(const int16_t *p) { return _mm512_loadu_si512(p); }
#define DOT(acc, a, w) acc = _mm512_add_epi32(acc, _mm512_madd_epi16(a, w))

/* The body, over that vector layer: */
#include "ukernels/winograd_s8.inc"
