/* Samara: the vector layer on WebAssembly's 128-bit vectors. The words are explained in simd_scalar.h. There is no
 * fused multiply-add: vf_fma rounds twice, as the scalar layer does. */
#ifndef SAM_SIMD_WASMSIMD_H
#define SAM_SIMD_WASMSIMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <wasm_simd128.h>

#define VF_N 4
#define SAM_NO_FMA /* vf_fma rounds twice */
#define VB_N 16
#ifndef SAM_SIMD
#define SAM_SIMD(name) name##__wasmsimd
#endif

typedef v128_t vf;
typedef v128_t vi;
typedef v128_t vm;
typedef v128_t vb;

/* The first n bytes; the others are 0. */
static inline v128_t v_load_n(const void *p, size_t n) {
  uint8_t b[16] = {0};
  memcpy(b, p, n);
  return wasm_v128_load(b);
}
static inline void v_store_n(void *p, v128_t v, size_t n) {
  uint8_t b[16];
  wasm_v128_store(b, v);
  memcpy(p, b, n);
}

static inline vf vf_set(float x) { return wasm_f32x4_splat(x); }
static inline vf vf_zero(void) { return wasm_f32x4_const_splat(0.0f); }
static inline vf vf_load(const float *p) { return wasm_v128_load(p); }
static inline vf vf_load_n(const float *p, size_t n) { return v_load_n(p, 4 * n); }
static inline void vf_store(float *p, vf v) { wasm_v128_store(p, v); }
static inline void vf_store_n(float *p, vf v, size_t n) { v_store_n(p, v, 4 * n); }
static inline vf vf_add(vf a, vf b) { return wasm_f32x4_add(a, b); }
static inline vf vf_sub(vf a, vf b) { return wasm_f32x4_sub(a, b); }
static inline vf vf_mul(vf a, vf b) { return wasm_f32x4_mul(a, b); }
static inline vf vf_div(vf a, vf b) { return wasm_f32x4_div(a, b); }
static inline vf vf_fma(vf a, vf b, vf c) { return wasm_f32x4_add(wasm_f32x4_mul(a, b), c); }
static inline vf vf_fnma(vf a, vf b, vf c) { return wasm_f32x4_sub(c, wasm_f32x4_mul(a, b)); }
/* The one instruction that answers like x86: its second operand if that is smaller, else the first. */
static inline vf vf_min(vf a, vf b) { return wasm_f32x4_pmin(b, a); }
static inline vf vf_max(vf a, vf b) { return wasm_f32x4_pmax(b, a); }
static inline vf vf_neg(vf a) { return wasm_f32x4_neg(a); }
static inline vf vf_abs(vf a) { return wasm_f32x4_abs(a); }
static inline vf vf_sqrt(vf a) { return wasm_f32x4_sqrt(a); }
static inline vf vf_rsqrt_rough(vf a) { return vf_div(vf_set(1.0f), vf_sqrt(a)); }
static inline vf vf_round(vf a) { return wasm_f32x4_nearest(a); }
static inline vf vf_floor(vf a) { return wasm_f32x4_floor(a); }
static inline vf vf_ceil(vf a) { return wasm_f32x4_ceil(a); }
static inline vf vf_trunc(vf a) { return wasm_f32x4_trunc(a); }
/* Lanes 2 and 3 in the place of 0 and 1; then 1 in that of 0: sums and maxima of all lanes end in lane 0. */
static inline v128_t v_upper(v128_t a) { return wasm_i32x4_shuffle(a, a, 2, 3, 2, 3); }
static inline v128_t v_second(v128_t a) { return wasm_i32x4_shuffle(a, a, 1, 1, 1, 1); }
static inline float vf_sum(vf a) {
  const vf s = vf_add(a, v_upper(a));
  return wasm_f32x4_extract_lane(vf_add(s, v_second(s)), 0);
}
static inline float vf_hmax(vf a) {
  const vf s = vf_max(a, v_upper(a));
  return wasm_f32x4_extract_lane(vf_max(s, v_second(s)), 0);
}
static inline float vf_hmin(vf a) {
  const vf s = vf_min(a, v_upper(a));
  return wasm_f32x4_extract_lane(vf_min(s, v_second(s)), 0);
}
static inline vm vf_lt(vf a, vf b) { return wasm_f32x4_lt(a, b); }
static inline vm vf_le(vf a, vf b) { return wasm_f32x4_le(a, b); }
static inline vm vf_eq(vf a, vf b) { return wasm_f32x4_eq(a, b); }
static inline vf vf_select(vm m, vf a, vf b) { return wasm_v128_bitselect(a, b, m); }
static inline vm vm_and(vm a, vm b) { return wasm_v128_and(a, b); }
static inline vm vm_or(vm a, vm b) { return wasm_v128_or(a, b); }
static inline vm vm_not(vm a) { return wasm_v128_not(a); }
static inline bool vm_all(vm m) { return wasm_i32x4_all_true(m); }

static inline vi vi_set(int32_t x) { return wasm_i32x4_splat(x); }
static inline vi vi_load(const int32_t *p) { return wasm_v128_load(p); }
static inline vi vi_load_n(const int32_t *p, size_t n) { return v_load_n(p, 4 * n); }
static inline void vi_store(int32_t *p, vi v) { wasm_v128_store(p, v); }
static inline void vi_store_n(int32_t *p, vi v, size_t n) { v_store_n(p, v, 4 * n); }
static inline vi vi_add(vi a, vi b) { return wasm_i32x4_add(a, b); }
static inline vi vi_sub(vi a, vi b) { return wasm_i32x4_sub(a, b); }
static inline vi vi_mul(vi a, vi b) { return wasm_i32x4_mul(a, b); }
static inline vi vi_min(vi a, vi b) { return wasm_i32x4_min(a, b); }
static inline vi vi_max(vi a, vi b) { return wasm_i32x4_max(a, b); }
static inline vi vi_and(vi a, vi b) { return wasm_v128_and(a, b); }
static inline vi vi_or(vi a, vi b) { return wasm_v128_or(a, b); }
static inline vi vi_xor(vi a, vi b) { return wasm_v128_xor(a, b); }
static inline vi vi_shl(vi a, int n) { return wasm_i32x4_shl(a, (uint32_t)n); }
static inline vi vi_sar(vi a, int n) { return wasm_i32x4_shr(a, (uint32_t)n); }
static inline vi vi_shr(vi a, int n) { return wasm_u32x4_shr(a, (uint32_t)n); }
static inline vm vi_gt(vi a, vi b) { return wasm_i32x4_gt(a, b); }
static inline vi vi_select(vm m, vi a, vi b) { return wasm_v128_bitselect(a, b, m); }
static inline int32_t vi_sum(vi a) {
  const vi s = vi_add(a, v_upper(a));
  return wasm_i32x4_extract_lane(vi_add(s, v_second(s)), 0);
}

static inline vf vf_from_vi(vi a) { return wasm_f32x4_convert_i32x4(a); }
static inline vi vi_from_vf(vf a) { return wasm_i32x4_trunc_sat_f32x4(vf_round(a)); }
static inline vi vi_trunc_vf(vf a) { return wasm_i32x4_trunc_sat_f32x4(a); }
static inline vi vi_bits(vf a) { return a; }
static inline vf vf_bits(vi a) { return a; }
static inline vf vf_pow2(vi n) { return vi_shl(vi_add(n, vi_set(127)), 23); }

static inline vi vi_load_s8(const int8_t *p) {
  return wasm_i32x4_extend_low_i16x8(wasm_i16x8_extend_low_i8x16(wasm_v128_load32_zero(p)));
}
static inline vi vi_load_u8(const uint8_t *p) {
  return wasm_u32x4_extend_low_u16x8(wasm_u16x8_extend_low_u8x16(wasm_v128_load32_zero(p)));
}
static inline vi vi_load_s16(const int16_t *p) { return wasm_i32x4_load16x4(p); }
#include "ukernels/simd_part.h" /* over these */
static inline v128_t vi_narrow_s8(vi v) {
  const v128_t w = wasm_i16x8_narrow_i32x4(v, v);
  return wasm_i8x16_narrow_i16x8(w, w);
}
static inline v128_t vi_narrow_u8(vi v) {
  const v128_t w = wasm_i16x8_narrow_i32x4(v, v);
  return wasm_u8x16_narrow_i16x8(w, w);
}
static inline void vi_store_s8(int8_t *p, vi v) { wasm_v128_store32_lane(p, vi_narrow_s8(v), 0); }
static inline void vi_store_u8(uint8_t *p, vi v) { wasm_v128_store32_lane(p, vi_narrow_u8(v), 0); }
static inline void vi_store_s16(int16_t *p, vi v) { wasm_v128_store64_lane(p, wasm_i16x8_narrow_i32x4(v, v), 0); }
static inline void vi_store_s8_n(int8_t *p, vi v, size_t n) { v_store_n(p, vi_narrow_s8(v), n); }
static inline void vi_store_u8_n(uint8_t *p, vi v, size_t n) { v_store_n(p, vi_narrow_u8(v), n); }
static inline void vi_store_s16_n(int16_t *p, vi v, size_t n) { v_store_n(p, wasm_i16x8_narrow_i32x4(v, v), 2 * n); }
#include "ukernels/simd_half.h" /* over these */

static inline vb vb_set(uint8_t x) { return wasm_u8x16_splat(x); }
static inline vb vb_load(const void *p) { return wasm_v128_load(p); }
static inline vb vb_load_n(const void *p, size_t n) { return v_load_n(p, n); }
static inline void vb_store(void *p, vb v) { wasm_v128_store(p, v); }
static inline void vb_store_n(void *p, vb v, size_t n) { v_store_n(p, v, n); }
static inline vb vb_xor(vb a, vb b) { return wasm_v128_xor(a, b); }
static inline vb vb_max_u8(vb a, vb b) { return wasm_u8x16_max(a, b); }
static inline vb vb_min_u8(vb a, vb b) { return wasm_u8x16_min(a, b); }
static inline vb vb_max_s8(vb a, vb b) { return wasm_i8x16_max(a, b); }
static inline vb vb_min_s8(vb a, vb b) { return wasm_i8x16_min(a, b); }

/* 4 * VF_N int32 to bytes in order, with int16 saturation before and after the addition. */
static inline vb narrow4(const vi *q, int32_t zero_point) {
  const v128_t zero = wasm_i16x8_splat((int16_t)zero_point);
  return wasm_i8x16_narrow_i16x8(wasm_i16x8_add_sat(wasm_i16x8_narrow_i32x4(q[0], q[1]), zero),
                                 wasm_i16x8_add_sat(wasm_i16x8_narrow_i32x4(q[2], q[3]), zero));
}

/* Eight int16. */
typedef v128_t v8;
static inline v8 v8_set(int16_t x) { return wasm_i16x8_splat(x); }
static inline v8 v8_load_s8(const void *p) { return wasm_i16x8_load8x8(p); }
static inline v8 v8_load_u8(const void *p) { return wasm_u16x8_load8x8(p); }
static inline v8 v8_add(v8 a, v8 b) { return wasm_i16x8_add(a, b); }
static inline v8 v8_sub(v8 a, v8 b) { return wasm_i16x8_sub(a, b); }
static inline v8 v8_adds(v8 a, v8 b) { return wasm_i16x8_add_sat(a, b); }
static inline v8 v8_narrow(vi a, vi b) { return wasm_i16x8_narrow_i32x4(a, b); }
static inline vb v8_narrow_s8(v8 a, v8 b) { return wasm_i8x16_narrow_i16x8(a, b); }
static inline vb v8_narrow_u8(v8 a, v8 b) { return wasm_u8x16_narrow_i16x8(a, b); }
static inline v8 v8_zip_low(v8 a, v8 b) { return wasm_i16x8_shuffle(a, b, 0, 8, 1, 9, 2, 10, 3, 11); }
static inline v8 v8_zip_high(v8 a, v8 b) { return wasm_i16x8_shuffle(a, b, 4, 12, 5, 13, 6, 14, 7, 15); }

/* Four bytes, in every lane. */
static inline vi vi_load_same(const void *p) { return wasm_v128_load32_splat(p); }
/* a . b of pairs of int16, added to c. */
static inline vi vi_add_pairs(vi c, v128_t a, v128_t b) { return vi_add(c, wasm_i32x4_dot_i16x8(a, b)); }
/* a * b / 2^31, halves up: bits 31 to 62 of the products. */
static inline vi vi_mul_high(vi a, vi b) {
  const v128_t half = wasm_i64x2_const_splat(1 << 30);
  const v128_t low = wasm_i64x2_shr(wasm_i64x2_add(wasm_i64x2_extmul_low_i32x4(a, b), half), 31);
  const v128_t high = wasm_i64x2_shr(wasm_i64x2_add(wasm_i64x2_extmul_high_i32x4(a, b), half), 31);
  return wasm_i32x4_shuffle(low, high, 0, 2, 4, 6);
}

#endif
