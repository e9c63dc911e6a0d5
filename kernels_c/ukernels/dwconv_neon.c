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
#if defined(__clang__)
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 32")
#endif

INLINE void begin(int32x4_t acc[4], const int32_t *bias) {
  for (int j = 0; j < 4; j++) acc[j] = vld1q_s32(bias + 4 * j);
}

INLINE void scaled(int32x4_t acc[4], const sam_dw_strip *s, const float *scale, int16x8_t *low, int16x8_t *high) {
  for (int j = 0; j < 4; j++) acc[j] = vi_from_vf(vmulq_f32(vcvtq_f32_s32(acc[j]), vld1q_f32(scale + 4 * j)));
  const int16x8_t zero = vdupq_n_s16((int16_t)s->zero_point);
  *low = vqaddq_s16(narrow_s32(acc[0], acc[1]), zero);
  *high = vqaddq_s16(narrow_s32(acc[2], acc[3]), zero);
}

INLINE void add_wide(int32x4_t acc[4], int16x8_t low, int16x8_t high) {
  acc[0] = vaddw_s16(acc[0], vget_low_s16(low));
  acc[1] = add_high_s16(acc[1], low);
  acc[2] = vaddw_s16(acc[2], vget_low_s16(high));
  acc[3] = add_high_s16(acc[3], high);
}

/* Two taps of some pixels, or the last one. */
INLINE void s8_taps(int32x4_t acc[2][4], const int8x16_t *a, const int8x16_t *b, int8x16_t w0, int8x16_t w1, bool two,
                    const int pixels) {
  int16x8_t low[2], high[2];
  UNROLL for (int i = 0; i < pixels; i++) low[i] = mul_low_s8(a[i], w0), high[i] = mul_high_s8(a[i], w0);
  if (two) {
    UNROLL for (int i = 0; i < pixels; i++) {
      low[i] = mla_low_s8(low[i], b[i], w1);
      high[i] = mla_high_s8(high[i], b[i], w1);
    }
  }
  UNROLL for (int i = 0; i < pixels; i++) add_wide(acc[i], low[i], high[i]);
}

INLINE void s8_store(int8_t *out, int32x4_t acc[4], const sam_dw_strip *s, const float *scale, bool plain) {
  int16x8_t low, high;
  scaled(acc, s, scale, &low, &high);
  int8x16_t y = narrow_s16(low, high);
  if (!plain) y = vminq_s8(vmaxq_s8(y, vdupq_n_s8((int8_t)s->lo)), vdupq_n_s8((int8_t)s->hi));
  vst1q_s8(out, y);
}

/* `pixels` neighbouring output pixels from pointers to the taps of the first. kh and kw are constants in the frequent
 * cases. */
INLINE void s8_pixels(const sam_dw_strip *s, const int8_t *const *tap, int64_t at, const int8_t *w, const int32_t *bias,
                      const float *scale, int8_t *out, const int taps, const int pixels) {
  int32x4_t acc[2][4];
  UNROLL for (int i = 0; i < pixels; i++) begin(acc[i], bias);
  UNROLL for (int t = 0; t < taps; t += 2) {
    const bool two = t + 1 < taps;
    int8x16_t a[2], b[2];
    UNROLL for (int i = 0; i < pixels; i++) {
      a[i] = vld1q_s8(tap[t] + at + i * s->x_step);
      b[i] = two ? vld1q_s8(tap[t + 1] + at + i * s->x_step) : a[i];
    }
    const int8x16_t w0 = vld1q_s8(w + (int64_t)t * BLOCK);
    s8_taps(acc, a, b, w0, two ? vld1q_s8(w + (int64_t)(t + 1) * BLOCK) : w0, two, pixels);
  }
  UNROLL for (int i = 0; i < pixels; i++) s8_store(out + i * s->channels, acc[i], s, scale, false);
}

enum { MAX_TAPS = 25 };

/* The blocks of a filter of at most MAX_TAPS taps. `s` is a copy: stores of bytes do not make it anew. */
INLINE void s8_blocks(const sam_dw_strip *args, const int kh, const int kw) {
  const sam_dw_strip copy = *args, *s = &copy;
  const int8_t *w = s->weights;
  const int32_t *bias = s->bias;
  const float *scale = s->scale;
  int64_t width;
  for (int64_t c = 0; c < s->channels; c += width) {
    c = sam_dw_block(s->channels, c, BLOCK, &width);
    const int8_t *tap[MAX_TAPS];
    UNROLL for (int t = 0; t < kh * kw; t++) tap[t] = (const int8_t *)s->rows[t / kw] + c + s->taps[t % kw];
    int8_t *out = (int8_t *)s->out[0] + c;
    int64_t x = s->n, at = 0;
    for (; x >= 2; x -= 2, at += 2 * s->x_step, out += 2 * s->channels)
      s8_pixels(s, tap, at, w, bias, scale, out, kh * kw, 2);
    if (x) s8_pixels(s, tap, at, w, bias, scale, out, kh * kw, 1);
    w += kh * kw * BLOCK;
    bias += BLOCK;
    scale += BLOCK;
  }
}

/* 3 x 3 whose taps are as far from each other as output pixels: neighbours share two columns of three. */
INLINE void s8_slide(const sam_dw_strip *s, const int8_t *const row[3], int64_t step, const int8x16_t w[9],
                     const int32_t *bias, const float *scale, int8_t *out, const int pixels, bool plain) {
  int32x4_t acc[2][4];
  UNROLL for (int i = 0; i < pixels; i++) begin(acc[i], bias);
  int8x16_t v[3][4];
  UNROLL for (int t = 0; t < 9; t += 2) {
    UNROLL for (int u = t; u < (t < 8 ? t + 2 : 9); u++) { /* what these taps are the first to need */
      const int r = u / 3, k = u % 3;
      if (k == 0) v[r][0] = vld1q_s8(row[r]);
      if (pixels > 1 && k == 0) v[r][1] = vld1q_s8(row[r] + step);
      if (pixels > 1 && k > 0) v[r][k + 1] = vld1q_s8(row[r] + (k + 1) * step);
      if (pixels == 1 && k > 0) v[r][k] = vld1q_s8(row[r] + k * step);
    }
    const int u = t < 8 ? t + 1 : t;
    s8_taps(acc, &v[t / 3][t % 3], &v[u / 3][u % 3], w[t], w[u], u > t, pixels);
  }
  UNROLL for (int i = 0; i < pixels; i++) s8_store(out + i * s->channels, acc[i], s, scale, plain);
}

INLINE void s8_slides(const sam_dw_strip *args, bool plain) {
  const sam_dw_strip copy = *args, *s = &copy;
  const int8_t *w = s->weights;
  const int32_t *bias = s->bias;
  const float *scale = s->scale;
  const int64_t step = s->x_step;
  int64_t width;
  for (int64_t c = 0; c < s->channels; c += width, w += 9 * BLOCK, bias += BLOCK, scale += BLOCK) {
    c = sam_dw_block(s->channels, c, BLOCK, &width);
    const int8_t *row[3];
    int8x16_t weight[9];
    UNROLL for (int r = 0; r < 3; r++) row[r] = (const int8_t *)s->rows[r] + c;
    UNROLL for (int t = 0; t < 9; t++) weight[t] = vld1q_s8(w + t * BLOCK);
    int8_t *out = (int8_t *)s->out[0] + c;
    int64_t x = s->n;
    for (; x >= 2; x -= 2, out += 2 * s->channels) {
      s8_slide(s, row, step, weight, bias, scale, out, 2, plain);
      UNROLL for (int r = 0; r < 3; r++) row[r] += 2 * step;
    }
    if (x) s8_slide(s, row, step, weight, bias, scale, out, 1, plain);
  }
}

/* Any filter, a pixel at a time. */
static void s8_any(const sam_dw_strip *args) {
  const sam_dw_strip copy = *args, *s = &copy;
  const int8_t *w = s->weights;
  const int taps = s->kh * s->kw;
  const int32_t *bias = s->bias;
  const float *scale = s->scale;
  int64_t width;
  for (int64_t c = 0; c < s->channels; c += width, w += (int64_t)taps * BLOCK, bias += BLOCK, scale += BLOCK) {
    c = sam_dw_block(s->channels, c, BLOCK, &width);
    for (int64_t x = 0; x < s->n; x++) {
      int32x4_t acc[2][4];
      begin(acc[0], bias);
      for (int ky = 0, t = 0; ky < s->kh; ky++) {
        const int8_t *in = (const int8_t *)s->rows[ky] + x * s->x_step + c;
        for (int kx = 0; kx < s->kw; kx++, t++) {
          const int8x16_t a = vld1q_s8(in + s->taps[kx]), weight = vld1q_s8(w + (int64_t)t * BLOCK);
          s8_taps(acc, &a, &a, weight, weight, false, 1);
        }
      }
      s8_store((int8_t *)s->out[0] + x * s->channels + c, acc[0], s, scale, false);
    }
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

static void s8_3x3(const sam_dw_strip *s) { s8_blocks(s, 3, 3); }
static void s8_5x5(const sam_dw_strip *s) { s8_blocks(s, 5, 5); }
static void s8_3x3s1(const sam_dw_strip *s) {
  if (s->x_step != s->taps[1] || s->taps[2] != 2 * s->taps[1])
    s8_blocks(s, 3, 3);
  else if (s->lo == -128 && s->hi == 127)
    s8_slides(s, true);
  else
    s8_slides(s, false);
}
static void u8_any(const sam_dw_strip *s) { u8_run(s, s->kh, s->kw); }
static void u8_3x3(const sam_dw_strip *s) { u8_run(s, 3, 3); }

#define PLAIN(function, bytes) \
  { .run = function, .element = bytes, .group = 1, .block = BLOCK, .least = BLOCK, .rows = 1, .pairs = bytes == 1 }
sam_dw_kernel sam_s8_dw__neon = PLAIN(s8_any, 1);
sam_dw_kernel sam_s8_dw3x3s1__neon = PLAIN(s8_3x3s1, 1);
sam_dw_kernel sam_s8_dw3x3__neon = PLAIN(s8_3x3, 1);
sam_dw_kernel sam_s8_dw5x5s1__neon = PLAIN(s8_5x5, 1);
sam_dw_kernel sam_s8_dw5x5__neon = PLAIN(s8_5x5, 1);
sam_dw_kernel sam_u8_dw__neon = PLAIN(u8_any, 2);
sam_dw_kernel sam_u8_dw3x3s1__neon = PLAIN(u8_3x3, 2);
sam_dw_kernel sam_u8_dw3x3__neon = PLAIN(u8_3x3, 2);
