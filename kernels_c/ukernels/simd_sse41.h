/* Samara: the vector layer on SSE4.1, for x86 without AVX2 (Atom, Celeron and older processors). The words are
 * explained in simd_scalar.h. There is no fused multiply-add: vf_fma rounds twice, as the scalar layer does. */
#ifndef SAM_SIMD_SSE41_H
#define SAM_SIMD_SSE41_H

#include <smmintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define VF_N 4
#define SAM_NO_FMA /* vf_fma rounds twice */
#define SAM_NARROW4 /* there is narrow4 */
#define VB_N 16
#ifndef SAM_SIMD
#define SAM_SIMD(name) name##__sse41
#endif

typedef __m128 vf;
typedef __m128i vi;
typedef __m128i vm;
typedef __m128i vb;

static inline __m128i v_load(const void *p) { return _mm_loadu_si128((const __m128i *)p); }
static inline void v_store(void *p, __m128i v) { _mm_storeu_si128((__m128i *)p, v); }
/* The first n bytes; the others are 0. */
static inline __m128i v_load_n(const void *p, size_t n) {
  uint8_t b[16] = {0};
  memcpy(b, p, n);
  return v_load(b);
}
static inline void v_store_n(void *p, __m128i v, size_t n) {
  uint8_t b[16];
  v_store(b, v);
  memcpy(p, b, n);
}
/* 4 and 8 bytes. */
static inline __m128i v_load_4(const void *p) {
  int32_t x;
  memcpy(&x, p, 4);
  return _mm_cvtsi32_si128(x);
}
static inline __m128i v_load_8(const void *p) { return _mm_loadl_epi64((const __m128i *)p); }
static inline __m128i v_count(int n) { return _mm_cvtsi32_si128(n); }

static inline vf vf_set(float x) { return _mm_set1_ps(x); }
static inline vf vf_zero(void) { return _mm_setzero_ps(); }
static inline vf vf_load(const float *p) { return _mm_loadu_ps(p); }
static inline vf vf_load_n(const float *p, size_t n) { return _mm_castsi128_ps(v_load_n(p, 4 * n)); }
static inline void vf_store(float *p, vf v) { _mm_storeu_ps(p, v); }
static inline void vf_store_n(float *p, vf v, size_t n) { v_store_n(p, _mm_castps_si128(v), 4 * n); }
static inline vf vf_add(vf a, vf b) { return _mm_add_ps(a, b); }
static inline vf vf_sub(vf a, vf b) { return _mm_sub_ps(a, b); }
static inline vf vf_mul(vf a, vf b) { return _mm_mul_ps(a, b); }
static inline vf vf_div(vf a, vf b) { return _mm_div_ps(a, b); }
static inline vf vf_fma(vf a, vf b, vf c) { return _mm_add_ps(_mm_mul_ps(a, b), c); }
static inline vf vf_fnma(vf a, vf b, vf c) { return _mm_sub_ps(c, _mm_mul_ps(a, b)); }
static inline vf vf_min(vf a, vf b) { return _mm_min_ps(a, b); }
static inline vf vf_max(vf a, vf b) { return _mm_max_ps(a, b); }
static inline vf vf_neg(vf a) { return _mm_xor_ps(a, _mm_set1_ps(-0.0f)); }
static inline vf vf_abs(vf a) { return _mm_andnot_ps(_mm_set1_ps(-0.0f), a); }
static inline vf vf_sqrt(vf a) { return _mm_sqrt_ps(a); }
static inline vf vf_rsqrt_rough(vf a) { return _mm_rsqrt_ps(a); }
static inline vf vf_round(vf a) { return _mm_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
static inline vf vf_floor(vf a) { return _mm_floor_ps(a); }
static inline vf vf_ceil(vf a) { return _mm_ceil_ps(a); }
static inline vf vf_trunc(vf a) { return _mm_round_ps(a, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC); }
static inline vf vf_second(vf a) { return _mm_shuffle_ps(a, a, 1); }
static inline float vf_sum(vf a) {
  const vf s = vf_add(a, _mm_movehl_ps(a, a));
  return _mm_cvtss_f32(_mm_add_ss(s, vf_second(s)));
}
static inline float vf_hmax(vf a) {
  const vf s = vf_max(a, _mm_movehl_ps(a, a));
  return _mm_cvtss_f32(_mm_max_ss(s, vf_second(s)));
}
static inline float vf_hmin(vf a) {
  const vf s = vf_min(a, _mm_movehl_ps(a, a));
  return _mm_cvtss_f32(_mm_min_ss(s, vf_second(s)));
}
static inline vm vf_lt(vf a, vf b) { return _mm_castps_si128(_mm_cmplt_ps(a, b)); }
static inline vm vf_le(vf a, vf b) { return _mm_castps_si128(_mm_cmple_ps(a, b)); }
static inline vm vf_eq(vf a, vf b) { return _mm_castps_si128(_mm_cmpeq_ps(a, b)); }
static inline vf vf_select(vm m, vf a, vf b) { return _mm_blendv_ps(b, a, _mm_castsi128_ps(m)); }
static inline vm vm_and(vm a, vm b) { return _mm_and_si128(a, b); }
static inline vm vm_or(vm a, vm b) { return _mm_or_si128(a, b); }
static inline vm vm_not(vm a) { return _mm_xor_si128(a, _mm_set1_epi32(-1)); }
static inline bool vm_all(vm m) { return _mm_movemask_ps(_mm_castsi128_ps(m)) == 15; }

static inline vi vi_set(int32_t x) { return _mm_set1_epi32(x); }
static inline vi vi_load(const int32_t *p) { return v_load(p); }
static inline vi vi_load_n(const int32_t *p, size_t n) { return v_load_n(p, 4 * n); }
static inline void vi_store(int32_t *p, vi v) { v_store(p, v); }
static inline void vi_store_n(int32_t *p, vi v, size_t n) { v_store_n(p, v, 4 * n); }
static inline vi vi_add(vi a, vi b) { return _mm_add_epi32(a, b); }
static inline vi vi_sub(vi a, vi b) { return _mm_sub_epi32(a, b); }
static inline vi vi_mul(vi a, vi b) { return _mm_mullo_epi32(a, b); }
static inline vi vi_min(vi a, vi b) { return _mm_min_epi32(a, b); }
static inline vi vi_max(vi a, vi b) { return _mm_max_epi32(a, b); }
static inline vi vi_and(vi a, vi b) { return _mm_and_si128(a, b); }
static inline vi vi_or(vi a, vi b) { return _mm_or_si128(a, b); }
static inline vi vi_xor(vi a, vi b) { return _mm_xor_si128(a, b); }
static inline vi vi_shl(vi a, int n) { return _mm_sll_epi32(a, v_count(n)); }
static inline vi vi_sar(vi a, int n) { return _mm_sra_epi32(a, v_count(n)); }
static inline vi vi_shr(vi a, int n) { return _mm_srl_epi32(a, v_count(n)); }
static inline vm vi_gt(vi a, vi b) { return _mm_cmpgt_epi32(a, b); }
static inline vi vi_select(vm m, vi a, vi b) { return _mm_blendv_epi8(b, a, m); }
static inline int32_t vi_sum(vi a) {
  const vi s = vi_add(a, _mm_unpackhi_epi64(a, a));
  return _mm_cvtsi128_si32(vi_add(s, _mm_shuffle_epi32(s, 1)));
}

static inline vf vf_from_vi(vi a) { return _mm_cvtepi32_ps(a); }
static inline vi vi_from_vf(vf a) { return _mm_cvtps_epi32(a); }
static inline vi vi_trunc_vf(vf a) { return _mm_cvttps_epi32(a); }
static inline vi vi_bits(vf a) { return _mm_castps_si128(a); }
static inline vf vf_bits(vi a) { return _mm_castsi128_ps(a); }
static inline vf vf_pow2(vi n) { return vf_bits(_mm_slli_epi32(vi_add(n, vi_set(127)), 23)); }

static inline vi vi_load_s8(const int8_t *p) { return _mm_cvtepi8_epi32(v_load_4(p)); }
static inline vi vi_load_u8(const uint8_t *p) { return _mm_cvtepu8_epi32(v_load_4(p)); }
static inline vi vi_load_s16(const int16_t *p) { return _mm_cvtepi16_epi32(v_load_8(p)); }
#include "ukernels/simd_part.h" /* over these */
static inline __m128i vi_narrow_s8(vi v) {
  const __m128i w = _mm_packs_epi32(v, v);
  return _mm_packs_epi16(w, w);
}
static inline __m128i vi_narrow_u8(vi v) {
  const __m128i w = _mm_packs_epi32(v, v);
  return _mm_packus_epi16(w, w);
}
static inline void vi_store_s8_n(int8_t *p, vi v, size_t n) {
  const int32_t four = _mm_cvtsi128_si32(vi_narrow_s8(v));
  memcpy(p, &four, n);
}
static inline void vi_store_u8_n(uint8_t *p, vi v, size_t n) {
  const int32_t four = _mm_cvtsi128_si32(vi_narrow_u8(v));
  memcpy(p, &four, n);
}
static inline void vi_store_s8(int8_t *p, vi v) { vi_store_s8_n(p, v, 4); }
static inline void vi_store_u8(uint8_t *p, vi v) { vi_store_u8_n(p, v, 4); }
static inline void vi_store_s16(int16_t *p, vi v) { _mm_storel_epi64((__m128i *)p, _mm_packs_epi32(v, v)); }
static inline void vi_store_s16_n(int16_t *p, vi v, size_t n) { v_store_n(p, _mm_packs_epi32(v, v), 2 * n); }
#include "ukernels/simd_half.h" /* over these */

static inline vb vb_set(uint8_t x) { return _mm_set1_epi8((char)x); }
static inline vb vb_load(const void *p) { return v_load(p); }
static inline vb vb_load_n(const void *p, size_t n) { return v_load_n(p, n); }
static inline void vb_store(void *p, vb v) { v_store(p, v); }
static inline void vb_store_n(void *p, vb v, size_t n) { v_store_n(p, v, n); }
static inline vb vb_xor(vb a, vb b) { return _mm_xor_si128(a, b); }
static inline vb vb_max_u8(vb a, vb b) { return _mm_max_epu8(a, b); }
static inline vb vb_min_u8(vb a, vb b) { return _mm_min_epu8(a, b); }
static inline vb vb_max_s8(vb a, vb b) { return _mm_max_epi8(a, b); }
static inline vb vb_min_s8(vb a, vb b) { return _mm_min_epi8(a, b); }

/* 4 * VF_N int32 to bytes in order, with int16 saturation before and after the addition; the same to uint8. */
static inline __m128i narrow2(const vi *q, int32_t zero_point) {
  return _mm_adds_epi16(_mm_packs_epi32(q[0], q[1]), _mm_set1_epi16((short)zero_point));
}
static inline vb narrow4(const vi *q, int32_t zero_point) {
  return _mm_packs_epi16(narrow2(q, zero_point), narrow2(q + 2, zero_point));
}
static inline vb narrow4_u8(const vi *q, int32_t zero_point) {
  return _mm_packus_epi16(narrow2(q, zero_point), narrow2(q + 2, zero_point));
}

/* Eight int16. */
typedef __m128i v8;
static inline v8 v8_set(int16_t x) { return _mm_set1_epi16(x); }
static inline v8 v8_load_s8(const void *p) { return _mm_cvtepi8_epi16(v_load_8(p)); }
static inline v8 v8_load_u8(const void *p) { return _mm_cvtepu8_epi16(v_load_8(p)); }
static inline v8 v8_add(v8 a, v8 b) { return _mm_add_epi16(a, b); }
static inline v8 v8_sub(v8 a, v8 b) { return _mm_sub_epi16(a, b); }
static inline v8 v8_adds(v8 a, v8 b) { return _mm_adds_epi16(a, b); }
static inline v8 v8_narrow(vi a, vi b) { return _mm_packs_epi32(a, b); }
static inline vb v8_narrow_s8(v8 a, v8 b) { return _mm_packs_epi16(a, b); }
static inline vb v8_narrow_u8(v8 a, v8 b) { return _mm_packus_epi16(a, b); }
static inline v8 v8_zip_low(v8 a, v8 b) { return _mm_unpacklo_epi16(a, b); }
static inline v8 v8_zip_high(v8 a, v8 b) { return _mm_unpackhi_epi16(a, b); }

/* Four bytes, in every lane. */
static inline vi vi_load_same(const void *p) { return _mm_shuffle_epi32(v_load_4(p), 0); }
/* a . b of pairs of int16, added to c. */
static inline vi vi_add_pairs(vi c, __m128i a, __m128i b) { return vi_add(c, _mm_madd_epi16(a, b)); }
/* The products of even and of odd lanes, whose bits 31 to 62 are a * b / 2^31, halves up. */
static inline vi vi_mul_high(vi a, vi b) {
  const __m128i half = _mm_set1_epi64x(1 << 30);
  const __m128i even = _mm_add_epi64(_mm_mul_epi32(a, b), half);
  const __m128i odd = _mm_add_epi64(_mm_mul_epi32(_mm_srli_epi64(a, 32), _mm_srli_epi64(b, 32)), half);
  return _mm_blend_epi16(_mm_srli_epi64(even, 31), _mm_slli_epi64(odd, 1), 0xcc);
}

#endif
