/* Samara: the vector layer with vectors of one element. A kernel body over this layer is the portable kernel, and so
 * the meaning of the others. The words (vf: floats, vi: int32, vm: lane mask, vb: bytes) are the same in every
 * simd_<isa>.h:
 *
 *   VF_N, VB_N                  lanes of vf and vi; lanes of vb
 *   vf_load vf_store            unaligned; …_n(p, n) touch n < VF_N elements only, the other lanes load as 0
 *   vf_fma(a, b, c)             a * b + c, one rounding where the machine has it (the scalar layer rounds twice; others that
 *                               do define SAM_NO_FMA)
 *   vf_min, vf_max(x, y)        the second operand if one is NaN, on x86; so put the bound second to clamp
 *   vf_round                    half to even
 *   vf_rsqrt_rough              1 / sqrt(x) within 4e-4 of it, of normal x > 0 (not in the scalar layer)
 *   vi_from_vf                  rounds half to even; |x| < 2^31
 *   vi_load_s8 …                widen VF_N narrow integers;  vi_store_s8 … narrow with saturation
 *   vf_pow2(n)                  2^n for int32 lanes n in [-126, 127]
 *   vf_lt … vi_gt, vm_and …     masks;  vf_select(m, a, b) = m ? a : b;  vm_all(m): in all lanes
 *   vf_load_f16, vf_store_f16   IEEE half precision, half to even */
#ifndef SAM_SIMD_SCALAR_H
#define SAM_SIMD_SCALAR_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/fp16.h"

#define VF_N 1
#define VB_N 1
#define SAM_SIMD(name) name##__scalar

typedef float vf;
typedef int32_t vi;
typedef bool vm;
typedef uint8_t vb;

static inline vf vf_set(float x) { return x; }
static inline vf vf_zero(void) { return 0.0f; }
static inline vf vf_load(const float *p) { return *p; }
static inline vf vf_load_n(const float *p, size_t n) { return n ? *p : 0.0f; }
static inline void vf_store(float *p, vf v) { *p = v; }
static inline void vf_store_n(float *p, vf v, size_t n) {
  if (n) *p = v;
}
static inline vf vf_add(vf a, vf b) { return a + b; }
static inline vf vf_sub(vf a, vf b) { return a - b; }
static inline vf vf_mul(vf a, vf b) { return a * b; }
static inline vf vf_div(vf a, vf b) { return a / b; }
static inline vf vf_fma(vf a, vf b, vf c) { return a * b + c; }
static inline vf vf_fnma(vf a, vf b, vf c) { return c - a * b; }
static inline vf vf_min(vf a, vf b) { return a < b ? a : b; }
static inline vf vf_max(vf a, vf b) { return a > b ? a : b; }
static inline vf vf_neg(vf a) { return -a; }
static inline vf vf_abs(vf a) { return fabsf(a); }
static inline vf vf_sqrt(vf a) { return sqrtf(a); }
static inline vf vf_round(vf a) {
  if (!(fabsf(a) < 8388608.0f)) return a;
  const float magic = copysignf(8388608.0f, a);
  return copysignf((a + magic) - magic, a);
}
static inline vf vf_floor(vf a) { return floorf(a); }
static inline vf vf_ceil(vf a) { return ceilf(a); }
static inline vf vf_trunc(vf a) { return truncf(a); }
static inline float vf_sum(vf a) { return a; }
static inline float vf_hmax(vf a) { return a; }
static inline float vf_hmin(vf a) { return a; }
static inline vm vf_lt(vf a, vf b) { return a < b; }
static inline vm vf_le(vf a, vf b) { return a <= b; }
static inline vm vf_eq(vf a, vf b) { return a == b; }
static inline vf vf_select(vm m, vf a, vf b) { return m ? a : b; }
static inline vm vm_and(vm a, vm b) { return a && b; }
static inline vm vm_or(vm a, vm b) { return a || b; }
static inline vm vm_not(vm a) { return !a; }
static inline bool vm_all(vm m) { return m; }

static inline vi vi_set(int32_t x) { return x; }
static inline vi vi_load(const int32_t *p) { return *p; }
static inline vi vi_load_n(const int32_t *p, size_t n) { return n ? *p : 0; }
static inline void vi_store(int32_t *p, vi v) { *p = v; }
static inline void vi_store_n(int32_t *p, vi v, size_t n) {
  if (n) *p = v;
}
static inline vi vi_add(vi a, vi b) { return (vi)((uint32_t)a + (uint32_t)b); }
static inline vi vi_sub(vi a, vi b) { return (vi)((uint32_t)a - (uint32_t)b); }
static inline vi vi_mul(vi a, vi b) { return (vi)((uint32_t)a * (uint32_t)b); }
static inline vi vi_min(vi a, vi b) { return a < b ? a : b; }
static inline vi vi_max(vi a, vi b) { return a > b ? a : b; }
static inline vi vi_and(vi a, vi b) { return a & b; }
static inline vi vi_or(vi a, vi b) { return a | b; }
static inline vi vi_xor(vi a, vi b) { return a ^ b; }
static inline vi vi_shl(vi a, int n) { return (vi)((uint32_t)a << n); }
static inline vi vi_sar(vi a, int n) { return a >> n; }
static inline vi vi_shr(vi a, int n) { return (vi)((uint32_t)a >> n); }
static inline vm vi_gt(vi a, vi b) { return a > b; }
static inline vi vi_select(vm m, vi a, vi b) { return m ? a : b; }
static inline int32_t vi_sum(vi a) { return a; }

static inline vf vf_from_vi(vi a) { return (float)a; }
static inline vi vi_from_vf(vf a) { return (int32_t)vf_round(a); }
static inline vi vi_trunc_vf(vf a) { return (int32_t)a; }
static inline vi vi_bits(vf a) { return (int32_t)sam_f32_bits(a); }
static inline vf vf_bits(vi a) { return sam_f32_from_bits((uint32_t)a); }
static inline vf vf_pow2(vi n) { return sam_f32_from_bits((uint32_t)(n + 127) << 23); }

static inline vi vi_load_s8(const int8_t *p) { return *p; }
static inline vi vi_load_u8(const uint8_t *p) { return *p; }
static inline vi vi_load_s16(const int16_t *p) { return *p; }
static inline vi vi_load_s8_n(const int8_t *p, size_t n) { return n ? *p : 0; }
static inline vi vi_load_u8_n(const uint8_t *p, size_t n) { return n ? *p : 0; }
static inline vi vi_load_s16_n(const int16_t *p, size_t n) { return n ? *p : 0; }
static inline void vi_store_s8(int8_t *p, vi v) { *p = (int8_t)(v < -128 ? -128 : v > 127 ? 127 : v); }
static inline void vi_store_u8(uint8_t *p, vi v) { *p = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v); }
static inline void vi_store_s16(int16_t *p, vi v) { *p = (int16_t)(v < -32768 ? -32768 : v > 32767 ? 32767 : v); }
static inline void vi_store_s8_n(int8_t *p, vi v, size_t n) {
  if (n) vi_store_s8(p, v);
}
static inline void vi_store_u8_n(uint8_t *p, vi v, size_t n) {
  if (n) vi_store_u8(p, v);
}
static inline void vi_store_s16_n(int16_t *p, vi v, size_t n) {
  if (n) vi_store_s16(p, v);
}
static inline vf vf_load_f16(const uint16_t *p) { return sam_f16_to_f32(*p); }
static inline void vf_store_f16(uint16_t *p, vf v) { *p = sam_f32_to_f16(v); }

static inline vb vb_set(uint8_t x) { return x; }
static inline vb vb_load(const void *p) { return *(const uint8_t *)p; }
static inline vb vb_load_n(const void *p, size_t n) { return n ? *(const uint8_t *)p : 0; }
static inline void vb_store(void *p, vb v) { *(uint8_t *)p = v; }
static inline void vb_store_n(void *p, vb v, size_t n) {
  if (n) *(uint8_t *)p = v;
}
static inline vb vb_xor(vb a, vb b) { return a ^ b; }
static inline vb vb_max_u8(vb a, vb b) { return a > b ? a : b; }
static inline vb vb_min_u8(vb a, vb b) { return a < b ? a : b; }
static inline vb vb_max_s8(vb a, vb b) { return (int8_t)a > (int8_t)b ? a : b; }
static inline vb vb_min_s8(vb a, vb b) { return (int8_t)a < (int8_t)b ? a : b; }

#endif
