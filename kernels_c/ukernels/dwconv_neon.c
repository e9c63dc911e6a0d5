/* Depthwise int8 and uint8 on NEON without dot products, 16 channels at a time.
 *
 * int8: two taps are multiplied into 16-bit sums (smull, smlal) and then added to the 32-bit ones (saddw): eight
 * multiplications an instruction. Exact unless both weights are -128; the operator does not send such filters here.
 * uint8: inputs and weights as 16-bit numbers. */
#include "ukernels/simd_neon.h"
/* Over that layer, for the rounding that 32-bit ARM lacks: */
#include "ukernels/ukernels.h"

enum { BLOCK = 16 };
#define INLINE static inline __attribute__((always_inline))

INLINE void begin(int32x4_t acc[4], const int32_t *bias) {
  for (int j = 0; j < 4; j++) acc[j] = vld1q_s32(bias + 4 * j);
}

INLINE void scaled(int32x4_t acc[4], const sam_dw_strip *s, const float *scale, int16x8_t *low, int16x8_t *high) {
  for (int j = 0; j < 4; j++) acc[j] = vi_from_vf(vmulq_f32(vcvtq_f32_s32(acc[j]), vld1q_f32(scale + 4 * j)));
  const int16x8_t zero = vdupq_n_s16((int16_t)s->zero_point);
  *low = vqaddq_s16(vcombine_s16(vqmovn_s32(acc[0]), vqmovn_s32(acc[1])), zero);
  *high = vqaddq_s16(vcombine_s16(vqmovn_s32(acc[2]), vqmovn_s32(acc[3])), zero);
}

INLINE void add_wide(int32x4_t acc[4], int16x8_t low, int16x8_t high) {
  acc[0] = vaddw_s16(acc[0], vget_low_s16(low));
  acc[1] = vaddw_s16(acc[1], vget_high_s16(low));
  acc[2] = vaddw_s16(acc[2], vget_low_s16(high));
  acc[3] = vaddw_s16(acc[3], vget_high_s16(high));
}

/* `pixels` neighbouring output pixels share the loaded weights. kh and kw are constants in the frequent cases. */
INLINE void s8_pixels(const sam_dw_strip *s, int64_t x, int64_t c, const int8_t *w, const int32_t *bias,
                      const float *scale, const int kh, const int kw, const int pixels) {
  int32x4_t acc[2][4];
  for (int i = 0; i < pixels; i++) begin(acc[i], bias);
  const int64_t at = x * s->x_step + c;
  const int taps = kh * kw;
  for (int t = 0; t < taps; t += 2) {
    const int8_t *in = (const int8_t *)s->rows[t / kw] + at + s->taps[t % kw];
    const int8x16_t w0 = vld1q_s8(w + (int64_t)t * BLOCK);
    if (t + 1 == taps) {
      for (int i = 0; i < pixels; i++) {
        const int8x16_t a = vld1q_s8(in + i * s->x_step);
        add_wide(acc[i], vmull_s8(vget_low_s8(a), vget_low_s8(w0)), vmull_s8(vget_high_s8(a), vget_high_s8(w0)));
      }
      break;
    }
    const int8_t *next = (const int8_t *)s->rows[(t + 1) / kw] + at + s->taps[(t + 1) % kw];
    const int8x16_t w1 = vld1q_s8(w + (int64_t)(t + 1) * BLOCK);
    for (int i = 0; i < pixels; i++) {
      const int8x16_t a = vld1q_s8(in + i * s->x_step), b = vld1q_s8(next + i * s->x_step);
      int16x8_t low = vmull_s8(vget_low_s8(a), vget_low_s8(w0));
      int16x8_t high = vmull_s8(vget_high_s8(a), vget_high_s8(w0));
      low = vmlal_s8(low, vget_low_s8(b), vget_low_s8(w1));
      high = vmlal_s8(high, vget_high_s8(b), vget_high_s8(w1));
      add_wide(acc[i], low, high);
    }
  }
  for (int i = 0; i < pixels; i++) {
    int16x8_t low, high;
    scaled(acc[i], s, scale, &low, &high);
    const int8x16_t y = vmaxq_s8(vcombine_s8(vqmovn_s16(low), vqmovn_s16(high)), vdupq_n_s8((int8_t)s->lo));
    vst1q_s8((int8_t *)s->out[0] + (x + i) * s->channels + c, vminq_s8(y, vdupq_n_s8((int8_t)s->hi)));
  }
}

INLINE void s8_run(const sam_dw_strip *s, const int kh, const int kw) {
  const int8_t *w = s->weights;
  const int32_t *bias = s->bias;
  const float *scale = s->scale;
  int64_t width;
  for (int64_t c = 0; c < s->channels; c += width) {
    c = sam_dw_block(s->channels, c, BLOCK, &width);
    int64_t x = 0;
    for (; x + 2 <= s->n; x += 2) s8_pixels(s, x, c, w, bias, scale, kh, kw, 2);
    if (x < s->n) s8_pixels(s, x, c, w, bias, scale, kh, kw, 1);
    w += (int64_t)kh * kw * BLOCK;
    bias += BLOCK;
    scale += BLOCK;
  }
}

INLINE void u8_run(const sam_dw_strip *s, const int kh, const int kw) {
  const int16_t *w = s->weights;
  const int32_t *bias = s->bias;
  const float *scale = s->scale;
  int64_t width;
  for (int64_t c = 0; c < s->channels; c += width) {
    c = sam_dw_block(s->channels, c, BLOCK, &width);
    for (int64_t x = 0; x < s->n; x++) {
      int32x4_t acc[4];
      begin(acc, bias);
      for (int t = 0; t < kh * kw; t++) {
        const uint8_t *in = (const uint8_t *)s->rows[t / kw] + x * s->x_step + c + s->taps[t % kw];
        const uint8x16_t a = vld1q_u8(in);
        const int16x8_t low = vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(a)));
        const int16x8_t high = vreinterpretq_s16_u16(vmovl_u8(vget_high_u8(a)));
        const int16_t *weight = w + (int64_t)t * BLOCK;
        acc[0] = vmlal_s16(acc[0], vget_low_s16(low), vld1_s16(weight));
        acc[1] = vmlal_s16(acc[1], vget_high_s16(low), vld1_s16(weight + 4));
        acc[2] = vmlal_s16(acc[2], vget_low_s16(high), vld1_s16(weight + 8));
        acc[3] = vmlal_s16(acc[3], vget_high_s16(high), vld1_s16(weight + 12));
      }
      int16x8_t low, high;
      scaled(acc, s, scale, &low, &high);
      const uint8x16_t y = vmaxq_u8(vcombine_u8(vqmovun_s16(low), vqmovun_s16(high)), vdupq_n_u8((uint8_t)s->lo));
      vst1q_u8((uint8_t *)s->out[0] + x * s->channels + c, vminq_u8(y, vdupq_n_u8((uint8_t)s->hi)));
    }
    w += (int64_t)kh * kw * BLOCK;
    bias += BLOCK;
    scale += BLOCK;
  }
}

static void s8_any(const sam_dw_strip *s) { s8_run(s, s->kh, s->kw); }
static void s8_3x3(const sam_dw_strip *s) { s8_run(s, 3, 3); }
static void s8_5x5(const sam_dw_strip *s) { s8_run(s, 5, 5); }
static void u8_any(const sam_dw_strip *s) { u8_run(s, s->kh, s->kw); }
static void u8_3x3(const sam_dw_strip *s) { u8_run(s, 3, 3); }

#define PLAIN(function, bytes) \
  { .run = function, .element = bytes, .group = 1, .block = BLOCK, .least = BLOCK, .rows = 1, .pairs = bytes == 1 }
sam_dw_kernel sam_s8_dw__neon = PLAIN(s8_any, 1);
sam_dw_kernel sam_s8_dw3x3s1__neon = PLAIN(s8_3x3, 1);
sam_dw_kernel sam_s8_dw3x3__neon = PLAIN(s8_3x3, 1);
sam_dw_kernel sam_s8_dw5x5s1__neon = PLAIN(s8_5x5, 1);
sam_dw_kernel sam_s8_dw5x5__neon = PLAIN(s8_5x5, 1);
sam_dw_kernel sam_u8_dw__neon = PLAIN(u8_any, 2);
sam_dw_kernel sam_u8_dw3x3s1__neon = PLAIN(u8_3x3, 2);
sam_dw_kernel sam_u8_dw3x3__neon = PLAIN(u8_3x3, 2);
