/* Depthwise int8 by sdot, 16 channels at a time; the idea is in dwconv.h. */
#include "ukernels/simd_neon.h"
/* Over that layer: */
#include "ukernels/ukernels.h"

#define GROUP 4
#define ELEMENT 1
#define OFFSET 0
#define PARTS 1
#define BLOCK 16
#define FLOATS true
#define WITH_5X5S1 /* stride 2: no faster than the kernel without sdot */
#define KERNEL(kind) sam_s8_##kind##__neondot
#define ON_WIDTH(width, call) \
  if (s->floats) {            \
    call(plain)               \
  } else {                    \
    call(16)                  \
  }

static inline __attribute__((always_inline)) void lanes_16(const void *const *rows, int64_t at, int32x4_t v[4]) {
  const int8x16_t a = vld1q_s8((const int8_t *)rows[0] + at), b = vld1q_s8((const int8_t *)rows[1] + at);
  const int8x16_t c = vld1q_s8((const int8_t *)rows[2] + at), d = vld1q_s8((const int8_t *)rows[3] + at);
  const int16x8_t ab = vreinterpretq_s16_s8(vzip1q_s8(a, b)), ba = vreinterpretq_s16_s8(vzip2q_s8(a, b));
  const int16x8_t cd = vreinterpretq_s16_s8(vzip1q_s8(c, d)), dc = vreinterpretq_s16_s8(vzip2q_s8(c, d));
  v[0] = vreinterpretq_s32_s16(vzip1q_s16(ab, cd)), v[1] = vreinterpretq_s32_s16(vzip2q_s16(ab, cd));
  v[2] = vreinterpretq_s32_s16(vzip1q_s16(ba, dc)), v[3] = vreinterpretq_s32_s16(vzip2q_s16(ba, dc));
}
typedef struct limits_16 {
  int16x8_t zero;
  int8x16_t lo, hi;
} limits_16;
static inline limits_16 limits_of_16(const sam_dw_strip *s) {
  return (limits_16){vdupq_n_s16((int16_t)s->zero_point), vdupq_n_s8((int8_t)s->lo), vdupq_n_s8((int8_t)s->hi)};
}
static inline __attribute__((always_inline)) void store_16(uint8_t *out, int32x4_t acc[4], const limits_16 *l,
                                                           const float *scale) {
  for (int j = 0; j < 4; j++) acc[j] = vi_from_vf(vf_mul(vf_from_vi(acc[j]), vf_load(scale + 4 * j)));
  const int16x8_t low = vqaddq_s16(narrow_s32(acc[0], acc[1]), l->zero);
  const int16x8_t high = vqaddq_s16(narrow_s32(acc[2], acc[3]), l->zero);
  const int8x16_t y = vmaxq_s8(narrow_s16(low, high), l->lo);
  vst1q_s8((int8_t *)out, vminq_s8(y, l->hi));
}

/* Plain results are where one saturation leaves them. A cortex-a76 has two units for fsub, and one that takes two
 * cycles for scvtf. */
typedef struct plain_limits {
  vf zero, rounder;
} plain_limits;
static inline plain_limits plain_limits_of(const sam_dw_strip *s) {
  return (plain_limits){vf_bits(vi_set(SAM_DW_FLOAT)), vf_rounder(s->zero_point)};
}
static inline __attribute__((always_inline)) void store_plain(uint8_t *out, int32x4_t acc[4], const plain_limits *l,
                                                              const float *scale) {
  vf x[4];
  for (int j = 0; j < 4; j++) x[j] = vf_mul(vf_sub(vf_bits(acc[j]), l->zero), vf_load(scale + 4 * j));
  const int16x8_t low = round_to_s16(x[0], x[1], l->rounder), high = round_to_s16(x[2], x[3], l->rounder);
  vst1q_s8((int8_t *)out, narrow_s16(low, high));
}

static inline __attribute__((always_inline)) void dots(int32x4_t acc[4], const int32x4_t x[4], const uint8_t *w) {
  const int8x16x4_t weights = vld1q_s8_x4((const int8_t *)w);
  _Pragma("GCC unroll 4") for (int j = 0; j < 4; j++) acc[j] =
      vdotq_s32(acc[j], vreinterpretq_s8_s32(x[j]), weights.val[j]);
}
#define DOTS dots
#define WIDTH 16
#define V int32x4_t
#define LANES lanes_16
#define LIMITS limits_16
#define LIMITS_OF limits_of_16
#define STORE store_16
#define NAME(stem) stem##_16
#include "ukernels/dwconv_lanes.inc"
#define WIDTH 16
#define V int32x4_t
#define LANES lanes_16
#define LIMITS plain_limits
#define LIMITS_OF plain_limits_of
#define STORE store_plain
#define NAME(stem) stem##_plain
#include "ukernels/dwconv_lanes.inc"
#include "ukernels/dwconv_run.inc"
