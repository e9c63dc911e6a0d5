/* Depthwise int8 and uint8 on NEON without dot products, 16 channels at a time.
 *
 * Two taps are multiplied into 16-bit sums (smull, smlal) and then added to the 32-bit ones (saddw): eight
 * multiplications an instruction. Exact unless both weights are -128; the operator does not send such int8 filters
 * here.
 *
 * uint8 inputs become int8 by flipping the sign bit. Their weights less the zero point need nine bits: a signed byte
 * and what goes beyond it (`parts` of dwconv.h). Few weights of a filter do; only these taps are multiplied again. */
#include "ukernels/simd_neon.h"
/* Over that layer, for the rounding that 32-bit ARM lacks: */
#include "ukernels/ukernels.h"

enum { BLOCK = 16, MAX_TAPS = 25 };
#define PARTS(u) ((u) ? 2 : 1)
#define INLINE static inline __attribute__((always_inline))
#if defined(__clang__)
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 32")
#endif

INLINE void begin(int32x4_t acc[4], const int32_t *bias) {
  for (int j = 0; j < 4; j++) acc[j] = vld1q_s32(bias + 4 * j);
}

/* 16 inputs as int8. `u`: they are uint8, here and below. */
INLINE int8x16_t load(const uint8_t *x, const bool u) {
  const uint8x16_t bytes = vld1q_u8(x);
  return vreinterpretq_s8_u8(u ? veorq_u8(bytes, vdupq_n_u8(0x80)) : bytes);
}

INLINE void add_wide(int32x4_t acc[4], int16x8_t low, int16x8_t high) {
  acc[0] = vaddw_s16(acc[0], vget_low_s16(low));
  acc[1] = add_high_s16(acc[1], low);
  acc[2] = vaddw_s16(acc[2], vget_low_s16(high));
  acc[3] = add_high_s16(acc[3], high);
}

/* Two taps of some pixels, or the last one. */
INLINE void add_taps(int32x4_t acc[2][4], const int8x16_t *a, const int8x16_t *b, int8x16_t w0, int8x16_t w1, bool two,
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

/* The taps of a block of channels that have a second part. */
typedef struct beyond {
  int n;
  bool few; /* what they and the last tap's first part add to a channel fits 16 bits */
  const uint8_t *in[MAX_TAPS];
  const int8_t *w[MAX_TAPS];
} beyond;

/* From the second parts of the weights; before them lie the first ones. */
INLINE void find_beyond(beyond *b, const uint8_t *const *tap, const int8_t *w, const int taps) {
  vb all = vb_load(w), sum = vreinterpretq_u8_s8(vabsq_s8(vld1q_s8(w - BLOCK)));
  UNROLL for (int t = 1; t < taps; t++) all = vorrq_u8(all, vb_load(w + t * BLOCK));
  b->n = 0, b->few = true;
  if (vb_is_zero(all)) return;
  for (int t = 0; t < taps; t++, w += BLOCK) {
    if (vb_is_zero(vb_load(w))) continue;
    sum = vqaddq_u8(sum, vreinterpretq_u8_s8(vabsq_s8(vld1q_s8(w))));
    b->in[b->n] = tap[t];
    b->w[b->n++] = w;
  }
  b->few = vb_is_zero(vceqq_u8(sum, vb_set(255)));
}

INLINE void add_beyond(int32x4_t acc[2][4], const beyond *b, int64_t at, int64_t step, const int pixels) {
  for (int e = 0; e < b->n; e++) {
    const int8x16_t w = vld1q_s8(b->w[e]);
    UNROLL for (int i = 0; i < pixels; i++) {
      const int8x16_t x = load(b->in[e] + at + i * step, true);
      add_wide(acc[i], mul_low_s8(x, w), mul_high_s8(x, w));
    }
  }
}

INLINE void store(uint8_t *out, int32x4_t acc[4], const sam_dw_strip *s, const float *scale, bool plain, const bool u) {
  vf x[4];
  for (int j = 0; j < 4; j++) x[j] = vf_mul(vf_from_vi(acc[j]), vf_load(scale + 4 * j));
  int16x8_t low, high;
  if (plain) {
    const vf rounder = vf_rounder(s->zero_point);
    low = round_to_s16(x[0], x[1], rounder), high = round_to_s16(x[2], x[3], rounder);
  } else {
    const int16x8_t zero = vdupq_n_s16((int16_t)s->zero_point);
    low = vqaddq_s16(narrow_s32(vi_from_vf(x[0]), vi_from_vf(x[1])), zero);
    high = vqaddq_s16(narrow_s32(vi_from_vf(x[2]), vi_from_vf(x[3])), zero);
  }
  vb y = u ? narrow_u16(low, high) : vreinterpretq_u8_s8(narrow_s16(low, high));
  const vb lo = vb_set((uint8_t)s->lo), hi = vb_set((uint8_t)s->hi);
  if (!plain) y = u ? vb_min_u8(vb_max_u8(y, lo), hi) : vb_min_s8(vb_max_s8(y, lo), hi);
  vb_store(out, y);
}

/* `pixels` neighbouring output pixels from pointers to the taps of the first. */
INLINE void some_pixels(const sam_dw_strip *s, const uint8_t *const *tap, int64_t at, const int8_t *w,
                        const int32_t *bias, const float *scale, uint8_t *out, const beyond *b, const int taps,
                        const int pixels, const bool u) {
  int32x4_t acc[2][4];
  UNROLL for (int i = 0; i < pixels; i++) begin(acc[i], bias);
  UNROLL for (int t = 0; t < taps; t += 2) {
    const bool two = t + 1 < taps;
    int8x16_t v[2][2];
    UNROLL for (int i = 0; i < pixels; i++) {
      v[0][i] = load(tap[t] + at + i * s->x_step, u);
      v[1][i] = two ? load(tap[t + 1] + at + i * s->x_step, u) : v[0][i];
    }
    const int8x16_t w0 = vld1q_s8(w + (int64_t)t * BLOCK);
    add_taps(acc, v[0], v[1], w0, two ? vld1q_s8(w + (int64_t)(t + 1) * BLOCK) : w0, two, pixels);
  }
  if (u) add_beyond(acc, b, at, s->x_step, pixels);
  UNROLL for (int i = 0; i < pixels; i++) store(out + i * s->channels, acc[i], s, scale, false, u);
}

/* Pointers to the taps of a block of channels at its first pixel, in the order of their weights. */
INLINE void point_at_taps(const sam_dw_strip *s, int64_t c, const int kh, const int kw, const uint8_t *order,
                          const uint8_t **tap) {
  UNROLL for (int t = 0; t < kh * kw; t++) tap[order ? order[t] : t] =
      (const uint8_t *)s->rows[t / kw] + c + s->taps[t % kw];
}

/* Several pixels at a time, in assembly: */
#if defined(__aarch64__)
#include "ukernels/dwconv_neon_fours.inc"
#endif

/* Where the tap of a place of a 5 x 5 filter lies in its packed weights: the order in which dwconv_neon_5x5.inc meets
 * columns two apart. */
static const uint8_t TAPS_BY_2[25] = {2,  0,  3,  1,  4,  7,  9,  6,  8,  5,  12, 10, 13,
                                      11, 14, 17, 19, 16, 18, 15, 22, 20, 23, 21, 24};

/* The first pixels of a block of such a filter to plain int8; returns their number. */
INLINE int64_t fives_of(const sam_dw_strip *s, int64_t c, const int stride, const int8_t *w, const int32_t *bias,
                        const float *scale) {
#if defined(__aarch64__)
  fives f = {.bias = bias, .scale = scale, .out = (uint8_t *)s->out[0] + c, .turns = s->n / 4};
  for (int r = 0; r < 5; r++) f.row[r] = (const uint8_t *)s->rows[r] + c;
  for (int i = 0; i < 10; i++) f.k[i] = (i + 1) * s->taps[1];
  for (int i = 0; i < 3; i++) f.o[i] = (i + 1) * s->channels;
  for (int i = 0; i < 6; i++) f.w[i] = w + i * 4 * BLOCK;
  (stride == 1 ? fives_by_1 : fives_by_2)(&f, vf_rounder(s->zero_point));
  return 4 * f.turns;
#else
  (void)s, (void)c, (void)stride, (void)w, (void)bias, (void)scale;
  return 0;
#endif
}

/* The blocks of a filter of at most MAX_TAPS taps. `s` is a copy: stores of bytes do not make it anew. `stride`: of a 5
 * x 5 filter to plain int8 whose columns lie side by side. */
INLINE void blocks(const sam_dw_strip *args, const int kh, const int kw, const bool u, const uint8_t *order,
                   const int stride) {
  const sam_dw_strip copy = *args, *s = &copy;
  const int taps = kh * kw;
  const int8_t *w = s->weights;
  const int32_t *bias = s->bias;
  const float *scale = s->scale;
  int64_t width;
  for (int64_t c = 0; c < s->channels; c += width, w += taps * BLOCK * PARTS(u), bias += BLOCK, scale += BLOCK) {
    c = sam_dw_block(s->channels, c, BLOCK, &width);
    const uint8_t *tap[MAX_TAPS];
    beyond b;
    point_at_taps(s, c, kh, kw, order, tap);
    if (u) find_beyond(&b, tap, w + taps * BLOCK, taps);
    uint8_t *out = (uint8_t *)s->out[0] + c;
    const int64_t done = stride ? fives_of(s, c, stride, w, bias, scale) : 0;
    int64_t x = s->n - done, at = done * s->x_step;
    out += done * s->channels;
    for (; x >= 2; x -= 2, at += 2 * s->x_step, out += 2 * s->channels)
      some_pixels(s, tap, at, w, bias, scale, out, &b, taps, 2, u);
    if (x) some_pixels(s, tap, at, w, bias, scale, out, &b, taps, 1, u);
  }
}

/* 3 x 3 whose columns lie side by side, `stride` from one output pixel to the next: neighbours share columns. */
INLINE void slide(const sam_dw_strip *s, const uint8_t *const row[3], int64_t step, const int8x16_t w[9],
                  const int32_t *bias, const float *scale, uint8_t *out, const beyond *b, int64_t at, const int stride,
                  const int pixels, bool plain, const bool u) {
  int32x4_t acc[2][4];
  UNROLL for (int i = 0; i < pixels; i++) begin(acc[i], bias);
  int8x16_t v[3][5];
  UNROLL for (int t = 0; t < 9; t += 2) {
    UNROLL for (int i = t; i < (t < 8 ? t + 2 : 9); i++) { /* what these taps are the first to need */
      const int r = i / 3, k = i % 3;
      if (pixels == 1 || k < stride) v[r][k] = load(row[r] + k * step, u);
      if (pixels > 1) v[r][k + stride] = load(row[r] + (k + stride) * step, u);
    }
    const int next = t < 8 ? t + 1 : t;
    int8x16_t x[2][2];
    UNROLL for (int i = 0; i < pixels; i++) {
      x[0][i] = v[t / 3][t % 3 + i * stride], x[1][i] = v[next / 3][next % 3 + i * stride];
    }
    add_taps(acc, x[0], x[1], w[t], w[next], next > t, pixels);
  }
  if (u) add_beyond(acc, b, at, stride * step, pixels);
  UNROLL for (int i = 0; i < pixels; i++) store(out + i * s->channels, acc[i], s, scale, plain, u);
}

/* The first pixels of a block, whose results saturate; returns their number and moves `row` and `out` on. */
#if defined(__aarch64__)
enum { TURNS_AT_ONCE = 16 };

/* One tap beyond a byte of four pixels. */
INLINE void add_one_beyond(int16x8_t low[4], int16x8_t high[4], const uint8_t *in, int64_t step, const int8_t *w,
                           bool first) {
  const int8x16_t weight = vld1q_s8(w);
  int8x16_t x[4];
  UNROLL for (int i = 0; i < 4; i++) x[i] = load(in + i * step, true);
  UNROLL for (int i = 0; i < 4; i++) {
    low[i] = first ? mul_low_s8(x[i], weight) : mla_low_s8(low[i], x[i], weight);
    high[i] = first ? mul_high_s8(x[i], weight) : mla_high_s8(high[i], x[i], weight);
  }
}

/* All of them, of some turns. */
INLINE void sum_beyond(const beyond *b, int64_t at, int64_t step, int64_t turns, int16_t *sums) {
  for (; turns > 0; turns--, at += 4 * step, sums += 4 * BLOCK) {
    int16x8_t low[4], high[4];
    add_one_beyond(low, high, b->in[0] + at, step, b->w[0], true);
    for (int e = 1; e < b->n; e++) add_one_beyond(low, high, b->in[e] + at, step, b->w[e], false);
    UNROLL for (int i = 0; i < 4; i++) vst1q_s16(sums + i * BLOCK, low[i]), vst1q_s16(sums + i * BLOCK + 8, high[i]);
  }
}

/* Blocks with taps beyond a byte, or results beyond 16 bits (not `plain`); apart, to cost others no registers. */
static __attribute__((noinline)) void fours_beyond(const sam_dw_strip *s, const uint8_t *row[3], const int8_t *w,
                                                   const int32_t *bias, const float *scale, uint8_t **out,
                                                   const beyond *b, bool plain) {
  static const int16_t none[TURNS_AT_ONCE * 4 * BLOCK];
  int16_t sums[TURNS_AT_ONCE * 4 * BLOCK];
  for (int64_t t = 0; t < s->n / 4; t += TURNS_AT_ONCE) {
    const int64_t left = s->n / 4 - t, n = left < TURNS_AT_ONCE ? left : TURNS_AT_ONCE;
    if (b->n) sum_beyond(b, 4 * t * s->x_step, s->x_step, n, sums);
    const int16_t *at = b->n ? sums : none;
    if (s->x_step == s->taps[1])
      (plain ? u8_beyond_by_1 : u8_wide_by_1)(s, row, n, w, bias, scale, at, out);
    else
      (plain ? u8_beyond_by_2 : u8_wide_by_2)(s, row, n, w, bias, scale, at, out);
  }
}

INLINE int64_t fours(const sam_dw_strip *s, const uint8_t *row[3], const int stride, const int8_t *w,
                     const int32_t *bias, const float *scale, uint8_t **out, const beyond *b, bool plain,
                     const bool u) {
  const int64_t turns = s->n / 4;
  if (turns == 0 || !(u ? b->few : plain)) return 0;
  if (!u)
    (stride == 1 ? s8_fours_by_1 : s8_fours_by_2)(s, row, turns, w, bias, scale, NULL, out);
  else if (plain && b->n == 0)
    (stride == 1 ? u8_fours_by_1 : u8_fours_by_2)(s, row, turns, w, bias, scale, NULL, out);
  else
    fours_beyond(s, row, w, bias, scale, out, b, plain);
  return 4 * turns;
}
#else
INLINE int64_t fours(const sam_dw_strip *s, const uint8_t *row[3], const int stride, const int8_t *w,
                     const int32_t *bias, const float *scale, uint8_t **out, const beyond *b, bool plain,
                     const bool u) {
  (void)s, (void)row, (void)stride, (void)w, (void)bias, (void)scale, (void)out, (void)b, (void)plain, (void)u;
  return 0;
}
#endif

INLINE void slides(const sam_dw_strip *args, const int stride, bool plain, const bool u) {
  const sam_dw_strip copy = *args, *s = &copy;
  const int8_t *w = s->weights;
  const int32_t *bias = s->bias;
  const float *scale = s->scale;
  const int64_t step = s->taps[1];
  int64_t width;
  for (int64_t c = 0; c < s->channels; c += width, w += 9 * BLOCK * PARTS(u), bias += BLOCK, scale += BLOCK) {
    c = sam_dw_block(s->channels, c, BLOCK, &width);
    const uint8_t *row[3], *tap[9];
    int8x16_t weight[9];
    beyond b;
    if (u) point_at_taps(s, c, 3, 3, NULL, tap), find_beyond(&b, tap, w + 9 * BLOCK, 9);
    UNROLL for (int r = 0; r < 3; r++) row[r] = (const uint8_t *)s->rows[r] + c;
    uint8_t *out = (uint8_t *)s->out[0] + c;
    const int64_t x0 = fours(s, row, stride, w, bias, scale, &out, &b, plain, u);
    int64_t x = s->n - x0, at = x0 * stride * step;
    if (x == 0) continue;
    UNROLL for (int t = 0; t < 9; t++) weight[t] = vld1q_s8(w + t * BLOCK);
    for (; x >= 2; x -= 2, out += 2 * s->channels, at += 2 * stride * step) {
      slide(s, row, step, weight, bias, scale, out, &b, at, stride, 2, plain, u);
      UNROLL for (int r = 0; r < 3; r++) row[r] += 2 * stride * step;
    }
    if (x) slide(s, row, step, weight, bias, scale, out, &b, at, stride, 1, plain, u);
  }
}

/* Any filter, a pixel at a time. */
INLINE void any(const sam_dw_strip *args, const bool u) {
  const sam_dw_strip copy = *args, *s = &copy;
  const int8_t *w = s->weights;
  const int64_t part = (int64_t)s->kh * s->kw * BLOCK;
  const int32_t *bias = s->bias;
  const float *scale = s->scale;
  int64_t width;
  for (int64_t c = 0; c < s->channels; c += width, w += part * PARTS(u), bias += BLOCK, scale += BLOCK) {
    c = sam_dw_block(s->channels, c, BLOCK, &width);
    for (int64_t x = 0; x < s->n; x++) {
      int32x4_t acc[2][4];
      begin(acc[0], bias);
      const int8_t *weight = w;
      for (int ky = 0; ky < s->kh; ky++) {
        const uint8_t *in = (const uint8_t *)s->rows[ky] + x * s->x_step + c;
        for (int kx = 0; kx < s->kw; kx++, weight += BLOCK) {
          const int8x16_t a = load(in + s->taps[kx], u), w0 = vld1q_s8(weight);
          add_taps(acc, &a, &a, w0, w0, false, 1);
          if (!u) continue;
          const int8x16_t w1 = vld1q_s8(weight + part);
          add_taps(acc, &a, &a, w1, w1, false, 1);
        }
      }
      store((uint8_t *)s->out[0] + x * s->channels + c, acc[0], s, scale, false, u);
    }
  }
}

INLINE void three(const sam_dw_strip *s, bool plain, const bool u) {
  if (s->taps[2] != 2 * s->taps[1] || (s->x_step != s->taps[1] && s->x_step != 2 * s->taps[1]))
    blocks(s, 3, 3, u, NULL, 0);
  else
    s->x_step == s->taps[1] ? slides(s, 1, plain, u) : slides(s, 2, plain, u);
}

/* Several pixels at a time end by saturating, limits of their own are met behind the row. */
#define NAME s8_clamp
#define MAX vb_max_s8
#define MIN vb_min_s8
#include "ukernels/dwconv_clamp.inc"
#undef MAX
#undef MIN
#define UNSIGNED
#define NAME u8_clamp
#define MAX vb_max_u8
#define MIN vb_min_u8
#include "ukernels/dwconv_clamp.inc"

INLINE void five(const sam_dw_strip *s, const int stride, const uint8_t *order) {
  bool near = s->x_step == stride * s->taps[1];
  for (int k = 2; k < 5; k++) near = near && s->taps[k] == k * s->taps[1];
  if (!s->fits16 || !near || s->n < 4) {
    blocks(s, 5, 5, false, order, 0);
    return;
  }
  blocks(s, 5, 5, false, order, stride);
  s8_clamp(s, 1);
}

static void s8_any(const sam_dw_strip *s) { any(s, false); }
static void u8_any(const sam_dw_strip *s) { any(s, true); }
static void s8_5x5s1(const sam_dw_strip *s) { five(s, 1, NULL); }
static void s8_5x5(const sam_dw_strip *s) { five(s, 2, TAPS_BY_2); }
#define THREE(x8, u)                            \
  static void x8##_3x3(const sam_dw_strip *s) { \
    if (s->fits16)                              \
      three(s, true, u);                        \
    else                                        \
      three(s, false, u);                       \
    x8##_clamp(s, 1);                           \
  }
THREE(s8, false)
THREE(u8, true)

#define S8(...) \
  { .element = 1, .group = 1, .block = BLOCK, .least = BLOCK, .rows = 1, .run = __VA_ARGS__ }
#define U8(function) \
  { .run = function, .element = 1, .group = 1, .block = BLOCK, .least = BLOCK, .rows = 1, .offset = -128, .parts = 2 }
sam_dw_kernel sam_s8_dw__neon = S8(s8_any);
sam_dw_kernel sam_s8_dw3x3s1__neon = S8(s8_3x3, .pairs = true);
sam_dw_kernel sam_s8_dw3x3__neon = S8(s8_3x3, .pairs = true);
#if defined(__aarch64__) /* on cores in order dot products take twice the cycles: rows must be interleaved */
sam_dw_kernel sam_s8_dw3x3s1__neoninorder = S8(s8_3x3, .pairs = true);
sam_dw_kernel sam_s8_dw3x3__neoninorder = S8(s8_3x3, .pairs = true);
sam_dw_kernel sam_s8_dw5x5s1__neoninorder = S8(s8_5x5s1, .pairs = true);
#endif
sam_dw_kernel sam_s8_dw5x5s1__neon = S8(s8_5x5s1, .pairs = true);
sam_dw_kernel sam_s8_dw5x5__neon = S8(s8_5x5, .taps = TAPS_BY_2, .pairs = true);
sam_dw_kernel sam_u8_dw__neon = U8(u8_any);
sam_dw_kernel sam_u8_dw3x3s1__neon = U8(u8_3x3);
sam_dw_kernel sam_u8_dw3x3__neon = U8(u8_3x3);
