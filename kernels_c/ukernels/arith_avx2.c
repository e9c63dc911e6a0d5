#include "ukernels/simd_avx2.h"
#include "ukernels/ukernels.h"

/* a * b / 2^31, halves up: the products of even and of odd lanes, whose bits 31 to 62 are the results. */
static inline vi vi_high(vi a, vi b) {
  const vi half = _mm256_set1_epi64x(1 << 30);
  const vi even = _mm256_add_epi64(_mm256_mul_epi32(a, b), half);
  const vi odd = _mm256_add_epi64(_mm256_mul_epi32(_mm256_srli_epi64(a, 32), _mm256_srli_epi64(b, 32)), half);
  return _mm256_blend_epi32(_mm256_srli_epi64(even, 31), _mm256_slli_epi64(odd, 1), 0xaa);
}

/* 16 bytes less a zero point, as 16-bit numbers. */
static inline __attribute__((always_inline)) __m256i less(const uint8_t *p, __m256i zero, bool is_signed) {
  const __m128i x = _mm_loadu_si128((const __m128i *)p);
  return _mm256_sub_epi16(is_signed ? _mm256_cvtepi8_epi16(x) : _mm256_cvtepu8_epi16(x), zero);
}

/* The products u * v as int32 (which floats hold exactly) times fa, rounded, plus zy: 16-bit numbers that saturate. */
static inline __m256i scaled(__m256i u, __m256i v, __m256 fa, __m256i zy) {
  const __m256i lower = _mm256_mullo_epi16(u, v), upper = _mm256_mulhi_epi16(u, v);
  const __m256 first = _mm256_cvtepi32_ps(_mm256_unpacklo_epi16(lower, upper));
  const __m256 second = _mm256_cvtepi32_ps(_mm256_unpackhi_epi16(lower, upper));
  return _mm256_adds_epi16(_mm256_packs_epi32(vi_from_vf(vf_mul(first, fa)), vi_from_vf(vf_mul(second, fa))), zy);
}

/* The rule MUL of arith.inc for 16 bytes at a time, of two arrays; returns how many it has done. */
static inline __attribute__((always_inline)) int64_t multiply_most(int64_t n, const void *pa, const void *pb, void *py,
                                                                   int steps, const sam_binary_params *p,
                                                                   bool is_signed) {
  const uint8_t *a = pa, *b = pb;
  uint8_t *y = py;
  const __m256i za = _mm256_set1_epi16((int16_t)p->za), zb = _mm256_set1_epi16((int16_t)p->zb);
  const __m256i zy = _mm256_set1_epi16((int16_t)p->zy);
  const vf fa = vf_set(p->fa);
  const __m128i lo = _mm_set1_epi8((char)(int)p->ilo), hi = _mm_set1_epi8((char)(int)p->ihi);
  int64_t i = 0;
  for (; steps != SAM_STEP_A && steps != SAM_STEP_B && i + 16 <= n; i += 16) {
    const __m256i x = scaled(less(a + i, za, is_signed), less(b + i, zb, is_signed), fa, zy);
    const __m128i first = _mm256_castsi256_si128(x), second = _mm256_extracti128_si256(x, 1);
    const __m128i z = is_signed ? _mm_min_epi8(_mm_max_epi8(_mm_packs_epi16(first, second), lo), hi)
                                : _mm_min_epu8(_mm_max_epu8(_mm_packus_epi16(first, second), lo), hi);
    _mm_storeu_si128((__m128i *)(void *)(y + i), z);
  }
  return i;
}
#define SAM_MULTIPLY_MOST

/* The body, over that vector layer: */
#include "ukernels/arith.inc"
