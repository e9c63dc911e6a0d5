/* Matrix kernels against the portable ones, at every instruction-set level of this machine, on sizes around every tile
 * edge. Integers must be equal, floats within rounding. Also: the selection itself, requantization, half precision. */
#include "common/fit.h"
#include "common/fp16.h"
#include "common/requant.h"
#include "gemm_data.h"

enum { MAX_M = 37, MAX_N = 150, MAX_K = 96, MAX_TAPS = 3, SPACE = 4096 };

static const int sizes_m[] = {1, 2, 3, 5, 6, 7, 8, 11, 12, 13, 17, 37};
static const int sizes_n[] = {1, 3, 4, 7, 8, 9, 15, 16, 17, 24, 31, 33, 48, 50, 64, 65, 100, 130, 150};
static const int sizes_k[] = {1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 64, 70};
#define PICK(list) list[(size_t)test_int(0, (int)(sizeof list / sizeof *list) - 1)]

/* Rows start anywhere in one block of values, and so do taps. */
static void place(int m, int taps, int k, size_t element, const char *values, const void **a, ptrdiff_t *tap) {
  for (int t = 0; t < taps; t++) tap[t] = test_int(0, 200) * (ptrdiff_t)element;
  for (int i = 0; i < m; i++) a[i] = values + (size_t)test_int(0, SPACE - 201 - k) * element;
}

static void test_f32(const char *level) {
  static float values[SPACE], w[MAX_N * MAX_TAPS * MAX_K];
  for (int i = 0; i < SPACE; i++) values[i] = test_float(-1, 1);
  for (int round = 0; round < 60; round++) {
    const int m = PICK(sizes_m), n = PICK(sizes_n), k = PICK(sizes_k), taps = test_int(0, MAX_TAPS);
    for (int i = 0; i < n * taps * k; i++) w[i] = test_float(-1, 1);
    const void *a[MAX_M];
    ptrdiff_t tap[MAX_TAPS];
    place(m, taps, k, 4, (const char *)values, a, tap);
    float *bias = gemm_room(4 * (MAX_N + 64)), *y[2];
    for (int i = 0; i < n; i++) bias[i] = test_float(-1, 1);
    sam_f32_gemm_args g = {.m = m,
                           .n = n,
                           .taps = taps,
                           .k = k,
                           .a = (const float *const *)a,
                           .tap = tap,
                           .ldy = n + 3,
                           .lo = -0.5f,
                           .hi = 2.0f};
    g.bias = round % 3 ? bias : NULL;
    sam_f32_gemm_t *kernels[2] = {&sam_f32_gemm__scalar, sam_uk.f32_gemm};
    if (round % 4 == 1 && sam_uk.f32_gemm->few) kernels[1] = sam_uk.f32_gemm->few;
    for (int i = 0; i < 2; i++) {
      y[i] = gemm_room(4 * (size_t)m * (size_t)(n + 3));
      g.y = y[i];
      void *packed = gemm_pack(w, 4, n, taps, k, kernels[i]->tile);
      g.w = packed;
      kernels[i]->run(&g);
      free(packed);
    }
    int wrong = 0;
    for (int i = 0; i < m * (n + 3); i++) wrong += !(fabsf(y[0][i] - y[1][i]) <= 1e-5f * (float)(1 + k * taps));
    if (wrong) printf("f32_gemm %s: m %d n %d taps %d k %d: %d wrong\n", level, m, n, taps, k, wrong);
    EXPECT(wrong == 0);
    free(y[0]), free(y[1]), free(bias);
  }
}

/* Half precision against sums in double precision of the numbers before they were halves. Weights are rounded
 * by 2^-12, sums of SAM_F16_RUN halves by as much each time. */
static void test_f16(const char *level) {
  static float values[SPACE], w[MAX_N * MAX_TAPS * MAX_K];
  static uint16_t halves[SPACE + 32];
  sam_f16_gemm_t *kernel = sam_uk.f16_gemm;
  for (int round = 0; round < 90; round++) {
    const int m = PICK(sizes_m), n = PICK(sizes_n), k = PICK(sizes_k), taps = test_int(0, MAX_TAPS);
    const int nr = kernel->tile.nr;
    const bool extreme = round % 9 == 8; /* the largest halves by equal weights: sums must not become infinite */
    const float size = ldexpf(1, test_int(-60, 60));
    for (int i = 0; i < SPACE; i++) values[i] = extreme ? 65504 : test_float(-1, 1);
    for (int i = 0; i < n * taps * k; i++) w[i] = size * (extreme ? 0.99997f : test_float(-1, 1));
    kernel->convert(SPACE, values, halves);
    for (int i = 0; i < SPACE; i++) EXPECT_EQ(halves[i], sam_f32_to_f16(values[i]));
    const void *a[MAX_M];
    ptrdiff_t tap[MAX_TAPS];
    place(m, taps, k, 2, (const char *)halves, a, tap);
    float *bias = gemm_room(4 * (MAX_N + 64)), *y = gemm_room(4 * (size_t)m * (size_t)(n + 3));
    for (int i = 0; i < n; i++) bias[i] = size * test_float(-1, 1);
    for (int i = 0; i < m * (n + 3); i++) y[i] = 7;
    const size_t panel = (size_t)(2 * nr + taps * k * nr);
    uint16_t *packed = gemm_room(2 * panel * (size_t)((n + nr - 1) / nr));
    for (int j = 0; j < n; j++) {
      float most = 0, *scale = (float *)(void *)(packed + panel * (size_t)(j / nr));
      for (int e = 0; e < taps * k; e++) most = fmaxf(most, fabsf(w[j * taps * k + e]));
      scale[j % nr] = sam_f16_scale(most);
      for (int e = 0; e < taps * k; e++)
        packed[panel * (size_t)(j / nr) + (size_t)(2 * nr + e * nr + j % nr)] =
            sam_f32_to_f16(w[j * taps * k + e] / scale[j % nr]);
    }
    sam_f16_gemm_args g = {.m = m, .n = n, .taps = taps, .k = k, .tap = tap, .w = packed, .y = y, .ldy = n + 3};
    g.a = (const uint16_t *const *)a;
    g.bias = round % 3 ? bias : NULL;
    g.lo = round % 2 ? -size / 2 : -INFINITY, g.hi = round % 2 ? 2 * size : INFINITY;
    kernel->run(&g);
    double worst = 0;
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < n; j++) {
        double sum = g.bias ? (double)bias[j] : 0, square = 0;
        for (int t = 0; t < taps; t++)
          for (int e = 0; e < k; e++) {
            const uint16_t half = ((const uint16_t *)a[i])[tap[t] / 2 + e];
            const double product = (double)sam_f16_to_f32(half) * (double)w[(j * taps + t) * k + e];
            sum += product, square += product * product;
          }
        sum = fmin(fmax(sum, (double)g.lo), (double)g.hi);
        const double error = fabs(sum - (double)y[i * (n + 3) + j]), least = 1e-6 * (double)size;
        worst = fmax(worst, extreme ? error / (fabs(sum) + least) : error / (sqrt(square) + least));
      }
      for (int j = n; j < n + 3; j++) EXPECT(y[i * (n + 3) + j] == 7);
    }
    if (!(worst <= 1e-2)) printf("f16_gemm %s: m %d n %d taps %d k %d: off by %g\n", level, m, n, taps, k, worst);
    EXPECT(worst <= 1e-2);
    free(y), free(bias), free(packed);
  }
}

static void test_s8(const char *level, sam_s8_gemm_t *kernel) {
  static int8_t values[SPACE], w[MAX_N * MAX_TAPS * MAX_K];
  static char formed[2][2 * SPACE + 256];
  static const int steps[] = {1, 8, 16, 32};
  for (int round = 0; round < 480; round++) {
    const int64_t step = round / 3 % 2 ? PICK(steps) : 0; /* a window of three pixels slides along */
    const int m = PICK(sizes_m), n = PICK(sizes_n), k = step ? 3 * (int)step : PICK(sizes_k);
    const int taps = test_int(0, MAX_TAPS), out = round % 3;
    const int skip = taps > 1 && round % 7 == 3; /* a call that leaves out the first tap */
    /* Extreme values find saturating instructions. */
    for (int i = 0; i < SPACE; i++) values[i] = (int8_t)(round % 4 ? test_int(-128, 127) : test_int(0, 1) ? -128 : 127);
    for (int i = 0; i < n * taps * k; i++)
      w[i] = (int8_t)(round % 8 ? test_int(-128 + round % 2, 127) : round % 16 ? -128 : -127);
    if (round % 8 > 4) /* small ones, whose sums fit 16 bits, with a few that do not */
      for (int i = 0; i < n * taps * k; i++) w[i] = (int8_t)(test_int(0, 199) ? w[i] / 2 : -128);
    const uint8_t flip = round & 16 ? 0x80 : 0;
    int offset[MAX_M];
    ptrdiff_t taps_at[MAX_TAPS], tap[MAX_TAPS];
    for (int i = 0; i < m; i++)
      offset[i] = step && i % 4 ? offset[i - 1] + (int)step : test_int(0, SPACE - 201 - 2 * MAX_K);
    for (int t = 0; t < taps; t++) taps_at[t] = test_int(0, 200);
    int32_t *bias = gemm_room(4 * (MAX_N + 64)), *col = gemm_room(4 * (MAX_N + 64)), row[MAX_M];
    float *scale = gemm_room(4 * (MAX_N + 64)), *fbias = gemm_room(4 * (MAX_N + 64)), row_scale[MAX_M];
    for (int j = 0; j < n; j++) {
      bias[j] = test_int(-20000, 20000);
      col[j] = test_int(-200, 200);
      scale[j] = test_float(0.0001f, round % 5 ? 0.01f : 5.0f);
      fbias[j] = test_float(-3, 3);
    }
    for (int i = 0; i < m; i++) row[i] = test_int(-200, 200), row_scale[i] = test_float(0.001f, 0.1f);
    sam_s8_gemm_args g = {.m = m,
                          .n = n,
                          .taps = taps - skip,
                          .k = k,
                          .skipped = skip,
                          .tap = tap + skip,
                          .col = col,
                          .scale = scale,
                          .out = out,
                          .out_flip = test_int(0, 1) ? 0x80 : 0,
                          .zero_point = test_int(-128, 127),
                          .lo = -128,
                          .hi = 127,
                          .row_scale = row_scale,
                          .flo = -10,
                          .fhi = 100,
                          .ldy = n + 5};
    g.large_scale = round % 5 == 0;
    if (test_int(0, 1)) g.lo = test_int(-128, 0), g.hi = test_int(1, 127);
    if (test_int(0, 1)) g.row = row;
    if (test_int(0, 1)) g.fbias = fbias;
    const int32_t zero = test_int(0, 2) ? 0 : test_int(-255, 255); /* of weights: by sums of rows, or by the kernel */
    for (int j = 0; j < n && zero; j++) col[j] = zero;
    const double rows_bring = zero ? (double)(taps * k * abs(zero)) : g.row ? 200 * 200 / 128.0 : 0;
    g.fits16 = true;
    for (int j = 0; j < n; j++) {
      int32_t magnitude = 0;
      for (int e = 0; e < taps * k; e++) magnitude += abs(w[j * taps * k + e]);
      g.fits16 = g.fits16 && sam_s8_gemm_fits16(magnitude + rows_bring, bias[j], scale[j]);
      if (kernel->magnitude) EXPECT_EQ(kernel->magnitude(taps * k, (const uint8_t *)w + j * taps * k, 0), magnitude);
    }
    sam_s8_gemm_t *kernels[2] = {&sam_s8_gemm__scalar, kernel};
    char *y[2];
    int32_t sums[2][MAX_M];
    for (int i = 0; i < 2; i++) {
      const size_t element = kernels[i]->form == SAM_A_S16 ? 2 : 1;
      y[i] = gemm_room(4 * (size_t)m * (size_t)(n + 5));
      kernels[i]->convert(SPACE, (const uint8_t *)values, flip, formed[i]);
      const void *a[MAX_M];
      for (int r = 0; r < m; r++) a[r] = formed[i] + (size_t)offset[r] * element;
      g.row_step = step * (int64_t)element;
      for (int t = 0; t < taps; t++) tap[t] = taps_at[t] * (ptrdiff_t)element;
      int32_t *start = gemm_room(4 * (MAX_N + 64));
      for (int j = 0; j < n; j++) {
        uint32_t sum = 0;
        for (int e = skip * k; e < taps * k; e++) sum += (uint32_t)w[j * taps * k + e];
        start[j] = (int32_t)((uint32_t)bias[j] - (kernels[i]->form == SAM_A_U8 ? 128u * sum : 0));
      }
      void *packed = gemm_pack(w, 1, n, taps, k, kernels[i]->tile);
      const int nr = kernels[i]->tile.nr, kr = kernels[i]->tile.kr;
      g.pairs_fit = sam_s8_gemm_pairs_fit(packed, (size_t)((n + nr - 1) / nr * nr * taps * ((k + kr - 1) / kr * kr)),
                                          kernels[i]->pair);
      const size_t run = (size_t)((k + kr - 1) / kr * kr) * (size_t)nr, runs = (size_t)((n + nr - 1) / nr * taps);
      uint8_t *quads = gemm_room(runs + 1);
      for (size_t r = 0; r < runs; r++)
        quads[r] = sam_s8_gemm_quads_fit(kernels[i], (const int8_t *)packed + r * run, run);
      g.quads = quads + skip;
      g.a = a;
      g.w = (const int8_t *)packed + run * (size_t)skip;
      g.bias = start;
      g.y = y[i];
      kernels[i]->row_sums(&g, sums[i]);
      for (int r = 0; r < m && zero; r++) row[r] = -sums[i][r];
      if (zero) g.row = row;
      if (zero && kernels[i]->takes_zero && kernels[i]->takes_zero(&g)) g.row = NULL, g.w_zero = zero;
      kernels[i]->run(&g);
      free(packed), free(start), free(quads);
    }
    int wrong = 0;
    const size_t bytes = (size_t)m * (size_t)(n + 5) * (out == SAM_GEMM_S8 ? 1 : 4);
    for (size_t i = 0; i < bytes / 4 && out == SAM_GEMM_F32; i++)
      wrong += !(fabsf(((float *)(void *)y[0])[i] - ((float *)(void *)y[1])[i]) <= 1e-4f);
    if (out != SAM_GEMM_F32)
      for (size_t i = 0; i < bytes; i++) wrong += y[0][i] != y[1][i];
    if (memcmp(sums[0], sums[1], sizeof(int32_t) * (size_t)m) != 0) wrong++;
    if (wrong) printf("s8_gemm %s: out %d m %d n %d taps %d k %d: %d wrong\n", level, out, m, n, taps, k, wrong);
    EXPECT(wrong == 0);
    free(y[0]), free(y[1]), free(bias), free(col), free(scale), free(fbias);
  }
}

/* Sums of long rows, at the extremes: what a kernel keeps in narrow lanes must not run over. */
static void test_row_sums(const char *level, sam_s8_gemm_t *kernel) {
  enum { ROWS = 7, LONG = 9000 };
  static const int sizes[] = {2015, 2024, 2031, 2032, 2033, 2047, 2048, 4064, 4079, 4096, 8999};
  static int8_t values[LONG];
  static char formed[2 * LONG + 256];
  const ptrdiff_t tap[2] = {0, 0};
  for (size_t s = 0; s < 2 * sizeof sizes / sizeof *sizes; s++) {
    const int k = sizes[s / 2];
    int32_t sums[ROWS], sum = 0;
    for (int i = 0; i < LONG; i++) values[i] = (int8_t)(s & 1 ? -128 : test_int(0, 99) ? 127 : 126);
    for (int i = 0; i < k; i++) sum += 2 * values[i];
    kernel->convert(LONG, (const uint8_t *)values, 0, formed);
    const void *a[ROWS];
    for (int r = 0; r < ROWS; r++) a[r] = formed;
    const sam_s8_gemm_args g = {.m = ROWS, .taps = 2, .k = k, .a = a, .tap = tap};
    kernel->row_sums(&g, sums);
    for (int r = 0; r < ROWS; r++) {
      if (sums[r] != sum) printf("row_sums %s: k %d row %d\n", level, k, r);
      EXPECT_EQ(sums[r], sum);
    }
  }
}

static const void *pack_here(sam_ctx *ctx, const sam_tensor *source, uint64_t variant, size_t bytes, sam_pack_fn fill,
                             const void *arg) {
  (void)ctx, (void)source, (void)variant;
  static int64_t answer;
  EXPECT_EQ(bytes, sizeof answer);
  fill(&answer, arg);
  return &answer;
}

/* Fitted weights of one product: mostly small, some large, some of nine bits. NULL where they do not pay. */
static void *fit_weights(sam_matmul *mm, const sam_tensor *like, const int8_t *w, int32_t zero, int n, int k) {
  static sam_tensor weights;
  static sam_quant quant;
  static int32_t zeros[1];
  zeros[0] = zero + 128;
  quant = (sam_quant){.count = 1, .zero_point = zeros};
  weights = (sam_tensor){.data = (void *)(uintptr_t)w, .type = SAM_UINT8, .rank = 2, .dims = {n, k}, .quant = &quant};
  weights.flags = SAM_TENSOR_KNOWN;
  *mm = (sam_matmul){.in = like, .out = like, .weights = &weights, .plain = true, .kind = SAM_MATMUL_S8};
  mm->w_flip = 0x80, mm->w_zero = zero != 0, mm->n = n, mm->k = k;
  const sam_services services = {.pack = pack_here};
  EXPECT_EQ(sam_matmul_choose(&(sam_ctx){.services = &services}, mm, k), SAM_OK);
  if (mm->s8 != sam_uk.s8_gemm->fitted) return NULL;
  mm->n_padded = (n + mm->tile.nr - 1) / mm->tile.nr * mm->tile.nr;
  int32_t *sums = gemm_room(4 * (size_t)(mm->n_padded + 1));
  int8_t *packed = gemm_room(mm->group_bytes);
  mm->panels(mm, packed, sums);
  for (int j = 0; j < n; j++) {
    int32_t sum = 0;
    for (int i = 0; i < k; i++) sum += (int8_t)(w[j * k + i] ^ 0x80) - zero;
    EXPECT_EQ(sums[j], sum);
  }
  mm->packed = packed;
  free(sums);
  return packed;
}

/* Products of fitted weights against the plain loop, with the left side all 0, all 255, or random. */
static void test_fitted(const char *level) {
  enum { M = 13, N = 40, K = 200 };
  static uint8_t a[M][K + 8];
  static int8_t w[N * K]; /* as unsigned bytes */
  static int32_t y[M * N];
  const sam_tensor like = {.type = SAM_UINT8};
  int taken = 0, fixes = 0;
  for (int round = 0; round < 120; round++) {
    const int m = test_int(1, M), n = test_int(1, N), k = 4 * test_int(2, K / 4);
    const int spread = 2 + round % 40, wild = round % 7;
    const int32_t zero = round % 3 == 0 ? 0 : test_int(-128, 127);
    for (int i = 0; i < n * k; i++) {
      int v = zero + test_int(-spread, spread);
      if (test_int(0, 400) < wild) v = test_int(-128, 127);
      if (wild == 6 && i % k > k - 12 && i / k % 8 == 3) v = zero < 0 ? 127 : -128; /* many large ones together */
      w[i] = (int8_t)((v < -128 ? -128 : v > 127 ? 127 : v) ^ 0x80);
    }
    for (int i = 0; i < M; i++)
      for (int c = 0; c < K; c++) a[i][c] = round % 4 == 0 ? 0 : round % 4 == 1 ? 255 : (uint8_t)test_int(0, 255);
    sam_matmul mm;
    void *packed = fit_weights(&mm, &like, w, zero, n, k);
    if (!packed) continue;
    taken++, fixes += mm.fixes;
    const void *rows[M];
    const ptrdiff_t tap = 0;
    for (int i = 0; i < m; i++) rows[i] = a[i];
    sam_s8_gemm_args g = {.m = m, .n = n, .taps = 1, .k = k, .a = rows, .tap = &tap, .w = packed};
    g.out = SAM_GEMM_S32, g.y = y, g.ldy = N;
    sam_fit_bind(&mm, 0, &g);
    mm.s8->run(&g);
    int wrong = 0;
    for (int i = 0; i < m; i++)
      for (int j = 0; j < n; j++) {
        int32_t sum = 0;
        for (int c = 0; c < k; c++) sum += a[i][c] * ((int8_t)(w[j * k + c] ^ 0x80) - zero);
        wrong += y[i * N + j] != sum;
      }
    if (wrong) printf("fitted %s: m %d n %d k %d zero %d: %d wrong\n", level, m, n, k, (int)zero, wrong);
    EXPECT(wrong == 0);
    free(packed);
  }
  if (sam_uk.s8_gemm->fitted) EXPECT(taken > 40 && fixes > 300);
}

/* The ends of int16 are those of requant.h, and so of the scalar one. */
static void test_s16_finish(const char *level) {
  enum { N = 77 };
  int64_t sums[N], bias[N], most = INT64_C(1) << (SAM_S16_BITS - 1);
  double factor[N], real[N];
  sam_multiplier multiplier[N];
  int16_t y[N + 1];
  for (int round = 0; round < 400; round++) {
    const bool away = round % 2;
    const int n = test_int(0, N), lo = test_int(-32768, 0), hi = test_int(0, 32767);
    for (int i = 0; i < n; i++) {
      const int shift = test_int(0, SAM_S16_BITS - 1);
      sums[i] = (int64_t)(test_random() % (2 * (uint64_t)most + 1)) - most;
      bias[i] = test_int(0, 3) ? (int64_t)(test_random() >> (64 - SAM_S16_BITS)) - most : test_int(0, 1) ? most : -most;
      sums[i] >>= shift, bias[i] >>= shift;
      real[i] = test_int(0, 9) ? ldexp((double)test_float(0.5f, 1), test_int(0, 16) - SAM_S16_BITS + shift)
                               : ldexp(1, test_int(-40, 20));
      multiplier[i] = sam_multiplier_of(real[i]);
      factor[i] = away ? real[i] : sam_factor_r16(multiplier[i]);
    }
    memset(y, 0x5a, sizeof y);
    sam_uk.s16_gemm->finish(&(sam_s16_finish_args){n, sums, bias, factor, away, lo, hi, y});
    int wrong = 0;
    for (int i = 0; i < n; i++) {
      const int64_t sum = sums[i] + bias[i];
      const int32_t x = away ? sam_scale64_away(sum, real[i]) : sam_scale64_r16(sum, multiplier[i]);
      wrong += y[i] != sam_clamp32(x, lo, hi);
    }
    if (wrong) printf("s16_gemm finish %s: n %d away %d: %d wrong\n", level, n, away, wrong);
    EXPECT(wrong == 0);
    EXPECT_EQ(y[n], 0x5a5a);
  }
}

static void test_s16(const char *level) {
  static int16_t values[SPACE];
  static int8_t w[MAX_N * MAX_TAPS * MAX_K];
  for (int round = 0; round < 60; round++) {
    const int m = PICK(sizes_m), n = PICK(sizes_n), k = PICK(sizes_k), taps = test_int(0, MAX_TAPS);
    for (int i = 0; i < SPACE; i++)
      values[i] = (int16_t)(round % 4 ? test_int(-32768, 32767) : test_int(0, 1) ? -32768 : 32767);
    for (int i = 0; i < n * taps * k; i++) w[i] = (int8_t)(round % 8 ? test_int(-128, 127) : -128);
    const void *a[MAX_M];
    ptrdiff_t tap[MAX_TAPS];
    place(m, taps, k, 2, (const char *)values, a, tap);
    sam_s16_gemm_args g = {
        .m = m, .n = n, .taps = taps, .k = k, .a = (const int16_t *const *)a, .tap = tap, .ldy = MAX_N + 64};
    sam_s16_gemm_t *kernels[2] = {&sam_s16_gemm__scalar, sam_uk.s16_gemm};
    int64_t *y[2];
    for (int i = 0; i < 2; i++) {
      y[i] = g.y = gemm_room(8 * (size_t)m * (size_t)g.ldy);
      void *packed = gemm_pack(w, 1, n, taps, k, kernels[i]->tile);
      g.w = packed;
      kernels[i]->run(&g);
      free(packed);
    }
    int wrong = 0;
    for (int i = 0; i < m; i++)
      for (int j = 0; j < n; j++) wrong += y[0][i * g.ldy + j] != y[1][i * g.ldy + j];
    if (wrong) printf("s16_gemm %s: m %d n %d taps %d k %d: %d wrong\n", level, m, n, taps, k, wrong);
    EXPECT(wrong == 0);
    free(y[0]), free(y[1]);
  }
}

static void test_selection(void) {
  sam_uk_row row;
  int rows = 0, forced = 0;
  while (sam_uk_list(rows, &row)) rows++;
  EXPECT(rows > 3);
  EXPECT(!sam_isa_force("none"));
  for (int i = 0; sam_isa_name(i, NULL); i++) forced += sam_isa_force(sam_isa_name(i, NULL));
  EXPECT(forced >= 1);
  EXPECT(sam_isa_force("scalar"));
  EXPECT(sam_uk.f32_gemm == &sam_f32_gemm__scalar);
  EXPECT(sam_isa_features() == 0);
  EXPECT(sam_isa_force(NULL));
}

static void test_arithmetic(void) {
  EXPECT_EQ(sam_requant_s8(5, 0.5f, 0, -128, 127), 2); /* 2.5 to even */
  EXPECT_EQ(sam_requant_s8(7, 0.5f, 0, -128, 127), 4);
  EXPECT_EQ(sam_requant_s8(-5, 0.5f, 1, -128, 127), -1);
  EXPECT_EQ(sam_requant_s8(INT32_MAX, 1000.0f, 3, -128, 127), 127);
  EXPECT_EQ(sam_requant_s8(INT32_MIN, 1000.0f, 3, -100, 127), -100);
  EXPECT_EQ(sam_requant_u8(1000, 0.1f, 128, 0, 255), 228);
  for (int i = 0; i < 20000; i++) {
    const int32_t acc = test_int(-40000, 40000);
    const float scale = test_float(0.0001f, 0.01f);
    const double x = nearbyint((double)((float)acc * scale)) + 3;
    EXPECT_EQ(sam_requant(acc, scale, 3, -128, 127), x < -128 ? -128 : x > 127 ? 127 : x);
  }
  for (uint32_t h = 0; h < 65536; h++) {
    const float x = sam_f16_to_f32((uint16_t)h);
    if (x == x) EXPECT_EQ(sam_f32_to_f16(x), h);
  }
  EXPECT_EQ(sam_f32_to_f16(65519.0f), 0x7bff);
  EXPECT_EQ(sam_f32_to_f16(65520.0f), 0x7c00);
  EXPECT_EQ(sam_f32_to_f16(0x1p-25f), 0);
  EXPECT_EQ(sam_f32_to_f16(0x1.8p-25f), 1);
}

int main(void) {
  test_selection();
  test_arithmetic();
  for (int i = 0; sam_isa_name(i, NULL); i++) {
    const char *level = sam_isa_name(i, NULL);
    if (!sam_isa_force(level)) continue;
    printf("%s\n", level);
    test_f32(level);
    test_f16(level);
    test_s8(level, sam_uk.s8_gemm);
    test_row_sums(level, sam_uk.s8_gemm);
    if (sam_uk.s8_gemm->thin) test_s8(level, sam_uk.s8_gemm->thin);
    test_fitted(level);
    test_s16(level);
    test_s16_finish(level);
  }
  return test_result();
}
