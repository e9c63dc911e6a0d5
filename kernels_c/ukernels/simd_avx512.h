/* Samara: the vector layer on AVX-512 (F, BW, DQ, VL). The words are explained in simd_scalar.h. */
#ifndef SAM_SIMD_AVX512_H
#define SAM_SIMD_AVX512_H

#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define VF_N 16
#define SAM_NARROW4 /* there is narrow4 */
#define VB_N 64
#ifndef SAM_SIMD
#define SAM_SIMD(name) name##__avx512
#endif

typedef __m512 vf;
typedef __m512i vi;
typedef __mmask16 vm;
typedef __m512i vb;

static inline __mmask16 vm_first(size_t n) { return (__mmask16)((1u << n) - 1); }
static inline __mmask64 vb_first(size_t n) { return (((__mmask64)1 << n) - 1); }

static inline vf vf_set(float x) { return _mm512_set1_ps(x); }
static inline vf vf_zero(void) { return _mm512_setzero_ps(); }
static inline vf vf_load(const float *p) { return _mm512_loadu_ps(p); }
static inline vf vf_load_n(const float *p, size_t n) { return _mm512_maskz_loadu_ps(vm_first(n), p); }
static inline void vf_store(float *p, vf v) { _mm512_storeu_ps(p, v); }
static inline void vf_store_n(float *p, vf v, size_t n) { _mm512_mask_storeu_ps(p, vm_first(n), v); }
static inline vf vf_add(vf a, vf b) { return _mm512_add_ps(a, b); }
static inline vf vf_sub(vf a, vf b) { return _mm512_sub_ps(a, b); }
static inline vf vf_mul(vf a, vf b) { return _mm512_mul_ps(a, b); }
static inline vf vf_div(vf a, vf b) { return _mm512_div_ps(a, b); }
static inline vf vf_fma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }
static inline vf vf_fnma(vf a, vf b, vf c) { return _mm512_fnmadd_ps(a, b, c); }
static inline vf vf_min(vf a, vf b) { return _mm512_min_ps(a, b); }
static inline vf vf_max(vf a, vf b) { return _mm512_max_ps(a, b); }
static inline vf vf_neg(vf a) { return _mm512_xor_ps(a, _mm512_set1_ps(-0.0f)); }
static inline vf vf_abs(vf a) { return _mm512_abs_ps(a); }
static inline vf vf_sqrt(vf a) { return _mm512_sqrt_ps(a); }
static inline vf vf_rsqrt_rough(vf a) { return _mm512_rsqrt14_ps(a); }
static inline vf vf_round(vf a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
static inline vf vf_floor(vf a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
static inline vf vf_ceil(vf a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC); }
static inline vf vf_trunc(vf a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC); }
static inline float vf_sum(vf a) { return _mm512_reduce_add_ps(a); }
static inline float vf_hmax(vf a) { return _mm512_reduce_max_ps(a); }
static inline float vf_hmin(vf a) { return _mm512_reduce_min_ps(a); }
static inline vm vf_lt(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
static inline vm vf_le(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ); }
static inline vm vf_eq(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
static inline vf vf_select(vm m, vf a, vf b) { return _mm512_mask_blend_ps(m, b, a); }
static inline vm vm_and(vm a, vm b) { return (vm)(a & b); }
static inline vm vm_or(vm a, vm b) { return (vm)(a | b); }
static inline vm vm_not(vm a) { return (vm)~a; }
static inline bool vm_all(vm m) { return m == 0xffff; }

static inline vi vi_set(int32_t x) { return _mm512_set1_epi32(x); }
static inline vi vi_load(const int32_t *p) { return _mm512_loadu_si512(p); }
static inline vi vi_load_n(const int32_t *p, size_t n) { return _mm512_maskz_loadu_epi32(vm_first(n), p); }
static inline void vi_store(int32_t *p, vi v) { _mm512_storeu_si512(p, v); }
static inline void vi_store_n(int32_t *p, vi v, size_t n) { _mm512_mask_storeu_epi32(p, vm_first(n), v); }
static inline vi vi_add(vi a, vi b) { return _mm512_add_epi32(a, b); }
static inline vi vi_sub(vi a, vi b) { return _mm512_sub_epi32(a, b); }
static inline vi vi_mul(vi a, vi b) { return _mm512_mullo_epi32(a, b); }
static inline vi vi_min(vi a, vi b) { return _mm512_min_epi32(a, b); }
static inline vi vi_max(vi a, vi b) { return _mm512_max_epi32(a, b); }
static inline vi vi_and(vi a, vi b) { return _mm512_and_si512(a, b); }
static inline vi vi_or(vi a, vi b) { return _mm512_or_si512(a, b); }
static inline vi vi_xor(vi a, vi b) { return _mm512_xor_si512(a, b); }
static inline vi vi_shl(vi a, int n) { return _mm512_slli_epi32(a, (unsigned)n); }
static inline vi vi_sar(vi a, int n) { return _mm512_srai_epi32(a, (unsigned)n); }
static inline vi vi_shr(vi a, int n) { return _mm512_srli_epi32(a, (unsigned)n); }
static inline vm vi_gt(vi a, vi b) { return _mm512_cmpgt_epi32_mask(a, b); }
static inline vi vi_select(vm m, vi a, vi b) { return _mm512_mask_blend_epi32(m, b, a); }
static inline int32_t vi_sum(vi a) { return _mm512_reduce_add_epi32(a); }

static inline vf vf_from_vi(vi a) { return _mm512_cvtepi32_ps(a); }
static inline vi vi_from_vf(vf a) { return _mm512_cvtps_epi32(a); }
static inline vi vi_trunc_vf(vf a) { return _mm512_cvttps_epi32(a); }
static inline vi vi_bits(vf a) { return _mm512_castps_si512(a); }
static inline vf vf_bits(vi a) { return _mm512_castsi512_ps(a); }
static inline vf vf_pow2(vi n) { return vf_bits(vi_shl(vi_add(n, vi_set(127)), 23)); }

static inline vi vi_load_s8(const int8_t *p) { return _mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)p)); }
static inline vi vi_load_u8(const uint8_t *p) { return _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)p)); }
static inline vi vi_load_s16(const int16_t *p) { return _mm512_cvtepi16_epi32(_mm256_loadu_si256((const __m256i *)p)); }
static inline vi vi_load_s8_n(const int8_t *p, size_t n) {
  return _mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(vm_first(n), p));
}
static inline vi vi_load_u8_n(const uint8_t *p, size_t n) {
  return _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(vm_first(n), p));
}
static inline vi vi_load_s16_n(const int16_t *p, size_t n) {
  return _mm512_cvtepi16_epi32(_mm256_maskz_loadu_epi16(vm_first(n), p));
}
static inline void vi_store_s8(int8_t *p, vi v) { _mm_storeu_si128((__m128i *)p, _mm512_cvtsepi32_epi8(v)); }
static inline void vi_store_u8(uint8_t *p, vi v) {
  _mm_storeu_si128((__m128i *)p, _mm512_cvtusepi32_epi8(_mm512_max_epi32(v, _mm512_setzero_si512())));
}
static inline void vi_store_s16(int16_t *p, vi v) { _mm256_storeu_si256((__m256i *)p, _mm512_cvtsepi32_epi16(v)); }
static inline void vi_store_s8_n(int8_t *p, vi v, size_t n) { _mm512_mask_cvtsepi32_storeu_epi8(p, vm_first(n), v); }
static inline void vi_store_u8_n(uint8_t *p, vi v, size_t n) {
  _mm512_mask_cvtusepi32_storeu_epi8(p, vm_first(n), _mm512_max_epi32(v, _mm512_setzero_si512()));
}
static inline void vi_store_s16_n(int16_t *p, vi v, size_t n) { _mm512_mask_cvtsepi32_storeu_epi16(p, vm_first(n), v); }
static inline vf vf_load_f16(const uint16_t *p) { return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p)); }
static inline void vf_store_f16(uint16_t *p, vf v) {
  _mm256_storeu_si256((__m256i *)p, _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}

static inline vb vb_set(uint8_t x) { return _mm512_set1_epi8((char)x); }
static inline vb vb_load(const void *p) { return _mm512_loadu_si512(p); }
static inline vb vb_load_n(const void *p, size_t n) { return _mm512_maskz_loadu_epi8(vb_first(n), p); }
static inline void vb_store(void *p, vb v) { _mm512_storeu_si512(p, v); }
static inline void vb_store_n(void *p, vb v, size_t n) { _mm512_mask_storeu_epi8(p, vb_first(n), v); }
static inline vb vb_xor(vb a, vb b) { return _mm512_xor_si512(a, b); }
static inline vb vb_max_u8(vb a, vb b) { return _mm512_max_epu8(a, b); }
static inline vb vb_min_u8(vb a, vb b) { return _mm512_min_epu8(a, b); }
static inline vb vb_max_s8(vb a, vb b) { return _mm512_max_epi8(a, b); }
static inline vb vb_min_s8(vb a, vb b) { return _mm512_min_epi8(a, b); }

/* 4 * VF_N int32 to bytes in order, with int16 saturation before and after the addition. packs works inside 128-bit
 * lanes: it leaves dword (vector v, lane l) at 4 * l + v; the permutation puts it at 4 * v + l. */
static inline vb narrow4(const vi *q, int32_t zero_point) {
  const __m512i zero = _mm512_set1_epi16((short)zero_point);
  const __m512i ab = _mm512_adds_epi16(_mm512_packs_epi32(q[0], q[1]), zero);
  const __m512i cd = _mm512_adds_epi16(_mm512_packs_epi32(q[2], q[3]), zero);
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  return _mm512_permutexvar_epi32(order, _mm512_packs_epi16(ab, cd));
}
/* To unsigned bytes. */
static inline vb narrow4_u8(const vi *q, int32_t zero_point) {
  const __m512i zero = _mm512_set1_epi16((short)zero_point);
  const __m512i ab = _mm512_adds_epi16(_mm512_packs_epi32(q[0], q[1]), zero);
  const __m512i cd = _mm512_adds_epi16(_mm512_packs_epi32(q[2], q[3]), zero);
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  return _mm512_permutexvar_epi32(order, _mm512_packus_epi16(ab, cd));
}

#endif
