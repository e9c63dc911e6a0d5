/* Samara: the vector layer on NEON, ARM64 and 32-bit ARM with VFPv4. The words are explained in simd_scalar.h.
 * 32-bit ARM has no vector division, square root, rounding or half-to-even conversion; they are put together here so
 * that the results are the same (32-bit NEON flushes subnormal floats to zero: the one difference). */
#ifndef SAM_SIMD_NEON_H
#define SAM_SIMD_NEON_H

#include <arm_neon.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/fp16.h"

#define VF_N 4
#define VB_N 16
#ifndef SAM_SIMD
#define SAM_SIMD(name) name##__neon
#endif

typedef float32x4_t vf;
typedef int32x4_t vi;
typedef uint32x4_t vm;
typedef uint8x16_t vb;

static inline vf vf_set(float x) { return vdupq_n_f32(x); }
static inline vf vf_zero(void) { return vdupq_n_f32(0.0f); }
static inline vf vf_load(const float *p) { return vld1q_f32(p); }
static inline vf vf_load_n(const float *p, size_t n) {
  float b[4] = {0};
  memcpy(b, p, 4 * n);
  return vld1q_f32(b);
}
static inline void vf_store(float *p, vf v) { vst1q_f32(p, v); }
static inline void vf_store_n(float *p, vf v, size_t n) {
  float b[4];
  vst1q_f32(b, v);
  memcpy(p, b, 4 * n);
}
static inline vf vf_add(vf a, vf b) { return vaddq_f32(a, b); }
static inline vf vf_sub(vf a, vf b) { return vsubq_f32(a, b); }
static inline vf vf_mul(vf a, vf b) { return vmulq_f32(a, b); }
static inline vf vf_fma(vf a, vf b, vf c) { return vfmaq_f32(c, a, b); }
static inline vf vf_fnma(vf a, vf b, vf c) { return vfmsq_f32(c, a, b); }
static inline vf vf_min(vf a, vf b) { return vminq_f32(a, b); }
static inline vf vf_max(vf a, vf b) { return vmaxq_f32(a, b); }
static inline vf vf_neg(vf a) { return vnegq_f32(a); }
static inline vf vf_abs(vf a) { return vabsq_f32(a); }
static inline vf vf_rsqrt_rough(vf a) {
  const vf y = vrsqrteq_f32(a);
  return vmulq_f32(y, vrsqrtsq_f32(vmulq_f32(a, y), y));
}
static inline vm vf_lt(vf a, vf b) { return vcltq_f32(a, b); }
static inline vm vf_le(vf a, vf b) { return vcleq_f32(a, b); }
static inline vm vf_eq(vf a, vf b) { return vceqq_f32(a, b); }
static inline vf vf_select(vm m, vf a, vf b) { return vbslq_f32(m, a, b); }
static inline vm vm_and(vm a, vm b) { return vandq_u32(a, b); }
static inline vm vm_or(vm a, vm b) { return vorrq_u32(a, b); }
static inline vm vm_not(vm a) { return vmvnq_u32(a); }

static inline vi vi_set(int32_t x) { return vdupq_n_s32(x); }
static inline vi vi_load(const int32_t *p) { return vld1q_s32(p); }
static inline vi vi_load_n(const int32_t *p, size_t n) {
  int32_t b[4] = {0};
  memcpy(b, p, 4 * n);
  return vld1q_s32(b);
}
static inline void vi_store(int32_t *p, vi v) { vst1q_s32(p, v); }
static inline void vi_store_n(int32_t *p, vi v, size_t n) {
  int32_t b[4];
  vst1q_s32(b, v);
  memcpy(p, b, 4 * n);
}
static inline vi vi_add(vi a, vi b) { return vaddq_s32(a, b); }
static inline vi vi_sub(vi a, vi b) { return vsubq_s32(a, b); }
static inline vi vi_mul(vi a, vi b) { return vmulq_s32(a, b); }
static inline vi vi_min(vi a, vi b) { return vminq_s32(a, b); }
static inline vi vi_max(vi a, vi b) { return vmaxq_s32(a, b); }
static inline vi vi_and(vi a, vi b) { return vandq_s32(a, b); }
static inline vi vi_or(vi a, vi b) { return vorrq_s32(a, b); }
static inline vi vi_xor(vi a, vi b) { return veorq_s32(a, b); }
static inline vi vi_shl(vi a, int n) { return vshlq_s32(a, vdupq_n_s32(n)); }
static inline vi vi_sar(vi a, int n) { return vshlq_s32(a, vdupq_n_s32(-n)); }
static inline vi vi_shr(vi a, int n) {
  return vreinterpretq_s32_u32(vshlq_u32(vreinterpretq_u32_s32(a), vdupq_n_s32(-n)));
}
static inline vm vi_gt(vi a, vi b) { return vcgtq_s32(a, b); }
static inline vi vi_select(vm m, vi a, vi b) { return vbslq_s32(m, a, b); }
static inline vi vi_bits(vf a) { return vreinterpretq_s32_f32(a); }
static inline vf vf_bits(vi a) { return vreinterpretq_f32_s32(a); }
static inline vf vf_from_vi(vi a) { return vcvtq_f32_s32(a); }
static inline vi vi_trunc_vf(vf a) { return vcvtq_s32_f32(a); }
static inline vf vf_pow2(vi n) { return vf_bits(vshlq_n_s32(vaddq_s32(n, vdupq_n_s32(127)), 23)); }

#if defined(__aarch64__)
static inline vf vf_div(vf a, vf b) { return vdivq_f32(a, b); }
static inline vf vf_sqrt(vf a) { return vsqrtq_f32(a); }
static inline vf vf_round(vf a) { return vrndnq_f32(a); }
static inline vf vf_floor(vf a) { return vrndmq_f32(a); }
static inline vf vf_ceil(vf a) { return vrndpq_f32(a); }
static inline vf vf_trunc(vf a) { return vrndq_f32(a); }
static inline vi vi_from_vf(vf a) { return vcvtnq_s32_f32(a); }
static inline float vf_sum(vf a) { return vaddvq_f32(a); }
static inline float vf_hmax(vf a) { return vmaxvq_f32(a); }
static inline float vf_hmin(vf a) { return vminvq_f32(a); }
static inline int32_t vi_sum(vi a) { return vaddvq_s32(a); }
static inline bool vm_all(vm m) { return vminvq_u32(m) != 0; }
static inline vf vf_load_f16(const uint16_t *p) { return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p))); }
static inline void vf_store_f16(uint16_t *p, vf v) { vst1_u16(p, vreinterpret_u16_f16(vcvt_f16_f32(v))); }
#else
#define SAM_LANES(a, expression)                                \
  do {                                                          \
    float x_[4];                                                \
    vst1q_f32(x_, a);                                           \
    for (int i_ = 0; i_ < 4; i_++) x_[i_] = expression(x_[i_]); \
    return vld1q_f32(x_);                                       \
  } while (0)
static inline vf vf_div(vf a, vf b) {
  float x[4], y[4];
  vst1q_f32(x, a);
  vst1q_f32(y, b);
  for (int i = 0; i < 4; i++) x[i] /= y[i];
  return vld1q_f32(x);
}
static inline vf vf_sqrt(vf a) { SAM_LANES(a, sqrtf); }
/* Adding and taking away 2^23 rounds half to even; larger numbers are whole already. */
static inline vf vf_round(vf a) {
  const uint32x4_t sign = vandq_u32(vreinterpretq_u32_f32(a), vdupq_n_u32(0x80000000u));
  const vf magic = vreinterpretq_f32_u32(vorrq_u32(sign, vreinterpretq_u32_f32(vdupq_n_f32(8388608.0f))));
  const vf rounded = vsubq_f32(vaddq_f32(a, magic), magic);
  const vf signed_zero = vreinterpretq_f32_u32(vorrq_u32(vreinterpretq_u32_f32(rounded), sign));
  return vbslq_f32(vcltq_f32(vabsq_f32(a), vdupq_n_f32(8388608.0f)), signed_zero, a);
}
static inline vf vf_floor(vf a) { SAM_LANES(a, floorf); }
static inline vf vf_ceil(vf a) { SAM_LANES(a, ceilf); }
static inline vf vf_trunc(vf a) { SAM_LANES(a, truncf); }
static inline vi vi_from_vf(vf a) { return vcvtq_s32_f32(vf_round(a)); }
static inline bool vm_all(vm m) {
  const uint32x2_t s = vand_u32(vget_low_u32(m), vget_high_u32(m));
  return (vget_lane_u32(s, 0) & vget_lane_u32(s, 1)) != 0;
}
static inline float vf_sum(vf a) {
  const float32x2_t s = vadd_f32(vget_low_f32(a), vget_high_f32(a));
  return vget_lane_f32(vpadd_f32(s, s), 0);
}
static inline float vf_hmax(vf a) {
  const float32x2_t s = vmax_f32(vget_low_f32(a), vget_high_f32(a));
  return vget_lane_f32(vpmax_f32(s, s), 0);
}
static inline float vf_hmin(vf a) {
  const float32x2_t s = vmin_f32(vget_low_f32(a), vget_high_f32(a));
  return vget_lane_f32(vpmin_f32(s, s), 0);
}
static inline int32_t vi_sum(vi a) {
  const int32x2_t s = vadd_s32(vget_low_s32(a), vget_high_s32(a));
  return vget_lane_s32(vpadd_s32(s, s), 0);
}
static inline vf vf_load_f16(const uint16_t *p) {
  const float b[4] = {sam_f16_to_f32(p[0]), sam_f16_to_f32(p[1]), sam_f16_to_f32(p[2]), sam_f16_to_f32(p[3])};
  return vld1q_f32(b);
}
static inline void vf_store_f16(uint16_t *p, vf v) {
  float b[4];
  vst1q_f32(b, v);
  for (int i = 0; i < 4; i++) p[i] = sam_f32_to_f16(b[i]);
}
#undef SAM_LANES
#endif

/* Two vectors to one of half as wide numbers, saturated; halves of products. */
#if defined(__aarch64__)
static inline int16x8_t narrow_s32(int32x4_t a, int32x4_t b) { return vqmovn_high_s32(vqmovn_s32(a), b); }
static inline int8x16_t narrow_s16(int16x8_t a, int16x8_t b) { return vqmovn_high_s16(vqmovn_s16(a), b); }
static inline uint16_t u16_max(uint16x8_t a) { return vmaxvq_u16(a); }
static inline vb narrow_u16(int16x8_t a, int16x8_t b) { return vqmovun_high_s16(vqmovun_s16(a), b); }
static inline bool vb_is_zero(vb a) { return vmaxvq_u32(vreinterpretq_u32_u8(a)) == 0; }
static inline int16x8_t mul_high_s8(int8x16_t a, int8x16_t b) { return vmull_high_s8(a, b); }
static inline int16x8_t mla_high_s8(int16x8_t c, int8x16_t a, int8x16_t b) { return vmlal_high_s8(c, a, b); }
static inline int32x4_t add_high_s16(int32x4_t a, int16x8_t b) { return vaddw_high_s16(a, b); }
static inline int16x8_t add_high_s8(int16x8_t a, vb b) { return vaddw_high_s8(a, vreinterpretq_s8_u8(b)); }
static inline int16x8_t add_high_u8(int16x8_t a, vb b) {
  return vreinterpretq_s16_u16(vaddw_high_u8(vreinterpretq_u16_s16(a), b));
}
#else
static inline int16x8_t narrow_s32(int32x4_t a, int32x4_t b) { return vcombine_s16(vqmovn_s32(a), vqmovn_s32(b)); }
static inline int8x16_t narrow_s16(int16x8_t a, int16x8_t b) { return vcombine_s8(vqmovn_s16(a), vqmovn_s16(b)); }
static inline uint16_t u16_max(uint16x8_t a) {
  uint16x4_t m = vmax_u16(vget_low_u16(a), vget_high_u16(a));
  m = vpmax_u16(m, m);
  return vget_lane_u16(vpmax_u16(m, m), 0);
}
static inline vb narrow_u16(int16x8_t a, int16x8_t b) { return vcombine_u8(vqmovun_s16(a), vqmovun_s16(b)); }
static inline bool vb_is_zero(vb a) {
  const uint32x2_t half = vorr_u32(vget_low_u32(vreinterpretq_u32_u8(a)), vget_high_u32(vreinterpretq_u32_u8(a)));
  return (vget_lane_u32(half, 0) | vget_lane_u32(half, 1)) == 0;
}
static inline int16x8_t mul_high_s8(int8x16_t a, int8x16_t b) { return vmull_s8(vget_high_s8(a), vget_high_s8(b)); }
static inline int16x8_t mla_high_s8(int16x8_t c, int8x16_t a, int8x16_t b) {
  return vmlal_s8(c, vget_high_s8(a), vget_high_s8(b));
}
static inline int32x4_t add_high_s16(int32x4_t a, int16x8_t b) { return vaddw_s16(a, vget_high_s16(b)); }
static inline int16x8_t add_high_s8(int16x8_t a, vb b) { return vaddw_s8(a, vget_high_s8(vreinterpretq_s8_u8(b))); }
static inline int16x8_t add_high_u8(int16x8_t a, vb b) {
  return vreinterpretq_s16_u16(vaddw_u8(vreinterpretq_u16_s16(a), vget_high_u8(b)));
}
#endif
static inline int16x8_t add_low_s8(int16x8_t a, vb b) { return vaddw_s8(a, vget_low_s8(vreinterpretq_s8_u8(b))); }
static inline int16x8_t add_low_u8(int16x8_t a, vb b) {
  return vreinterpretq_s16_u16(vaddw_u8(vreinterpretq_u16_s16(a), vget_low_u8(b)));
}
static inline int16x8_t mul_low_s8(int8x16_t a, int8x16_t b) { return vmull_s8(vget_low_s8(a), vget_low_s8(b)); }
static inline int16x8_t mla_low_s8(int16x8_t c, int8x16_t a, int8x16_t b) {
  return vmlal_s8(c, vget_low_s8(a), vget_low_s8(b));
}
/* c + |a - b| of the lower and of the upper halves. */
static inline uint16x8_t add_distances(uint16x8_t c, int8x16_t a, int8x16_t b) {
  c = vreinterpretq_u16_s16(vabal_s8(vreinterpretq_s16_u16(c), vget_low_s8(a), vget_low_s8(b)));
  return vreinterpretq_u16_s16(vabal_s8(vreinterpretq_s16_u16(c), vget_high_s8(a), vget_high_s8(b)));
}

/* Floats that fit 16 bits to those, rounded half to even, with the zero point, by one addition and half of another: a
 * number of 2^23 and more has no fraction, so the sum holds the integer in its lower 16 bits, on top of an even number.
 * That and the upper 16 bits, which stay as they are, add up to the zero point. */
static inline vf vf_rounder(int32_t zero_point) {
  const uint16_t upper = 0x4b40 | (zero_point & 1), lower = (uint16_t)(zero_point - upper);
  return vf_bits(vi_set((int32_t)((uint32_t)upper << 16 | lower)));
}
static inline int16x8_t round_to_s16(vf a, vf b, vf rounder) {
  const int16x8_t x = vreinterpretq_s16_f32(vaddq_f32(a, rounder)), y = vreinterpretq_s16_f32(vaddq_f32(b, rounder));
#if defined(__aarch64__)
  return vpaddq_s16(x, y);
#else
  return vcombine_s16(vpadd_s16(vget_low_s16(x), vget_high_s16(x)), vpadd_s16(vget_low_s16(y), vget_high_s16(y)));
#endif
}

/* Narrow integers come four at a time; 4-byte loads go through memcpy, which compiles to one load. */
static inline vi vi_load_s8(const int8_t *p) {
  int32_t b;
  memcpy(&b, p, 4);
  return vmovl_s16(vget_low_s16(vmovl_s8(vreinterpret_s8_s32(vdup_n_s32(b)))));
}
static inline vi vi_load_u8(const uint8_t *p) {
  uint32_t b;
  memcpy(&b, p, 4);
  return vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(vmovl_u8(vreinterpret_u8_u32(vdup_n_u32(b))))));
}
static inline vi vi_load_s16(const int16_t *p) { return vmovl_s16(vld1_s16(p)); }
#include "ukernels/simd_part.h" /* over these */
static inline void vi_store_s8_n(int8_t *p, vi v, size_t n) {
  const int16x4_t w = vqmovn_s32(v);
  const int8x8_t b = vqmovn_s16(vcombine_s16(w, w));
  memcpy(p, &b, n);
}
static inline void vi_store_u8_n(uint8_t *p, vi v, size_t n) {
  const int16x4_t w = vqmovn_s32(v);
  const uint8x8_t b = vqmovun_s16(vcombine_s16(w, w));
  memcpy(p, &b, n);
}
static inline void vi_store_s16_n(int16_t *p, vi v, size_t n) {
  const int16x4_t w = vqmovn_s32(v);
  memcpy(p, &w, 2 * n);
}
static inline void vi_store_s8(int8_t *p, vi v) { vi_store_s8_n(p, v, 4); }
static inline void vi_store_u8(uint8_t *p, vi v) { vi_store_u8_n(p, v, 4); }
static inline void vi_store_s16(int16_t *p, vi v) { vst1_s16(p, vqmovn_s32(v)); }

static inline vb vb_set(uint8_t x) { return vdupq_n_u8(x); }
static inline vb vb_load(const void *p) { return vld1q_u8((const uint8_t *)p); }
static inline vb vb_load_n(const void *p, size_t n) {
  uint8_t b[16] = {0};
  memcpy(b, p, n);
  return vld1q_u8(b);
}
static inline void vb_store(void *p, vb v) { vst1q_u8((uint8_t *)p, v); }
static inline void vb_store_n(void *p, vb v, size_t n) {
  uint8_t b[16];
  vst1q_u8(b, v);
  memcpy(p, b, n);
}
static inline vb vb_xor(vb a, vb b) { return veorq_u8(a, b); }
static inline vb vb_max_u8(vb a, vb b) { return vmaxq_u8(a, b); }
static inline vb vb_min_u8(vb a, vb b) { return vminq_u8(a, b); }
static inline vb vb_max_s8(vb a, vb b) {
  return vreinterpretq_u8_s8(vmaxq_s8(vreinterpretq_s8_u8(a), vreinterpretq_s8_u8(b)));
}
static inline vb vb_min_s8(vb a, vb b) {
  return vreinterpretq_u8_s8(vminq_s8(vreinterpretq_s8_u8(a), vreinterpretq_s8_u8(b)));
}

#endif
