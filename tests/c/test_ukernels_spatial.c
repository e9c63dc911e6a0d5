/* Every instance of the depthwise, pooling and mixing kernels that this machine can run against the portable one. */
#include "common/fp16.h"
#include "test.h"
#include "ukernels/ukernels.h"

enum { MOST = 1 << 16 };
static uint8_t input[MOST], filter_bytes[MOST], filter_full[MOST], filter_narrow[MOST];
static float input_f32[MOST], filter_f32[MOST];

static void fill(void) {
  for (int i = 0; i < MOST; i++) {
    input[i] = (uint8_t)test_int(0, 255);
    filter_bytes[i] = (uint8_t)(int8_t)test_int(-127, 127);
    filter_full[i] = test_int(0, 9) ? filter_bytes[i] : 128; /* -128: where nothing is summed in 16 bits */
    filter_narrow[i] = test_int(0, 99) ? (uint8_t)test_int(30, 240) : 255; /* less 117: few need nine bits */
    input_f32[i] = test_float(-2, 2);
    filter_f32[i] = test_float(-1, 1);
  }
}

typedef struct shape {
  int32_t kh, kw, stride, dilation;
  int64_t channels, n;
  bool narrow, limited, full;
} shape;

/* Runs `kernel` on rows of `input`; out: [kernel->rows][n * channels]. kind: 0 int8, 1 uint8, 2 float. */
static void run_dw(sam_dw_kernel *kernel, const shape *t, int kind, void *out) {
  sam_dw_packing packing = {.kernel = kernel, .channels = t->channels, .period = t->channels, .source = SAM_DW_S8};
  packing.filter_channels = t->channels, packing.kh = t->kh, packing.kw = t->kw, packing.stride = t->stride;
  packing.filter = t->full ? filter_full : filter_bytes;
  if (kind == 1) packing.source = SAM_DW_U8, packing.zero_point = t->channels % 5 || t->narrow ? 117 : 220;
  if (kind == 1 && t->narrow) packing.filter = filter_narrow;
  if (kind == 2) packing.source = SAM_DW_F32, packing.filter = filter_f32;
  const int64_t packed = sam_dw_packed_channels(&packing);
  const size_t element = kind == 2 ? 4 : 1;
  int32_t *order = calloc((size_t)packed, sizeof *order);
  uint8_t *memory = calloc(1, (size_t)packed * 8 + (size_t)sam_dw_packed_bytes(&packing) + 192);
  uint8_t *aligned = (uint8_t *)(((uintptr_t)memory + 63) & ~(uintptr_t)63);
  int32_t *bias = (int32_t *)(void *)aligned;
  float *scale = (float *)(void *)(aligned + packed * 4);
  uint8_t *weights = aligned + ((packed * 8 + 63) & ~(int64_t)63);
  sam_dw_order(&packing, order);
  sam_dw_pack(weights, &packing);
  for (int64_t i = 0; i < packed; i++) {
    const int64_t c = order[i];
    scale[i] = 0.001f + 0.0001f * (float)(c % 7);
    if (kind == 2) {
      ((float *)(void *)bias)[i] = 0.25f * (float)(c % 5);
      continue;
    }
    bias[i] = (int32_t)(c * 97 % 5000) - 2500;
    for (int64_t k = 0; k < (int64_t)t->kh * t->kw; k++)
      bias[i] -= sam_dw_weight(&packing, k * t->channels + c) * kernel->offset;
  }
  const void *rows[64];
  const int64_t width = ((t->n - 1) * t->stride + (t->kw - 1) * t->dilation + 1) * t->channels;
  const int32_t n_rows = sam_dw_rows(kernel, t->kh, t->stride);
  for (int32_t i = 0; i < n_rows; i++) {
    const int64_t at = i * width % (MOST - width);
    rows[i] = kind == 2 ? (const void *)(input_f32 + at) : (const void *)(input + at);
  }
  void *outs[8];
  for (int32_t r = 0; r < kernel->rows; r++) outs[r] = (uint8_t *)out + (size_t)(r * t->n * t->channels) * element;
  sam_dw_strip strip = {.rows = rows, .out = outs, .n = t->n, .x_step = t->stride * t->channels};
  int64_t taps[16];
  for (int32_t k = 0; k < t->kw; k++) taps[k] = k * t->dilation * t->channels;
  strip.y_step = t->stride, strip.valid = kernel->rows;
  strip.taps = taps, strip.channels = t->channels;
  strip.kh = t->kh, strip.kw = strip.to = t->kw, strip.weights = weights, strip.bias = bias, strip.scale = scale;
  strip.zero_point = kind == 1 ? 100 : -3, strip.lo = kind == 1 ? 7 : -100, strip.hi = kind == 1 ? 250 : 101;
  strip.fits16 = t->channels % 3 == 1; /* the scales are small enough */
  if (strip.fits16 && !t->limited) strip.lo = kind == 1 ? 0 : -128, strip.hi = kind == 1 ? 255 : 127;
  strip.real_lo = -3, strip.real_hi = 3;
  strip.floats = kernel->floats && strip.fits16 && !t->limited;
  for (int64_t i = 0; strip.floats && i < packed; i++) bias[i] += SAM_DW_FLOAT;
  kernel->run(&strip);
  free(order);
  free(memory);
}

static void test_dw(const char *name, sam_dw_kernel *kernel, sam_dw_kernel *plain, int kind, int32_t size,
                    int32_t stride) {
  static const int64_t channel_counts[] = {16, 17, 24, 32, 40, 64, 65, 96, 100, 130, 16};
  static uint8_t actual[MOST * 4], expected[MOST * 4];
  const int failures = test_failures;
  for (size_t i = 0; i < sizeof channel_counts / sizeof *channel_counts; i++)
    for (int32_t variant = 0; variant < 3; variant++) {
      shape t = {size ? size : 2 + variant,
                 size ? size : 3 - variant,
                 stride ? stride : 1 + variant,
                 1,
                 channel_counts[i],
                 i == 10 ? 75 : 1 + (int64_t)i * 5 % 14,
                 variant == 1,
                 variant == 2,
                 kind == 0 && !kernel->pairs};
      if (!size) t.dilation = 1 + variant % 2;
      run_dw(kernel, &t, kind, actual);
      /* The portable kernel computes one row: the r-th begins r * stride input rows further down. */
      const int64_t row = t.n * t.channels;
      for (int32_t r = 0; r < kernel->rows; r++) {
        struct sam_dw_kernel shifted = *plain;
        shape down = t;
        const int64_t width = ((t.n - 1) * t.stride + (t.kw - 1) * t.dilation + 1) * t.channels;
        static uint8_t kept[MOST];
        static float kept_f32[MOST];
        const int64_t shift = r * t.stride * width;
        memcpy(kept, input, sizeof kept);
        memcpy(kept_f32, input_f32, sizeof kept_f32);
        memmove(input, input + shift, (size_t)(MOST - shift));
        memmove(input_f32, input_f32 + shift, (size_t)(MOST - shift) * 4);
        run_dw(&shifted, &down, kind, expected);
        memcpy(input, kept, sizeof kept);
        memcpy(input_f32, kept_f32, sizeof kept_f32);
        if (kind == 2) {
          const float *a = (const float *)(const void *)actual + r * row, *e = (const float *)(const void *)expected;
          for (int64_t k = 0; k < row; k++) EXPECT_NEAR(a[k], e[k], 1e-5);
        } else {
          for (int64_t k = 0; k < row; k++) EXPECT_EQ(actual[r * row + k], expected[k]);
        }
      }
    }
  if (test_failures != failures) printf("in %s\n", name);
}

static void test_pools(const sam_uk_table *a, const sam_uk_table *e) {
  static uint8_t x[512], y[512];
  static float fx[512], fy[512];
  for (int64_t channels = 1; channels < 150; channels += channels < 20 ? 1 : 13)
    for (int32_t size = 1; size < 6; size++) {
      const sam_pool_window w = {size, channels * 9, size + 2, channels, 3, channels};
      a->f32_max_pool(input_f32, &w, -1, 1.5f, fx), e->f32_max_pool(input_f32, &w, -1, 1.5f, fy);
      for (int64_t i = 0; i < 3 * channels; i++) EXPECT_NEAR(fx[i], fy[i], 0);
      a->f32_avg_pool(input_f32, &w, -1, 1.5f, fx), e->f32_avg_pool(input_f32, &w, -1, 1.5f, fy);
      for (int64_t i = 0; i < 3 * channels; i++) EXPECT_NEAR(fx[i], fy[i], 1e-6);
      a->f32_l2_pool(input_f32, &w, -1, 1.5f, fx), e->f32_l2_pool(input_f32, &w, -1, 1.5f, fy);
      for (int64_t i = 0; i < 3 * channels; i++) EXPECT_NEAR(fx[i], fy[i], 1e-6);
#define BYTES(kind, type, lo, hi)                      \
  a->kind((const type *)input, &w, lo, hi, (type *)x); \
  e->kind((const type *)input, &w, lo, hi, (type *)y); \
  for (int64_t i = 0; i < 3 * channels; i++) EXPECT_EQ(x[i], y[i]);
      BYTES(s8_max_pool, int8_t, -100, 90)
      BYTES(u8_max_pool, uint8_t, 20, 200)
      BYTES(s8_avg_pool, int8_t, -100, 90)
      BYTES(u8_avg_pool, uint8_t, 20, 200)
    }
}

static void test_mix(const sam_uk_table *a, const sam_uk_table *e) {
  static float fx[4096], fy[4096];
  static int32_t x[4096], y[4096];
  static uint8_t bx[4096], by[4096];
  for (int64_t channels = 1; channels < 80; channels += channels < 20 ? 1 : 7) {
    const int64_t n = channels * 11;
    a->f32_mix(input_f32, input_f32 + n, 0.3f, n, fx), e->f32_mix(input_f32, input_f32 + n, 0.3f, n, fy);
    for (int64_t i = 0; i < n; i++) EXPECT_NEAR(fx[i], fy[i], 1e-6);
    sam_mix_tap taps[17];
    for (int i = 0; i < 17; i++) {
      taps[i].first = i * 10 / 17, taps[i].second = taps[i].first + 1 > 10 ? 10 : taps[i].first + 1;
      taps[i].share.fixed = i ? test_int(0, 2048) : 2048;
    }
#define MIX(x8, type)                                       \
  a->x8##_mix((type *)input, (type *)input + n, 623, n, x); \
  e->x8##_mix((type *)input, (type *)input + n, 623, n, y); \
  for (int64_t i = 0; i < n; i++) EXPECT_EQ(x[i], y[i]);    \
  a->x8##_mix_pixels(x, taps, 17, channels, (type *)bx);    \
  e->x8##_mix_pixels(x, taps, 17, channels, (type *)by);    \
  for (int64_t i = 0; i < 17 * channels; i++) EXPECT_EQ(bx[i], by[i]);
    MIX(s8, int8_t)
    MIX(u8, uint8_t)
    for (int i = 0; i < 17; i++) taps[i].share.real = test_float(0, 1);
    a->f32_mix_pixels(input_f32, taps, 17, channels, fx), e->f32_mix_pixels(input_f32, taps, 17, channels, fy);
    for (int64_t i = 0; i < 17 * channels; i++) EXPECT_NEAR(fx[i], fy[i], 1e-6);
  }
}

/* Both transforms with every tail; what lies behind the n-th value of a plane stays. */
static void test_winograd(const sam_uk_table *t, const sam_uk_table *plain) {
  enum { PLANE = 72 };
  const float *d[16];
  for (int p = 0; p < 16; p++) d[p] = input_f32 + 100 * p;
  for (int64_t n = 1; n < 70; n += n < 35 ? 1 : 17) {
    float got[16 * PLANE], want[16 * PLANE], *to[2][4];
    for (int i = 0; i < 16 * PLANE; i++) got[i] = want[i] = 7;
    t->f32_winograd->input(n, d, got, PLANE);
    plain->f32_winograd->input(n, d, want, PLANE);
    for (int i = 0; i < 16 * PLANE; i++) EXPECT_NEAR(got[i], want[i], 1e-5);
    uint16_t halves[16 * PLANE];
    for (int i = 0; i < 16 * PLANE; i++) halves[i] = sam_f32_to_f16(7.0f / 4);
    t->f32_winograd->input_f16(n, d, halves, PLANE);
    for (int i = 0; i < 16 * PLANE; i++)
      EXPECT_NEAR(4 * sam_f16_to_f32(halves[i]), want[i], 1e-3f * fabsf(want[i]) + 1e-5f);
    for (int i = 0; i < 16 * PLANE; i++) got[i] = want[i] = 7;
    for (int q = 0; q < 4; q++) to[0][q] = got + q * PLANE, to[1][q] = want + q * PLANE;
    t->f32_winograd->output(n, input_f32, 300, filter_f32, -1.5f, 2.5f, to[0]);
    plain->f32_winograd->output(n, input_f32, 300, filter_f32, -1.5f, 2.5f, to[1]);
    for (int i = 0; i < 16 * PLANE; i++) EXPECT_NEAR(got[i], want[i], 1e-5);
  }
}

/* The transforms of integers on bytes at their ends, and on sums as products give them: whole numbers times what the
 * last step divides by, modulo 2^32. */
static void test_winograd_s8_form(const sam_s8_winograd_form *const forms[2], int side) {
  enum { PLANE = 128, PLACES = 36 };
  const int places = side * side, pixels = (side - 2) * (side - 2);
  static uint8_t bytes[PLACES][PLANE];
  static int16_t v[2][PLACES * PLANE];
  static int32_t sums[PLACES * PLANE];
  for (int i = 0; i < PLACES * PLANE; i++)
    bytes[i / PLANE][i % PLANE] = (uint8_t)(i % 3 ? test_int(0, 255) : i % 2 ? 127 : 128);
  const uint8_t *d[PLACES];
  for (int p = 0; p < places; p++) d[p] = bytes[p];
  for (int64_t n = 1; n < 70; n += n < 35 ? 1 : 17) {
    const uint8_t flip = n % 2 ? 0x80 : 0;
    for (int i = 0; i < 2; i++) forms[i]->input(n, d, flip, v[i], PLANE);
    for (int p = 0; p < places; p++)
      for (int64_t c = 0; c < n; c++) EXPECT_EQ(v[0][p * PLANE + c], v[1][p * PLANE + c]);

    int32_t start[PLANE];
    float scale[PLANE];
    for (int i = 0; i < places * PLANE; i++)
      sums[i] = i % PLANE >= n ? 0 : side == 4 ? 4 * test_int(-1000000, 1000000) : 576 * test_int(-40000, 40000);
    for (int c = 0; c < PLANE; c++) {
      start[c] = test_int(-20000, 20000);
      scale[c] = test_float(1e-6f, n % 5 ? 1e-4f : 3.0f);
    }
    const sam_s8_winograd_end end = {start, scale, test_int(-128, 127), -120, 100 + (int)n % 28, flip, n % 5 == 0};
    uint8_t out[2][16][PLANE], *to[2][16];
    memset(out, 7, sizeof out);
    for (int i = 0; i < 2; i++) {
      for (int q = 0; q < pixels; q++) to[i][q] = out[i][q];
      forms[i]->output(n, sums, PLANE, &end, to[i]);
    }
    EXPECT(memcmp(out[0], out[1], sizeof out[0]) == 0);
  }
}

/* The three steps of the integer form; products of sums that fill 31 bits. */
static void test_winograd_s8(const sam_uk_table *t, const sam_uk_table *plain) {
  enum { MOST_K = 1800, M = 23, N = 48 };
  sam_s8_winograd_t *kernels[2] = {t->s8_winograd, plain->s8_winograd};
  static int16_t a[M * MOST_K], w[2][N * MOST_K];
  static int32_t y[2][M * N];
  test_winograd_s8_form((const sam_s8_winograd_form *const[]){&kernels[0]->two, &kernels[1]->two}, 4);
  test_winograd_s8_form((const sam_s8_winograd_form *const[]){&kernels[0]->four, &kernels[1]->four}, 6);
  for (int round = 0; round < 12; round++) {
    const int k = round ? 1 + round * 7 : MOST_K, n = round % 3 ? N : 16, m = 1 + round * 2, even = (k + 1) / 2 * 2;
    for (int i = 0; i < m * even; i++) a[i] = (int16_t)(round ? test_int(-512, 512) : 512);
    for (int i = 0; i < 2; i++) memset(w[i], 0, sizeof w[i]);
    for (int j = 0; j < n; j++)
      for (int c = 0; c < k; c++) {
        const int16_t weight = (int16_t)(round ? test_int(-2295, 2295) : 2295);
        for (int i = 0; i < 2; i++) {
          const int nr = kernels[i]->tile.nr;
          w[i][j / nr * nr * even + c / 2 * 2 * nr + j % nr * 2 + c % 2] = weight;
        }
      }
    for (int i = 0; i < 2; i++) {
      const sam_s8_winograd_product g = {m, n, k, a, even, w[i], y[i], N};
      memset(y[i], 0, sizeof y[i]);
      kernels[i]->multiply(&g);
    }
    EXPECT(memcmp(y[0], y[1], sizeof y[0]) == 0);
  }
}

int main(void) {
  fill();
  sam_uk_table plain;
  sam_uk_select(SAM_LEVEL_scalar, &plain);
  const char *name;
  uint32_t level;
  for (int i = 0; (name = sam_isa_name(i, &level)) != NULL; i++) {
    if (level & ~sam_cpu_features()) continue;
    sam_uk_table t;
    sam_uk_select(level, &t);
    const int failures = test_failures;
    test_dw("s8_dw", t.s8_dw, plain.s8_dw, 0, 0, 0);
    test_dw("s8_dw3x3s1", t.s8_dw3x3s1, plain.s8_dw, 0, 3, 1);
    test_dw("s8_dw3x3", t.s8_dw3x3, plain.s8_dw, 0, 3, 2);
    test_dw("s8_dw3x3 by 3", t.s8_dw3x3, plain.s8_dw, 0, 3, 3);
    test_dw("s8_dw5x5s1", t.s8_dw5x5s1, plain.s8_dw, 0, 5, 1);
    test_dw("s8_dw5x5", t.s8_dw5x5, plain.s8_dw, 0, 5, 2);
    test_dw("u8_dw", t.u8_dw, plain.u8_dw, 1, 0, 0);
    test_dw("u8_dw3x3s1", t.u8_dw3x3s1, plain.u8_dw, 1, 3, 1);
    test_dw("u8_dw3x3", t.u8_dw3x3, plain.u8_dw, 1, 3, 2);
    test_dw("f32_dw", t.f32_dw, plain.f32_dw, 2, 0, 0);
    test_dw("f32_dw 3x3", t.f32_dw, plain.f32_dw, 2, 3, 1);
    test_dw("f32_dwrows", t.f32_dwrows, plain.f32_dw, 2, 0, 0);
    test_dw("f32_dwrows 5x5", t.f32_dwrows, plain.f32_dw, 2, 5, 1);
    test_dw("f32_dw3x3s1", t.f32_dw3x3s1, plain.f32_dw, 2, 3, 1);
    test_dw("f32_dw3x3s2", t.f32_dw3x3s2, plain.f32_dw, 2, 3, 2);
    test_pools(&t, &plain);
    test_mix(&t, &plain);
    test_winograd(&t, &plain);
    test_winograd_s8(&t, &plain);
    printf("%s: %d failures\n", name, test_failures - failures);
  }
  return test_result();
}
