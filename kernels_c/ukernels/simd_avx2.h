/* Samara: the vector layer on AVX2 with FMA and F16C. The words are explained in simd_scalar.h. */
#ifndef SAM_SIMD_AVX2_H
#define SAM_SIMD_AVX2_H

#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define VF_N 8
#define SAM_NARROW4 /* there is narrow4 */
#define VB_N 32
#ifndef SAM_SIMD
#define SAM_SIMD(name) name##__avx2
#endif

typedef __m256 vf;
typedef __m256i vi;
typedef __m256i vm;
typedef __m256i vb;

/* All-ones in the first n lanes. */
static inline vi vi_first(size_t n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

static inline vf vf_set(float x) { return _mm256_set1_ps(x); }
static inline vf vf_zero(void) { return _mm256_setzero_ps(); }
static inline vf vf_load(const float *p) { return _mm256_loadu_ps(p); }
static inline vf vf_load_n(const float *p, size_t n) { return _mm256_maskload_ps(p, vi_first(n)); }
static inline void vf_store(float *p, vf v) { _mm256_storeu_ps(p, v); }
static inline void vf_store_n(float *p, vf v, size_t n) { _mm256_maskstore_ps(p, vi_first(n), v); }
static inline vf vf_add(vf a, vf b) { return _mm256_add_ps(a, b); }
static inline vf vf_sub(vf a, vf b) { return _mm256_sub_ps(a, b); }
static inline vf vf_mul(vf a, vf b) { return _mm256_mul_ps(a, b); }
static inline vf vf_div(vf a, vf b) { return _mm256_div_ps(a, b); }
static inline vf vf_fma(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }
static inline vf vf_fnma(vf a, vf b, vf c) { return _mm256_fnmadd_ps(a, b, c); }
static inline vf vf_min(vf a, vf b) { return _mm256_min_ps(a, b); }
static inline vf vf_max(vf a, vf b) { return _mm256_max_ps(a, b); }
static inline vf vf_neg(vf a) { return _mm256_xor_ps(a, _mm256_set1_ps(-0.0f)); }
static inline vf vf_abs(vf a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }
static inline vf vf_sqrt(vf a) { return _mm256_sqrt_ps(a); }
static inline vf vf_rsqrt_rough(vf a) { return _mm256_rsqrt_ps(a); }
static inline vf vf_round(vf a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
static inline vf vf_floor(vf a) { return _mm256_floor_ps(a); }
static inline vf vf_ceil(vf a) { return _mm256_ceil_ps(a); }
static inline vf vf_trunc(vf a) { return _mm256_round_ps(a, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC); }
static inline float vf_sum(vf a) {
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}
static inline float vf_hmax(vf a) {
  __m128 s = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  s = _mm_max_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
}
static inline float vf_hmin(vf a) {
  __m128 s = _mm_min_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  s = _mm_min_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_min_ss(s, _mm_movehdup_ps(s)));
}
static inline vm vf_lt(vf a, vf b) { return _mm256_castps_si256(_mm256_cmp_ps(a, b, _CMP_LT_OQ)); }
static inline vm vf_le(vf a, vf b) { return _mm256_castps_si256(_mm256_cmp_ps(a, b, _CMP_LE_OQ)); }
static inline vm vf_eq(vf a, vf b) { return _mm256_castps_si256(_mm256_cmp_ps(a, b, _CMP_EQ_OQ)); }
static inline vf vf_select(vm m, vf a, vf b) { return _mm256_blendv_ps(b, a, _mm256_castsi256_ps(m)); }
static inline vm vm_and(vm a, vm b) { return _mm256_and_si256(a, b); }
static inline vm vm_or(vm a, vm b) { return _mm256_or_si256(a, b); }
static inline vm vm_not(vm a) { return _mm256_xor_si256(a, _mm256_set1_epi32(-1)); }
static inline bool vm_all(vm m) { return _mm256_movemask_ps(_mm256_castsi256_ps(m)) == 0xff; }

static inline vi vi_set(int32_t x) { return _mm256_set1_epi32(x); }
static inline vi vi_load(const int32_t *p) { return _mm256_loadu_si256((const __m256i *)p); }
static inline vi vi_load_n(const int32_t *p, size_t n) { return _mm256_maskload_epi32((const int *)p, vi_first(n)); }
static inline void vi_store(int32_t *p, vi v) { _mm256_storeu_si256((__m256i *)p, v); }
static inline void vi_store_n(int32_t *p, vi v, size_t n) { _mm256_maskstore_epi32((int *)p, vi_first(n), v); }
static inline vi vi_add(vi a, vi b) { return _mm256_add_epi32(a, b); }
static inline vi vi_sub(vi a, vi b) { return _mm256_sub_epi32(a, b); }
static inline vi vi_mul(vi a, vi b) { return _mm256_mullo_epi32(a, b); }
static inline vi vi_min(vi a, vi b) { return _mm256_min_epi32(a, b); }
static inline vi vi_max(vi a, vi b) { return _mm256_max_epi32(a, b); }
static inline vi vi_and(vi a, vi b) { return _mm256_and_si256(a, b); }
static inline vi vi_or(vi a, vi b) { return _mm256_or_si256(a, b); }
static inline vi vi_xor(vi a, vi b) { return _mm256_xor_si256(a, b); }
static inline vi vi_shl(vi a, int n) { return _mm256_slli_epi32(a, n); }
static inline vi vi_sar(vi a, int n) { return _mm256_srai_epi32(a, n); }
static inline vi vi_shr(vi a, int n) { return _mm256_srli_epi32(a, n); }
static inline vm vi_gt(vi a, vi b) { return _mm256_cmpgt_epi32(a, b); }
static inline vi vi_select(vm m, vi a, vi b) { return _mm256_blendv_epi8(b, a, m); }
static inline int32_t vi_sum(vi a) {
  __m128i s = _mm_add_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
  s = _mm_add_epi32(s, _mm_unpackhi_epi64(s, s));
  return _mm_cvtsi128_si32(_mm_add_epi32(s, _mm_shuffle_epi32(s, 1)));
}

static inline vf vf_from_vi(vi a) { return _mm256_cvtepi32_ps(a); }
static inline vi vi_from_vf(vf a) { return _mm256_cvtps_epi32(a); }
static inline vi vi_trunc_vf(vf a) { return _mm256_cvttps_epi32(a); }
static inline vi vi_bits(vf a) { return _mm256_castps_si256(a); }
static inline vf vf_bits(vi a) { return _mm256_castsi256_ps(a); }
static inline vf vf_pow2(vi n) { return vf_bits(vi_shl(vi_add(n, vi_set(127)), 23)); }

static inline vi vi_load_s8(const int8_t *p) { return _mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)p)); }
static inline vi vi_load_u8(const uint8_t *p) { return _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)p)); }
static inline vi vi_load_s16(const int16_t *p) { return _mm256_cvtepi16_epi32(_mm_loadu_si128((const __m128i *)p)); }
#include "ukernels/simd_part.h" /* over these */
static inline __m128i vi_narrow16(vi v) {
  return _mm_packs_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
}
static inline void vi_store_s8(int8_t *p, vi v) {
  const __m128i w = vi_narrow16(v);
  _mm_storel_epi64((__m128i *)p, _mm_packs_epi16(w, w));
}
static inline void vi_store_u8(uint8_t *p, vi v) {
  const __m128i w = vi_narrow16(v);
  _mm_storel_epi64((__m128i *)p, _mm_packus_epi16(w, w));
}
static inline void vi_store_s16(int16_t *p, vi v) { _mm_storeu_si128((__m128i *)p, vi_narrow16(v)); }
static inline void vi_store_s8_n(int8_t *p, vi v, size_t n) {
  int8_t b[8];
  vi_store_s8(b, v);
  memcpy(p, b, n);
}
static inline void vi_store_u8_n(uint8_t *p, vi v, size_t n) {
  uint8_t b[8];
  vi_store_u8(b, v);
  memcpy(p, b, n);
}
static inline void vi_store_s16_n(int16_t *p, vi v, size_t n) {
  int16_t b[8];
  vi_store_s16(b, v);
  memcpy(p, b, 2 * n);
}
static inline vf vf_load_f16(const uint16_t *p) { return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p)); }
static inline void vf_store_f16(uint16_t *p, vf v) {
  _mm_storeu_si128((__m128i *)p, _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}

static inline vb vb_set(uint8_t x) { return _mm256_set1_epi8((char)x); }
static inline vb vb_load(const void *p) { return _mm256_loadu_si256((const __m256i *)p); }
static inline vb vb_load_n(const void *p, size_t n) {
  uint8_t b[32] = {0};
  memcpy(b, p, n);
  return vb_load(b);
}
static inline void vb_store(void *p, vb v) { _mm256_storeu_si256((__m256i *)p, v); }
static inline void vb_store_n(void *p, vb v, size_t n) {
  uint8_t b[32];
  vb_store(b, v);
  memcpy(p, b, n);
}
static inline vb vb_xor(vb a, vb b) { return _mm256_xor_si256(a, b); }
static inline vb vb_max_u8(vb a, vb b) { return _mm256_max_epu8(a, b); }
static inline vb vb_min_u8(vb a, vb b) { return _mm256_min_epu8(a, b); }
static inline vb vb_max_s8(vb a, vb b) { return _mm256_max_epi8(a, b); }
static inline vb vb_min_s8(vb a, vb b) { return _mm256_min_epi8(a, b); }
/* The int4 in the lower, upper half of each byte, as int8. */
static inline vb vb_low_s4(vb x) {
  const __m128i values = _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, -8, -7, -6, -5, -4, -3, -2, -1);
  return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(values), _mm256_and_si256(x, _mm256_set1_epi8(15)));
}
static inline vb vb_high_s4(vb x) { return vb_low_s4(_mm256_srli_epi16(x, 4)); }

/* 4 * VF_N int32 to bytes in order, with int16 saturation before and after the addition. packs works inside 128-bit
 * lanes: it leaves dword (vector v, lane l) at 4 * l + v; the permutation puts it at 2 * v + l. */
static inline vb narrow4(const vi *q, int32_t zero_point) {
  const __m256i zero = _mm256_set1_epi16((short)zero_point);
  const __m256i ab = _mm256_adds_epi16(_mm256_packs_epi32(q[0], q[1]), zero);
  const __m256i cd = _mm256_adds_epi16(_mm256_packs_epi32(q[2], q[3]), zero);
  return _mm256_permutevar8x32_epi32(_mm256_packs_epi16(ab, cd), _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}
/* To unsigned bytes. */
static inline vb narrow4_u8(const vi *q, int32_t zero_point) {
  const __m256i zero = _mm256_set1_epi16((short)zero_point);
  const __m256i ab = _mm256_adds_epi16(_mm256_packs_epi32(q[0], q[1]), zero);
  const __m256i cd = _mm256_adds_epi16(_mm256_packs_epi32(q[2], q[3]), zero);
  return _mm256_permutevar8x32_epi32(_mm256_packus_epi16(ab, cd), _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

#endif
