#include "ukernels/simd_neon.h"

/* a * b / 2^31, halves up. */
static inline vi vi_high(vi a, vi b) { return vqrdmulhq_s32(a, b); }

/* 16 bytes and four vectors of int32. */
static inline void widen(int16x8_t low, int16x8_t high, vi v[4]) {
  v[0] = vmovl_s16(vget_low_s16(low)), v[1] = vmovl_s16(vget_high_s16(low));
  v[2] = vmovl_s16(vget_low_s16(high)), v[3] = vmovl_s16(vget_high_s16(high));
}
static inline void vi_load_s8_whole(const int8_t *p, vi v[4]) {
  const int8x16_t x = vld1q_s8(p);
  widen(vmovl_s8(vget_low_s8(x)), vmovl_s8(vget_high_s8(x)), v);
}
static inline void vi_load_u8_whole(const uint8_t *p, vi v[4]) {
  const uint8x16_t x = vld1q_u8(p);
  widen(vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(x))), vreinterpretq_s16_u16(vmovl_u8(vget_high_u8(x))), v);
}
static inline void vi_store_s8_whole(int8_t *p, const vi v[4]) {
  vst1q_s8(p, narrow_s16(narrow_s32(v[0], v[1]), narrow_s32(v[2], v[3])));
}
static inline void vi_store_u8_whole(uint8_t *p, const vi v[4]) {
  vst1q_u8(p, vcombine_u8(vqmovun_s16(narrow_s32(v[0], v[1])), vqmovun_s16(narrow_s32(v[2], v[3]))));
}
#define SAM_WHOLE_BYTES

/* The body, over that vector layer: */
#include "ukernels/arith.inc"
