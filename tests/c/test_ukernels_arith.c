/* Every instance of the elementwise kernels that this machine can run: the portable ones against arithmetic in double,
 * the others against the portable ones. Integers must agree in every bit, floats within a few units in the last place.
 * Lengths walk over every tail, the bytes behind the last must stay. */
#include <stdbool.h>
#include <stddef.h>

#include "test.h"
#include "ukernels/ukernels.h"

enum { MOST = 1100, GUARD = 0x5a };
static const int64_t lengths[] = {1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 63, 64, 65, 127, 130, 200, 513, 1000};
enum { LENGTHS = sizeof lengths / sizeof *lengths };

static float fa[MOST], fb[MOST];
static uint8_t ba[MOST], bb[MOST], table[256];
static int16_t wa[MOST];

static void fill(void) {
  for (int i = 0; i < MOST; i++) {
    fa[i] = test_float(-9, 9);
    fb[i] = test_float(-9, 9);
    ba[i] = (uint8_t)test_int(0, 255);
    bb[i] = (uint8_t)test_int(0, 255);
    wa[i] = (int16_t)test_int(-32768, 32767);
  }
  for (int i = 0; i < 256; i++) table[i] = (uint8_t)test_int(0, 255);
  fa[3] = 0, fa[5] = -0.0f, fa[11] = 1e-30f, fa[20] = 80, fa[21] = -80;
}

typedef struct level {
  const char *name;
  sam_uk_table table;
} level;

static bool near(double got, double want, double tolerance) {
  return got == want || (isnan(got) && isnan(want)) || fabs(got - want) <= tolerance * fabs(want) + 1e-10;
}

/* Two outputs of n elements: bytes equal, or floats near. */
static void compare(const char *kind, const char *isa, int64_t n, const void *want, const void *got, size_t size,
                    bool floats, double tolerance) {
  for (int64_t i = 0; i < n; i++) {
    bool same = floats
                    ? near(((const float *)got)[i], ((const float *)want)[i], tolerance)
                    : memcmp((const char *)got + i * (int64_t)size, (const char *)want + i * (int64_t)size, size) == 0;
    EXPECT(same);
    if (!same) {
      printf("  %s %s n %d: element %d\n", kind, isa, (int)n, (int)i);
      return;
    }
  }
  EXPECT(((const uint8_t *)got)[n * (int64_t)size] == GUARD);
}

#define BINARY(kind, a, b, size, floats)                                   \
  for (int l = 0; l < LENGTHS; l++)                                        \
    for (int steps = 1; steps <= 3; steps++) {                             \
      memset(want, GUARD, sizeof want);                                    \
      memset(got, GUARD, sizeof got);                                      \
      sam_##kind##__scalar(lengths[l], a, b, want, steps, &p);             \
      uk->table.kind(lengths[l], a, b, got, steps, &p);                    \
      compare(#kind, uk->name, lengths[l], want, got, size, floats, 3e-7); \
    }
#define UNARY(kind, x, size, floats)                                     \
  for (int l = 0; l < LENGTHS; l++) {                                    \
    memset(want, GUARD, sizeof want);                                    \
    memset(got, GUARD, sizeof got);                                      \
    sam_##kind##__scalar(lengths[l], x, want, &u);                       \
    uk->table.kind(lengths[l], x, got, &u);                              \
    compare(#kind, uk->name, lengths[l], want, got, size, floats, 2e-6); \
  }

/* Rows that have a value each are what each row is alone. */
static void by_rows(const level *uk) {
  sam_binary_kernel *const kernels[] = {uk->table.f32_add, uk->table.f32_sub, uk->table.f32_mul,   uk->table.f32_div,
                                        uk->table.f32_max, uk->table.f32_min, uk->table.f32_sqdiff};
  const sam_binary_params p = {.lo = -20, .hi = 30};
  for (int k = 0; k < 7; k++)
    for (int row = 8; row < 70; row += 5)
      for (int n = row - 3; n < MOST; n += 211) {
        float want[MOST], got[MOST + 1];
        memset(got, GUARD, sizeof got);
        for (int i = 0; i < n; i += row) kernels[k](n - i < row ? n - i : row, fa + i, fb + i / row, want + i, 1, &p);
        kernels[k](n, fa, fb, got, SAM_STEP_A + SAM_STEP_ROW * row, &p);
        compare("rows of a", uk->name, n, want, got, 4, false, 0);
        for (int i = 0; i < n; i += row) kernels[k](n - i < row ? n - i : row, fb + i / row, fa + i, want + i, 2, &p);
        kernels[k](n, fb, fa, got, SAM_STEP_B + SAM_STEP_ROW * row, &p);
        compare("rows of b", uk->name, n, want, got, 4, false, 0);
      }
}

static void two_arrays(const level *uk) {
  static uint8_t want[MOST * 4 + 4], got[MOST * 4 + 4];
  sam_binary_params p = {.lo = -20, .hi = 30, .ilo = -128, .ihi = 127, .fa = 0.003f, .za = 3, .zb = -4, .zy = 5};
  p.ia = 1100003, p.ib = -1500007, p.bias = 1 << 20, p.shift = 21;
  BINARY(f32_add, fa, fb, 4, true)
  BINARY(f32_sub, fa, fb, 4, true)
  BINARY(f32_mul, fa, fb, 4, true)
  BINARY(f32_div, fa, fb, 4, true)
  BINARY(f32_sqdiff, fa, fb, 4, true)
  BINARY(f32_max, fa, fb, 4, true)
  BINARY(f32_min, fa, fb, 4, true)
  BINARY(s8_add, ba, bb, 1, false)
  BINARY(s8_mul, ba, bb, 1, false)
  p.fb = 0.7f;
  BINARY(s8_sqdiff, ba, bb, 1, false)
  p.fa = 1048576, p.fb = 0;
  BINARY(s8_sqdiff, ba, bb, 1, false)
  p.fa = 0.003f;
  BINARY(s8_max, ba, bb, 1, false)
  BINARY(s8_min, ba, bb, 1, false)
  p.ilo = 7, p.ihi = 200;
  BINARY(u8_add, ba, bb, 1, false)
  BINARY(u8_mul, ba, bb, 1, false)
  BINARY(u8_max, ba, bb, 1, false)
  BINARY(u8_min, ba, bb, 1, false)
  for (int k = 0; k < 4; k++) {
    p.ma = (sam_multiplier){test_int(1 << 30, INT32_MAX), 8 - 4 * k};
    p.mb = (sam_multiplier){test_int(1 << 30, INT32_MAX), 1 - 5 * k};
    BINARY(u8_prelu, ba, bb, 1, false)
    p.ilo = -128, p.ihi = 127;
    BINARY(s8_prelu, ba, bb, 1, false)
    p.ilo = 0, p.ihi = 255;
  }
  p.ilo = -30000, p.ihi = 32767;
  for (int k = 0; k < 3; k++) {
    p.ma = (sam_multiplier){test_int(1 << 30, INT32_MAX), -k};
    p.mb = (sam_multiplier){test_int(1 << 30, INT32_MAX), -2 * k};
    p.my = (sam_multiplier){test_int(1 << 30, INT32_MAX), -15 + k};
    BINARY(s16_add, wa, wa + 7, 2, false)
    BINARY(s16_sub, wa, wa + 7, 2, false)
    BINARY(s16_mul, wa, wa + 7, 2, false)
  }
  for (int k = 0; k < 4; k++) {
    p.digits = (sam_digits){.shift = k * 3,
                            .flip_a = k & 1 ? 128 : 0,
                            .flip_b = k & 2 ? 127 : 0,
                            .flip_y = k & 1 ? 128 : 0,
                            .lo = k > 1 ? -100 : -128,
                            .hi = k > 1 ? 90 : 127};
    for (int d = 0; d < 3; d++) {
      p.digits.a[d] = (uint8_t)test_int(0, d < 2 ? 127 : 126);
      p.digits.b[d] = (uint8_t)test_int(0, d < 2 ? 127 : 126);
      p.digits.bias[d] = (int16_t)(d < 2 ? test_int(0, 127) : test_int(-32768, 32767));
    }
    BINARY(digit_add, ba, bb, 1, false)
  }
}

static void periodic(const level *uk) {
  static const int64_t periods[] = {1, 3, 16, 31, 72, 240, 513, 1000, 1024};
  static uint8_t want[MOST], got[MOST];
  for (int s = 0; s < 2; s++)
    for (int k = 0; k < 9; k++)
      for (int l = 0; l < LENGTHS; l++) {
        const sam_binary_params p = {
            .ilo = s ? -120 : 7, .ihi = s ? 127 : 250, .fa = 0.01f, .za = 3, .zb = -4, .zy = 5};
        const int64_t at = periods[k] / 3 * (l % 3);
        memset(want, GUARD, sizeof want);
        memset(got, GUARD, sizeof got);
        sam_mul_periodic__scalar(lengths[l], at, periods[k], ba, bb, want, s == 1, &p);
        uk->table.mul_periodic(lengths[l], at, periods[k], ba, bb, got, s == 1, &p);
        compare("mul_periodic", uk->name, lengths[l], want, got, 1, false, 0);
      }
}

static void one_array(const level *uk) {
  static uint8_t want[MOST * 4 + 4], got[MOST * 4 + 4];
  sam_unary_params u = {.a = 0.3f, .b = 6, .lo = -128, .hi = 127, .zx = 3, .zy = -7, .table = table};
  UNARY(u8_lookup, ba, 1, false)
  UNARY(f32_clamp, fa, 4, true)
  UNARY(f32_leaky_relu, fa, 4, true)
  UNARY(f32_abs, fa, 4, true)
  UNARY(f32_neg, fa, 4, true)
  UNARY(f32_square, fa, 4, true)
  UNARY(f32_sqrt, fa, 4, true)
  UNARY(f32_rsqrt, fa, 4, true)
  UNARY(f32_exp, fa, 4, true)
  UNARY(f32_logistic, fa, 4, true)
  UNARY(f32_swish, fa, 4, true)
  UNARY(f32_tanh, fa, 4, true)
  UNARY(f32_elu, fa, 4, true)
  UNARY(f32_log, fa, 4, true)
  UNARY(f32_sin, fa, 4, true)
  UNARY(f32_cos, fa, 4, true)
  UNARY(f32_hard_swish, fa, 4, true)
  UNARY(f32_gelu_tanh, fa, 4, true)
  UNARY(s8_to_f32, ba, 4, true)
  UNARY(u8_to_f32, ba, 4, true)
  UNARY(s16_to_f32, wa, 4, true)
  const sam_unary_params before = u;
  for (int round = 0; round < 24; round++) {
    const double above = ldexp((double)test_float(0.5f, 1), test_int(-20, SAM_RESCALE_MOST));
    u.m = sam_multiplier_of(above);
    u.n = round % 2 ? u.m : sam_multiplier_of(above * (double)test_float(0, 1));
    if (round % 4 == 0) u.n.q = -u.n.q;
    u.zx = round % 3 ? 0 : test_int(-128, 255), u.zy = round % 3 ? 0 : test_int(-128, 255);
    u.lo = round % 5 ? -32768 : -128, u.hi = round % 5 ? 32767 : 127;
    UNARY(s16_rescale, wa, 2, false)
    int16_t got_of[MOST];
    uk->table.s16_rescale(MOST, wa, got_of, &u);
    for (int i = 0; i < MOST; i++) {
      const int32_t x = wa[i] - u.zx;
      const int64_t y = (int64_t)sam_scale32(x, x < 0 ? u.n : u.m) + u.zy;
      EXPECT_EQ(got_of[i], y < u.lo ? u.lo : y > u.hi ? u.hi : y);
    }
  }
  u = before;
  static int32_t parts[MOST];
  for (int i = 0; i < MOST; i++) parts[i] = i % 7 ? test_int(0, 1 << 23) : i << 20;
  for (u.a = 1e-6f; !(u.a > 1e30f); u.a *= 17) { /* until most are at the upper bound */
    UNARY(s32_to_s8, parts, 1, false)
  }
  u.a = 0.5f;
  UNARY(s32_to_s8, parts, 1, false)
  u.a = 30;
  UNARY(f32_to_s8, fa, 1, false)
  u.lo = 0, u.hi = 255;
  UNARY(s32_to_u8, parts, 1, false)
  UNARY(f32_to_u8, fa, 1, false)
  u.lo = -32768, u.hi = 32767;
  UNARY(f32_to_s16, fa, 2, false)
}

/* Worst error of a curve against double precision, in units of 2^-23 of the value; `floor` is an absolute part. */
static double worst(sam_unary_kernel *kernel, double (*f)(double), float low, float high, double floor_error) {
  static float x[4096], y[4096];
  const sam_unary_params u = {.a = 0};
  double most = 0;
  for (int i = 0; i < 4096; i++) x[i] = low + (high - low) * (float)i / 4095;
  kernel(4096, x, y, &u);
  for (int i = 0; i < 4096; i++) {
    const double want = f((double)x[i]), error = fabs(y[i] - want) / (fabs(want) * 0x1p-23 + floor_error);
    most = error > most ? error : most;
  }
  return most;
}
static double logistic_of(double x) { return 1 / (1 + exp(-x)); }
static double gelu_of(double x) { return 0.5 * x * erfc(-x / sqrt(2)); }
static double gelu_tanh_of(double x) { return x / (1 + exp(-2 * 0.79788456080286536 * (x + 0.044715 * x * x * x))); }
static double elu_of(double x) { return x < 0 ? expm1(x) : x; }

static double hard_swish_of(double x) { return x * fmin(fmax(x + 3, 0), 6) / 6; }
static double swish_of(double x) { return x * logistic_of(x); }

/* Tables of smooth functions are curves, those of noise and of steps are not; either way the answers are theirs. */
static void curves(const level *uk) {
  static double (*const functions[])(double) = {hard_swish_of, swish_of, logistic_of, gelu_of, tanh, elu_of};
  static uint8_t x[MOST], want[MOST * 4 + 4], got[MOST * 4 + 4], smooth[256];
  for (int i = 0; i < MOST; i++) x[i] = (uint8_t)i;
  int fitted = 0, all = 0;
  for (int f = 0; f < 6; f++)
    for (int scale = 20; scale < 60; scale += 3)
      for (int zero = -128; zero < 100; zero += 85, all++) {
        double least = 1e9, most = -1e9;
        for (int q = -128; q < 128; q++) {
          const double y = functions[f]((q - zero) / (double)scale);
          least = fmin(least, y), most = fmax(most, y);
        }
        for (int q = -128; q < 128; q++) {
          const double y = functions[f]((q - zero) / (double)scale);
          smooth[q & 255] = (uint8_t)(lrint((y - least) / (most - least) * 255) - 128 * (f % 2)); /* signed, unsigned */
        }
        sam_curve curve;
        const sam_unary_params u = {.table = smooth, .curve = sam_curve_fit(&curve, smooth) ? &curve : NULL};
        fitted += u.curve != NULL;
        UNARY(u8_lookup, x, 1, false)
      }
  EXPECT(fitted > all * 3 / 4);
  sam_curve curve;
  EXPECT(!sam_curve_fit(&curve, table));
  for (int i = 0; i < 256; i++) smooth[i] = i % 16 < 7 ? 10 : 14;
  EXPECT(!sam_curve_fit(&curve, smooth));
}

/* Most tables of two slopes are lines; all answers are those of the table. */
static void lines(const level *uk) {
  static uint8_t x[MOST], want[MOST * 4 + 4], got[MOST * 4 + 4], bent[256];
  for (int i = 0; i < MOST; i++) x[i] = (uint8_t)i;
  int fitted = 0, all = 0;
  for (int round = 0; round < 200; round++, all++) {
    const bool is_signed = round % 2;
    const double above = (double)test_float(0.3f, 3), below = round % 5 ? above * (double)test_float(0, 1) : 0;
    const int zero = test_int(-128, 127), to = test_int(-128, 127);
    for (int q = -128; q < 128; q++) {
      const double y = floor(fabs((q - zero) * (q < zero ? below : above)) + 0.5) * (q < zero ? -1 : 1) + to;
      bent[(q & 255) ^ (is_signed ? 0 : 128)] = (uint8_t)((int)fmin(fmax(y, -128), 127) ^ (is_signed ? 0 : 128));
    }
    sam_lines fit;
    const bool fits = sam_lines_fit(&fit, bent, is_signed, zero, above, below);
    const sam_unary_params u = {.table = bent, .lines = fits ? &fit : NULL};
    fitted += fits;
    UNARY(u8_lookup, x, 1, false)
  }
  EXPECT(fitted > all * 9 / 10);
  sam_lines fit;
  EXPECT(!sam_lines_fit(&fit, table, true, 0, 1, 0.1));
}

#if defined(__arm__)
enum { SUBNORMAL = 0 }; /* 32-bit NEON takes them for zeros (simd_neon.h) */
#else
enum { SUBNORMAL = 1 };
#endif

/* What a curve answers at its ends, whatever its neighbours are. */
static void ends(const level *uk) {
  static const float x[] = {0, -0.0f, INFINITY, -INFINITY, NAN, 1, 0.25f, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  const struct {
    sam_unary_kernel *kernel;
    float want[5];
    bool odd;
  } cases[] = {{uk->table.f32_exp, {1, 1, INFINITY, 0, NAN}, false},
               {uk->table.f32_tanh, {0, -0.0f, 1, -1, NAN}, true},
               {uk->table.f32_log, {-INFINITY, -INFINITY, INFINITY, NAN, NAN}, false},
               {uk->table.f32_rsqrt, {INFINITY, -INFINITY, 0, NAN, NAN}, false},
               {uk->table.f32_sin, {0, -0.0f, NAN, NAN, NAN}, true},
               {uk->table.f32_cos, {1, 1, NAN, NAN, NAN}, false},
               {uk->table.f32_elu, {0, -0.0f, INFINITY, -1, NAN}, true},
               {uk->table.f32_gelu, {0, 0, INFINITY, -1e-18f, NAN}, false},
               {uk->table.f32_logistic, {0.5f, 0.5f, 1, 1e-38f, NAN}, false}};
  const sam_unary_params u = {.a = 0};
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    float y[16], alone[1];
    cases[c].kernel(16, x, y, &u);
    for (int i = 0; i < 16; i++) {
      cases[c].kernel(1, x + i, alone, &u);
      EXPECT(memcmp(alone, y + i, sizeof *y) == 0 || (isnan(y[i]) && isnan(alone[0])));
      if (i >= 5) continue;
      EXPECT(near(y[i], cases[c].want[i], 0));
      if (cases[c].odd) EXPECT(!signbit(y[i]) == !signbit(cases[c].want[i]) || isnan(y[i])); /* -0 stays */
    }
  }
}

static void accuracy(const level *uk) {
  EXPECT_NEAR(worst(uk->table.f32_exp, exp, -87, 88, 0), 0, 4);
  EXPECT_NEAR(worst(uk->table.f32_exp, exp, -0.01f, 0.01f, 0), 0, 2);
  EXPECT_NEAR(worst(uk->table.f32_logistic, logistic_of, -80, 80, 0), 0, 5);
  EXPECT_NEAR(worst(uk->table.f32_tanh, tanh, -12, 12, 0), 0, 5);
  EXPECT_NEAR(worst(uk->table.f32_tanh, tanh, -1e-3f, 1e-3f, 0), 0, 4);
  EXPECT_NEAR(worst(uk->table.f32_log, log, SUBNORMAL ? 1e-38f : 1.2e-38f, 1e-3f, 0), 0, 3);
  EXPECT_NEAR(worst(uk->table.f32_log, log, 0.5f, 3, 0), 0, 3);
  EXPECT_NEAR(worst(uk->table.f32_sin, sin, -1e5f, 1e5f, 0), 0, 3);
  EXPECT_NEAR(worst(uk->table.f32_cos, cos, -10, 10, 0), 0, 3);
  EXPECT_NEAR(worst(uk->table.f32_elu, elu_of, -20, 1, 0), 0, 4);
  EXPECT_NEAR(worst(uk->table.f32_gelu, gelu_of, -4, 12, 1e-9), 0, 24);
  EXPECT_NEAR(worst(uk->table.f32_gelu_tanh, gelu_tanh_of, -4, 12, 1e-9), 0, 24);
}

static void sums(const level *uk) {
  static float y[MOST];
  for (int l = 0; l < LENGTHS; l++) {
    const int64_t n = lengths[l];
    int32_t low_sum = 0, high_sum = 0;
    for (int64_t i = 0; i < n; i++) {
      low_sum += (int8_t)ba[i], high_sum += ba[i];
    }
    float lo = 0, hi = 0, low, high;
    for (int64_t i = 0; i < n; i++) lo = fminf(lo, fb[i]), hi = fmaxf(hi, fb[i]);
    uk->table.f32_range(n, fb, &low, &high);
    EXPECT(low == lo && high == hi);
    EXPECT_EQ(uk->table.s8_sum(n, (const int8_t *)ba), low_sum);
    EXPECT_EQ(uk->table.u8_sum(n, ba), high_sum);

    static float rows[11 * 100], alone[100];
    if (n <= 100) { /* as many rows as there is room for are what each is alone */
      uk->table.f32_softmax(MOST / n < 11 ? MOST / n : 11, n, fb, rows, 0.7f);
      for (int64_t r = 0; r < MOST / n && r < 11; r++) {
        uk->table.f32_softmax(1, n, fb + r * n, alone, 0.7f);
        EXPECT(memcmp(alone, rows + r * n, (size_t)n * sizeof *alone) == 0);
      }
    }
    uk->table.f32_softmax(1, n, fb, y, 0.7f);
    double top = -1e9, sum = 0;
    for (int64_t i = 0; i < n; i++) top = fb[i] > top ? fb[i] : top;
    for (int64_t i = 0; i < n; i++) sum += exp((fb[i] - top) * 0.7f);
    for (int64_t i = 0; i < n; i++) EXPECT_NEAR(y[i], exp((fb[i] - top) * 0.7f) / sum, 2e-6);
    uk->table.f32_log_softmax(n, fb, y);
    sum = 0;
    for (int64_t i = 0; i < n; i++) sum += exp(fb[i] - top);
    for (int64_t i = 0; i < n; i++) EXPECT_NEAR(y[i], fb[i] - top - log(sum), 1e-5);
  }
}

/* The portable kernels say what the words mean; here is what they should mean. */
static void meaning(void) {
  const sam_unary_params u = {.a = 2, .lo = -128, .hi = 127, .zy = 3, .table = table};
  const float x[8] = {NAN, INFINITY, -INFINITY, 0.25f, 0.75f, 1e30f, -61.5f, 2};
  int8_t q[8];
  sam_f32_to_s8__scalar(8, x, q, &u);
  const int8_t expected[8] = {-128, 127, -128, 3, 5, 127, -120, 7};
  EXPECT(memcmp(q, expected, 8) == 0);
  uint8_t y[MOST];
  sam_u8_lookup__scalar(MOST, ba, y, &u);
  for (int i = 0; i < MOST; i++) EXPECT(y[i] == table[ba[i]]);
  float f[8];
  sam_f32_exp__scalar(8, (const float[8]){0, -200, 200, -INFINITY, INFINITY, NAN, 1, -1}, f, &u);
  EXPECT(f[0] == 1 && f[1] == 0 && f[2] == INFINITY && f[3] == 0 && f[4] == INFINITY && isnan(f[5]));
  EXPECT_NEAR(f[6], 2.718281828, 5e-7);
  EXPECT_NEAR(f[7], 0.3678794412, 1e-7);
}

int main(void) {
  static const char *const names[] = {"scalar", "avx2", "avx512", "avx512vnni", "neon"};
  fill();
  meaning();
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    level uk = {names[i], {0}};
    if (!sam_isa_force(names[i])) continue;
    uk.table = sam_uk;
    two_arrays(&uk);
    by_rows(&uk);
    periodic(&uk);
    one_array(&uk);
    ends(&uk);
    accuracy(&uk);
    curves(&uk);
    lines(&uk);
    sums(&uk);
  }
  return test_result();
}
