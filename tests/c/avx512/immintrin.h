/* The intrinsics of AVX-512 and VNNI that the kernels use, on a machine that has AVX2 only. Found before the compiler's
 * <immintrin.h> in a build with SAMARA_PORTABLE_AVX512; GCC only.
 *
 * What works lane by lane, or inside 128 bits, is the processor's own 256-bit instruction on both halves. Masks, narrowing,
 * permutations and vpdpbusd are loops after the pseudocode of Intel's Intrinsics Guide. */
#ifndef SAM_PORTABLE_AVX512_H
#define SAM_PORTABLE_AVX512_H
#define _IMMINTRIN_H_INCLUDED /* GCC's own would define all of AVX-512 */
#include <smmintrin.h>
#include <avxintrin.h>
#include <avx2intrin.h>
#include <f16cintrin.h>
#include <fmaintrin.h>
#include <stdint.h>
#include <string.h>

typedef long long __m512i __attribute__((vector_size(64), may_alias));
typedef float __m512 __attribute__((vector_size(64), may_alias));
typedef uint8_t __mmask8;
typedef uint16_t __mmask16;
typedef uint32_t __mmask32;
typedef uint64_t __mmask64;

typedef union sam_zmm {
  __m512i i;
  __m512 f;
  __m256i yi[2];
  __m256 yf[2];
  __m128i xi[4];
  int8_t s8[64];
  uint8_t u8[64];
  int16_t s16[32];
  int32_t s32[16];
  uint32_t u32[16];
  float f32[16];
} sam_zmm;

#define IN static inline __attribute__((always_inline))

/* ---- Both halves by AVX2 --------------------------------------------------------------------------------------------- */

#define UNARY(name, R, r, A, a, half) \
  IN R _mm512_##name(A x) {           \
    sam_zmm v, y;                     \
    v.a = x;                          \
    y.y##r[0] = half(v.y##a[0]);      \
    y.y##r[1] = half(v.y##a[1]);      \
    return y.r;                       \
  }
#define BINARY(name, T, t, half)                  \
  IN T _mm512_##name(T x, T w) {                  \
    sam_zmm v, u, y;                              \
    v.t = x, u.t = w;                             \
    y.y##t[0] = half(v.y##t[0], u.y##t[0]);       \
    y.y##t[1] = half(v.y##t[1], u.y##t[1]);       \
    return y.t;                                   \
  }
#define INTEGER(name) BINARY(name, __m512i, i, _mm256_##name)
#define FLOAT(name) BINARY(name, __m512, f, _mm256_##name)
#define SHIFT(name, C)                                                             \
  IN __m512i _mm512_##name(__m512i x, C n) {                                       \
    sam_zmm v, y;                                                                  \
    v.i = x;                                                                       \
    for (int h = 0; h < 2; h++) y.yi[h] = _mm256_##name(v.yi[h], n);               \
    return y.i;                                                                    \
  }
#define FUSED(name)                                                                                 \
  IN __m512 _mm512_##name(__m512 x, __m512 w, __m512 z) {                                           \
    sam_zmm v, u, t, y;                                                                             \
    v.f = x, u.f = w, t.f = z;                                                                      \
    for (int h = 0; h < 2; h++) y.yf[h] = _mm256_##name(v.yf[h], u.yf[h], t.yf[h]);                 \
    return y.f;                                                                                     \
  }

INTEGER(add_epi16)
INTEGER(add_epi32)
INTEGER(add_epi64)
INTEGER(adds_epi16)
INTEGER(adds_epu8)
INTEGER(avg_epu16)
INTEGER(madd_epi16)
INTEGER(maddubs_epi16)
INTEGER(max_epi8)
INTEGER(max_epi16)
INTEGER(max_epi32)
INTEGER(max_epu8)
INTEGER(sad_epu8)
INTEGER(min_epi8)
INTEGER(min_epi16)
INTEGER(min_epi32)
INTEGER(min_epu8)
INTEGER(mul_epi32)
INTEGER(mulhi_epi16)
INTEGER(mulhrs_epi16)
INTEGER(mullo_epi16)
INTEGER(mullo_epi32)
INTEGER(packs_epi16)
INTEGER(packs_epi32)
INTEGER(packus_epi16)
INTEGER(shuffle_epi8)
INTEGER(sub_epi8)
INTEGER(sub_epi16)
INTEGER(sub_epi32)
INTEGER(unpackhi_epi8)
INTEGER(unpackhi_epi16)
INTEGER(unpacklo_epi8)
INTEGER(unpacklo_epi16)
BINARY(and_si512, __m512i, i, _mm256_and_si256)
BINARY(or_si512, __m512i, i, _mm256_or_si256)
BINARY(xor_si512, __m512i, i, _mm256_xor_si256)
SHIFT(sll_epi16, __m128i)
SHIFT(sra_epi16, __m128i)
SHIFT(sra_epi32, __m128i)
SHIFT(slli_epi16, int)
SHIFT(slli_epi32, int)
SHIFT(slli_epi64, int)
SHIFT(srai_epi16, int)
SHIFT(srai_epi32, int)
SHIFT(srli_epi16, int)
SHIFT(srli_epi32, int)
SHIFT(srli_epi64, int)
FLOAT(add_ps)
FLOAT(sub_ps)
FLOAT(mul_ps)
FLOAT(div_ps)
FLOAT(min_ps)
FLOAT(max_ps)
FLOAT(xor_ps)
FUSED(fmadd_ps)
FUSED(fnmadd_ps)
UNARY(sqrt_ps, __m512, f, __m512, f, _mm256_sqrt_ps)
UNARY(rsqrt14_ps, __m512, f, __m512, f, _mm256_rsqrt_ps)
UNARY(cvtepi32_ps, __m512, f, __m512i, i, _mm256_cvtepi32_ps)
UNARY(cvtps_epi32, __m512i, i, __m512, f, _mm256_cvtps_epi32)
UNARY(cvttps_epi32, __m512i, i, __m512, f, _mm256_cvttps_epi32)

/* Rounding to whole numbers: imm8[3:0] means what it means in vroundps. */
#define _mm512_roundscale_ps(x, how) __extension__({   \
    sam_zmm sam_v;                                     \
    sam_v.f = (x);                                     \
    sam_v.yf[0] = _mm256_round_ps(sam_v.yf[0], how);   \
    sam_v.yf[1] = _mm256_round_ps(sam_v.yf[1], how);   \
    sam_v.f;                                           \
  })
#define _mm512_cmp_ps_mask(x, w, how) __extension__({                                                       \
    sam_zmm sam_v, sam_u;                                                                                   \
    sam_v.f = (x), sam_u.f = (w);                                                                           \
    (__mmask16)(_mm256_movemask_ps(_mm256_cmp_ps(sam_v.yf[0], sam_u.yf[0], how)) |                          \
                _mm256_movemask_ps(_mm256_cmp_ps(sam_v.yf[1], sam_u.yf[1], how)) << 8);                     \
  })

/* ---- Constants, memory, halves --------------------------------------------------------------------------------------- */

IN __m512i _mm512_setzero_si512(void) { return (__m512i){0}; }
IN __m512 _mm512_setzero_ps(void) { return (__m512){0}; }
#define SET(name, R, r, E, half)                 \
  IN R _mm512_##name(E x) {                      \
    sam_zmm y;                                   \
    y.y##r[0] = y.y##r[1] = half(x);             \
    return y.r;                                  \
  }
SET(set1_epi8, __m512i, i, char, _mm256_set1_epi8)
SET(set1_epi16, __m512i, i, short, _mm256_set1_epi16)
SET(set1_epi32, __m512i, i, int, _mm256_set1_epi32)
SET(set1_epi64, __m512i, i, long long, _mm256_set1_epi64x)
SET(set1_ps, __m512, f, float, _mm256_set1_ps)
SET(broadcast_i32x4, __m512i, i, __m128i, _mm256_broadcastsi128_si256)
#define _mm512_setr_epi32(...) ((__m512i)(int __attribute__((vector_size(64)))){__VA_ARGS__})
IN __m512i _mm512_loadu_si512(const void *p) {
  __m512i y;
  memcpy(&y, p, 64);
  return y;
}
IN __m512i _mm512_load_si512(const void *p) { return *(const __m512i *)p; }
IN void _mm512_storeu_si512(void *p, __m512i x) { memcpy(p, &x, 64); }
IN __m512 _mm512_loadu_ps(const void *p) { return (__m512)_mm512_loadu_si512(p); }
IN void _mm512_storeu_ps(void *p, __m512 x) { memcpy(p, &x, 64); }
IN __m512 _mm512_castsi512_ps(__m512i x) { return (__m512)x; }
IN __m512i _mm512_castps_si512(__m512 x) { return (__m512i)x; }
IN __m512i _mm512_castsi256_si512(__m256i x) { return (sam_zmm){.yi = {x}}.i; }
IN __m256i _mm512_castsi512_si256(__m512i x) { return (sam_zmm){.i = x}.yi[0]; }
IN __m256i _mm512_extracti64x4_epi64(__m512i x, int half) { return (sam_zmm){.i = x}.yi[half & 1]; }
IN __m512i _mm512_inserti64x4(__m512i x, __m256i w, int half) {
  sam_zmm y = {.i = x};
  y.yi[half & 1] = w;
  return y.i;
}
IN __m512 _mm512_abs_ps(__m512 x) {
  return (__m512)_mm512_and_si512((__m512i)x, _mm512_set1_epi32(0x7fffffff));
}

/* ---- Wider and narrower ---------------------------------------------------------------------------------------------- */

#define WIDEN(name, R, r, A, half) \
  IN R _mm512_##name(__m256i x) {                                \
    sam_zmm y;                                                   \
    y.y##r[0] = half(_mm256_castsi256_si128(x));                 \
    y.y##r[1] = half(_mm256_extracti128_si256(x, 1));            \
    return y.r;                                                  \
  }
WIDEN(cvtepi8_epi16, __m512i, i, __m256i, _mm256_cvtepi8_epi16)
WIDEN(cvtepu8_epi16, __m512i, i, __m256i, _mm256_cvtepu8_epi16)
WIDEN(cvtepi16_epi32, __m512i, i, __m256i, _mm256_cvtepi16_epi32)
WIDEN(cvtepi32_epi64, __m512i, i, __m256i, _mm256_cvtepi32_epi64)
WIDEN(cvtph_ps, __m512, f, __m256i, _mm256_cvtph_ps)
#undef WIDEN
#define WIDEN_BYTES(name)                                        \
  IN __m512i _mm512_##name(__m128i x) {                          \
    sam_zmm y;                                                   \
    y.yi[0] = _mm256_##name(x);                                  \
    y.yi[1] = _mm256_##name(_mm_srli_si128(x, 8));               \
    return y.i;                                                  \
  }
WIDEN_BYTES(cvtepi8_epi32)
WIDEN_BYTES(cvtepu8_epi32)
#undef WIDEN_BYTES
#define _mm512_cvtps_ph(x, how) __extension__({                                                                    \
    sam_zmm sam_v;                                                                                                 \
    sam_v.f = (x);                                                                                                 \
    _mm256_set_m128i(_mm256_cvtps_ph(sam_v.yf[1], how), _mm256_cvtps_ph(sam_v.yf[0], how));                        \
  })

/* name: N lanes of FROM, saturated to [lo, hi], as the elements TO of R; and its stores of the lanes in a mask. */
#define NARROW(name, N, FROM, from, TO, R, lo, hi, M)                              \
  IN R _mm512_##name(__m512i x) {                                                  \
    const sam_zmm v = {.i = x};                                                    \
    TO y[N];                                                                       \
    R packed;                                                                      \
    for (int j = 0; j < N; j++) {                                                  \
      const FROM e = v.from[j];                                                    \
      y[j] = (TO)(e < (lo) ? (lo) : e > (hi) ? (hi) : e);                          \
    }                                                                              \
    memcpy(&packed, y, sizeof y);                                                  \
    return packed;                                                                 \
  }                                                                                \
  IN void _mm512_mask_##name##_to(void *p, M m, __m512i x) {                       \
    const R y = _mm512_##name(x);                                                  \
    for (int j = 0; j < N; j++)                                                    \
      if (m >> j & 1) memcpy((TO *)p + j, (const TO *)&y + j, sizeof(TO));         \
  }
NARROW(cvtsepi32_epi8, 16, int32_t, s32, int8_t, __m128i, -128, 127, __mmask16)
NARROW(cvtusepi32_epi8, 16, uint32_t, u32, uint8_t, __m128i, 0u, 255u, __mmask16)
NARROW(cvtsepi32_epi16, 16, int32_t, s32, int16_t, __m256i, -32768, 32767, __mmask16)
NARROW(cvtsepi16_epi8, 32, int16_t, s16, int8_t, __m256i, -128, 127, __mmask32)
#define _mm512_mask_cvtsepi32_storeu_epi8 _mm512_mask_cvtsepi32_epi8_to
#define _mm512_mask_cvtusepi32_storeu_epi8 _mm512_mask_cvtusepi32_epi8_to
#define _mm512_mask_cvtsepi32_storeu_epi16 _mm512_mask_cvtsepi32_epi16_to
#undef NARROW

/* ---- Masks: bit j belongs to lane j. A masked lane's memory is not touched. ------------------------------------------ */

#define MASKED(P, V, E, suffix, N, M)                                       \
  IN V P##_maskz_loadu_##suffix(M m, const void *p) {                       \
    V y = {0};                                                              \
    for (int j = 0; j < N; j++)                                             \
      if (m >> j & 1) memcpy((char *)&y + j * sizeof(E), (const E *)p + j, sizeof(E)); \
    return y;                                                               \
  }                                                                         \
  IN void P##_mask_storeu_##suffix(void *p, M m, V x) {                     \
    for (int j = 0; j < N; j++)                                             \
      if (m >> j & 1) memcpy((E *)p + j, (const char *)&x + j * sizeof(E), sizeof(E)); \
  }
MASKED(_mm512, __m512i, int8_t, epi8, 64, __mmask64)
MASKED(_mm512, __m512i, int32_t, epi32, 16, __mmask16)
MASKED(_mm512, __m512, float, ps, 16, __mmask16)
MASKED(_mm256, __m256i, int16_t, epi16, 16, __mmask16)
MASKED(_mm, __m128i, int8_t, epi8, 16, __mmask16)
#undef MASKED
#define BLEND(suffix, V, f, lanes, N, M)                                    \
  IN V _mm512_mask_blend_##suffix(M m, V x, V w) {                          \
    sam_zmm y = {.f = x};                                                   \
    const sam_zmm u = {.f = w};                                             \
    for (int j = 0; j < N; j++) y.lanes[j] = m >> j & 1 ? u.lanes[j] : y.lanes[j]; \
    return y.f;                                                             \
  }
BLEND(epi8, __m512i, i, s8, 64, __mmask64)
BLEND(epi16, __m512i, i, s16, 32, __mmask32)
BLEND(epi32, __m512i, i, s32, 16, __mmask16)
BLEND(ps, __m512, f, u32, 16, __mmask16)
#undef BLEND
IN __m512i _mm512_mask_add_epi32(__m512i other, __mmask16 m, __m512i x, __m512i w) {
  return _mm512_mask_blend_epi32(m, other, _mm512_add_epi32(x, w));
}
#define COMPARE(name, lanes, N, M, condition)                               \
  IN M _mm512_##name##_mask(__m512i x, __m512i w) {                         \
    const sam_zmm v = {.i = x}, u = {.i = w};                               \
    M m = 0;                                                                \
    for (int j = 0; j < N; j++) m |= (M)((M)(condition) << j);              \
    return m;                                                               \
  }
COMPARE(cmpeq_epi32, s32, 16, __mmask16, v.s32[j] == u.s32[j])
COMPARE(cmpgt_epi32, s32, 16, __mmask16, v.s32[j] > u.s32[j])
COMPARE(cmpgt_epi16, s16, 32, __mmask32, v.s16[j] > u.s16[j])
COMPARE(test_epi16, s16, 32, __mmask32, (v.s16[j] & u.s16[j]) != 0)
COMPARE(testn_epi16, s16, 32, __mmask32, (v.s16[j] & u.s16[j]) == 0)
#undef COMPARE
IN __mmask64 _mm512_movepi8_mask(__m512i x) {
  const sam_zmm v = {.i = x};
  return (uint32_t)_mm256_movemask_epi8(v.yi[0]) | (uint64_t)(uint32_t)_mm256_movemask_epi8(v.yi[1]) << 32;
}

/* ---- Across lanes ---------------------------------------------------------------------------------------------------- */

IN __m512i _mm512_permutexvar_epi32(__m512i index, __m512i x) {
  const sam_zmm at = {.i = index}, v = {.i = x};
  sam_zmm y;
  for (int j = 0; j < 16; j++) y.s32[j] = v.s32[at.s32[j] & 15];
  return y.i;
}
IN __m512i _mm512_permutex2var_epi8(__m512i x, __m512i index, __m512i w) {
  const sam_zmm at = {.i = index}, v = {.i = x}, u = {.i = w};
  sam_zmm y;
  for (int j = 0; j < 64; j++) y.u8[j] = (at.u8[j] & 64 ? u.u8 : v.u8)[at.u8[j] & 63];
  return y.i;
}
IN int _mm512_reduce_add_epi32(__m512i x) {
  const sam_zmm v = {.i = x};
  uint32_t sum = 0;
  for (int j = 0; j < 16; j++) sum += v.u32[j];
  return (int)sum;
}
IN int _mm512_reduce_max_epi32(__m512i x) {
  const sam_zmm v = {.i = x};
  int32_t most = v.s32[0];
  for (int j = 1; j < 16; j++) most = v.s32[j] > most ? v.s32[j] : most;
  return most;
}
/* As compilers do it: halves of halves. */
#define REDUCE(name, step)                                                             \
  IN float _mm512_reduce_##name(__m512 x) {                                            \
    sam_zmm v = {.f = x};                                                              \
    for (int n = 8; n > 0; n /= 2)                                                     \
      for (int j = 0; j < n; j++) {                                                    \
        const float a = v.f32[j], b = v.f32[j + n];                                    \
        v.f32[j] = (step);                                                             \
      }                                                                                \
    return v.f32[0];                                                                   \
  }
REDUCE(add_ps, a + b)
REDUCE(max_ps, a > b ? a : b)
REDUCE(min_ps, a < b ? a : b)
#undef REDUCE

/* vpdpbusd: to each 32-bit lane four products of unsigned with signed bytes, without saturation, modulo 2^32. */
IN void sam_dpbusd(__m128i *sums, const __m128i *unsigneds, const __m128i *signeds, size_t n) {
  for (size_t j = 0; j < n; j++) {
    const __m256i x = _mm256_cvtepu8_epi16(unsigneds[j]), w = _mm256_cvtepi8_epi16(signeds[j]);
    const __m256i pairs = _mm256_madd_epi16(x, w);
    const __m128i low = _mm256_castsi256_si128(pairs), high = _mm256_extracti128_si256(pairs, 1);
    sums[j] = _mm_add_epi32(sums[j], _mm_hadd_epi32(low, high));
  }
}
#define SAM_DPBUSD(acc, x, w)                                                                                       \
  do {                                                                                                             \
    const __typeof__(acc) sam_x = (x), sam_w = (w);                                                                \
    sam_dpbusd((__m128i *)&(acc), (const __m128i *)&sam_x, (const __m128i *)&sam_w, sizeof(acc) / 16);             \
  } while (0)
#define SAM_DPBUSD_AT(acc, x, p) SAM_DPBUSD(acc, x, *(const __typeof__(acc) *)(p))

#undef IN
#undef UNARY
#undef BINARY
#undef INTEGER
#undef FLOAT
#undef SHIFT
#undef FUSED
#undef SET
#endif
