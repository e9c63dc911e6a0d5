#include "ukernels/simd_avx2.h"

/* a * b / 2^31, halves up: the products of even and of odd lanes, whose bits 31 to 62 are the results. */
static inline vi vi_high(vi a, vi b) {
  const vi half = _mm256_set1_epi64x(1 << 30);
  const vi even = _mm256_add_epi64(_mm256_mul_epi32(a, b), half);
  const vi odd = _mm256_add_epi64(_mm256_mul_epi32(_mm256_srli_epi64(a, 32), _mm256_srli_epi64(b, 32)), half);
  return _mm256_blend_epi32(_mm256_srli_epi64(even, 31), _mm256_slli_epi64(odd, 1), 0xaa);
}

/* The body, over that vector layer: */
#include "ukernels/arith.inc"
