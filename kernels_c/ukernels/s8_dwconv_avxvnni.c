/* Depthwise int8 by the VEX form of vpdpbusd: 32 and 16 channels; see s8_dwconv_avx512vnni.c. */
#include <immintrin.h>

#include "ukernels/ukernels.h"

#define GROUP 4
#define ELEMENT 1
#define OFFSET 128
#define BLOCK 32
#define WITH_5X5
#define DOT(acc, x, w) __asm__("%{vex%} vpdpbusd %2, %1, %0" : "+x"(acc) : "x"(x), "m"(*(const __typeof__(acc) *)(w)))
#define KERNEL(kind) sam_s8_##kind##__avxvnni
#define ON_WIDTH(width, call) \
  switch (width) {            \
    case 32:                  \
      call(32) break;         \
    default:                  \
      call(16)                \
  }

#define AT(i) (const uint8_t *)rows[i] + at
#define INTERLEAVE(P)                                                           \
  const __typeof__(a) ab = P##unpacklo_epi8(a, b), ba = P##unpackhi_epi8(a, b); \
  const __typeof__(a) cd = P##unpacklo_epi8(c, d), dc = P##unpackhi_epi8(c, d); \
  v[0] = P##unpacklo_epi16(ab, cd), v[1] = P##unpackhi_epi16(ab, cd);           \
  v[2] = P##unpacklo_epi16(ba, dc), v[3] = P##unpackhi_epi16(ba, dc);

static inline __attribute__((always_inline)) void lanes_32(const void *const *rows, int64_t at, __m256i v[4]) {
  const __m256i sign = _mm256_set1_epi8((char)0x80);
  const __m256i a = _mm256_xor_si256(_mm256_loadu_si256((const __m256i *)(AT(0))), sign);
  const __m256i b = _mm256_xor_si256(_mm256_loadu_si256((const __m256i *)(AT(1))), sign);
  const __m256i c = _mm256_xor_si256(_mm256_loadu_si256((const __m256i *)(AT(2))), sign);
  const __m256i d = _mm256_xor_si256(_mm256_loadu_si256((const __m256i *)(AT(3))), sign);
  INTERLEAVE(_mm256_)
}
static inline __attribute__((always_inline)) void lanes_16(const void *const *rows, int64_t at, __m128i v[4]) {
  const __m128i sign = _mm_set1_epi8((char)0x80);
  const __m128i a = _mm_xor_si128(_mm_loadu_si128((const __m128i *)(AT(0))), sign);
  const __m128i b = _mm_xor_si128(_mm_loadu_si128((const __m128i *)(AT(1))), sign);
  const __m128i c = _mm_xor_si128(_mm_loadu_si128((const __m128i *)(AT(2))), sign);
  const __m128i d = _mm_xor_si128(_mm_loadu_si128((const __m128i *)(AT(3))), sign);
  INTERLEAVE(_mm_)
}

/* The packs saturate: what lies outside int16 or int8 comes out at the ends of the range, as the rule has it. */
#define DEFINE_STORE(width, P, v, S)                                                                               \
  typedef struct limits_##width {                                                                                  \
    v zero, lo, hi;                                                                                                \
  } limits_##width;                                                                                                \
  static inline limits_##width limits_of_##width(const sam_dw_strip *s) {                                          \
    return (limits_##width){P##set1_epi16((int16_t)s->zero_point), P##set1_epi8((char)s->lo),                      \
                            P##set1_epi8((char)s->hi)};                                                            \
  }                                                                                                                \
  static inline __attribute__((always_inline)) void store_##width(uint8_t *out, v acc[4], const limits_##width *l, \
                                                                  const float *scale) {                            \
    for (int j = 0; j < 4; j++)                                                                                    \
      acc[j] = P##cvtps_epi32(P##mul_ps(P##cvtepi32_ps(acc[j]), P##loadu_ps(scale + j * (width / 4))));            \
    const v low = P##adds_epi16(P##packs_epi32(acc[0], acc[1]), l->zero);                                          \
    const v high = P##adds_epi16(P##packs_epi32(acc[2], acc[3]), l->zero);                                         \
    P##storeu_##S((void *)out, P##min_epi8(P##max_epi8(P##packs_epi16(low, high), l->lo), l->hi));                 \
  }
DEFINE_STORE(32, _mm256_, __m256i, si256)
DEFINE_STORE(16, _mm_, __m128i, si128)

#define WIDTH 32
#define V __m256i
#define LANES lanes_32
#define LIMITS limits_32
#define LIMITS_OF limits_of_32
#define STORE store_32
#define NAME(stem) stem##_32
#include "ukernels/dwconv_lanes.inc"
#define WIDTH 16
#define V __m128i
#define LANES lanes_16
#define LIMITS limits_16
#define LIMITS_OF limits_of_16
#define STORE store_16
#define NAME(stem) stem##_16
#include "ukernels/dwconv_lanes.inc"
#include "ukernels/dwconv_run.inc"
