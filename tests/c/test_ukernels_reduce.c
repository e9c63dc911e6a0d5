/* Every instance of the reductions that this machine can run, against double precision: rows and runs of all tails,
 * with gaps between them, more values than 16 bits can count, NaN in any place. What lies behind the results must stay.
 */
#include <stdbool.h>
#include <stddef.h>

#include "test.h"
#include "ukernels/ukernels.h"

enum { ROWS = 300, COLUMNS = 300, VALUES = 40000, GUARD = 0x5a };
static float f[VALUES];
static uint8_t u[VALUES];
static int16_t w[VALUES];
static int32_t d[VALUES];

static void fill(void) {
  for (int i = 0; i < VALUES; i++) {
    f[i] = test_float(-9, 9);
    u[i] = (uint8_t)(i < VALUES / 2 ? test_int(0, 255) : 255);
    w[i] = (int16_t)(i < VALUES / 2 ? test_int(-32768, 32767) : -32768);
    d[i] = i < VALUES / 2 ? test_int(INT32_MIN, INT32_MAX) : INT32_MAX;
  }
}

/* What a kernel may be asked for: `value` gives an element as the kernel takes it, `result` one of its outputs. */
typedef struct fold {
  const char *name;
  sam_fold_kernel *kernel;
  const void *x;
  double (*value)(int64_t i, int32_t flip);
  double (*result)(const void *y, int64_t i);
  int32_t flip;
  size_t size; /* of a result */
  bool runs, top, squares;
} fold;

static double float_of(int64_t i, int32_t flip) { return (double)(flip ? -f[i] : f[i]); }
static double byte_of(int64_t i, int32_t flip) { return u[i] ^ flip; }
static double short_of(int64_t i, int32_t flip) { return w[i] ^ flip; }
static double int_of(int64_t i, int32_t flip) { return d[i] ^ flip; }
static double float_result(const void *y, int64_t i) { return (double)((const float *)y)[i]; }
static double byte_result(const void *y, int64_t i) { return ((const uint8_t *)y)[i]; }
static double short_result(const void *y, int64_t i) { return ((const int16_t *)y)[i]; }
static double int_result(const void *y, int64_t i) { return ((const int32_t *)y)[i]; }
static double long_result(const void *y, int64_t i) { return (double)((const int64_t *)y)[i]; }

/* A result as the kernel saw it. */
static double flipped(const fold *k, double y) {
  if (!k->top || k->flip == 0) return y;
  return k->value == float_of ? -y : k->value == byte_of ? ((int32_t)y ^ k->flip) : (double)((int32_t)y ^ k->flip);
}

static void check(const fold *k, const char *isa, int64_t rows, int64_t n, int64_t stride, int64_t from) {
  static union {
    uint8_t bytes[8 * (VALUES + 1)];
    int64_t aligned;
  } y;
  const int64_t outputs = k->runs ? rows : n, count = k->runs ? n : rows;
  const size_t size = k->x == (const void *)f || k->x == (const void *)d ? 4 : k->x == (const void *)w ? 2 : 1;
  memset(y.bytes, GUARD, ((size_t)outputs + 1) * k->size);
  k->kernel(rows, n, (const char *)k->x + (size_t)from * size, stride, y.bytes, k->flip);
  EXPECT(y.bytes[(size_t)outputs * k->size] == GUARD);
  for (int64_t o = 0; o < outputs; o++) {
    double want = k->top ? -1e300 : 0, parts = 0;
    bool nan = false;
    for (int64_t c = 0; c < count; c++) {
      const double v = k->value(from + (k->runs ? o * stride + c : c * stride + o), k->flip);
      nan |= isnan(v);
      want = !k->top ? want + (k->squares ? v * v : v) : v > want ? v : want;
      parts += fabs(v) * (k->squares ? fabs(v) : 1);
    }
    const double got = flipped(k, k->result(y.bytes, o));
    const bool same = nan ? isnan(got) : fabs(got - want) <= (k->value == float_of && !k->top ? 1e-5 * parts : 0);
    EXPECT(same);
    if (!same) {
      printf("  %s %s, %d x %d: output %d is %g, should be %g\n", k->name, isa, (int)rows, (int)n, (int)o, got, want);
      return;
    }
  }
}

static void folds(const char *isa) {
  static const int64_t lengths[] = {1, 2, 3, 7, 8, 9, 15, 16, 17, 27, 31, 33, 63, 64, 65, 100, 127, 129, 200, 260, 299};
#define SUM(t, x, value, result, size, flip)                                                  \
  {#t "_sum_rows", sam_uk.t##_sum_rows, x, value, result, flip, size, false, false, false}, { \
    #t "_sum_runs", sam_uk.t##_sum_runs, x, value, result, flip, size, true, false, false     \
  }
#define TOP(t, x, value, result, size, flip)                                                 \
  {#t "_top_rows", sam_uk.t##_top_rows, x, value, result, flip, size, false, true, false}, { \
    #t "_top_runs", sam_uk.t##_top_runs, x, value, result, flip, size, true, true, false     \
  }
  const fold kernels[] = {
      SUM(f32, f, float_of, float_result, 4, 0),
      SUM(u8, u, byte_of, int_result, 4, 0),
      SUM(u8, u, byte_of, int_result, 4, 0x80),
      SUM(s16, w, short_of, int_result, 4, 0),
      SUM(s32, d, int_of, long_result, 8, 0),
      {"f32_squares_runs", sam_uk.f32_squares_runs, f, float_of, float_result, 0, 4, true, false, true},
      TOP(f32, f, float_of, float_result, 4, 0),
      TOP(f32, f, float_of, float_result, 4, INT32_MIN),
      TOP(u8, u, byte_of, byte_result, 1, 0),
      TOP(u8, u, byte_of, byte_result, 1, 0x80),
      TOP(u8, u, byte_of, byte_result, 1, 0x7f),
      TOP(u8, u, byte_of, byte_result, 1, 0xff),
      TOP(s16, w, short_of, short_result, 2, 0),
      TOP(s16, w, short_of, short_result, 2, -1),
      TOP(s32, d, int_of, int_result, 4, 0),
      TOP(s32, d, int_of, int_result, 4, -1),
  };
  for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) {
    const fold *k = &kernels[i];
    for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
      const int64_t n = lengths[l];
      for (int64_t rows = 1; rows <= 64; rows = rows * 3 + 1) {
        check(k, isa, rows, n, n, 0);
        check(k, isa, rows, n, n + 5, 3);
        check(k, isa, rows, n, n, VALUES - rows * n); /* nothing behind it */
      }
    }
    if (!k->runs || k->value != float_of) check(k, isa, k->runs ? 1 : VALUES / 70, k->runs ? 32768 : 70, 70, 0);
    if (!k->runs && k->value != float_of) check(k, isa, 32768, 1, 1, VALUES - 32768);
  }
}

/* NaN in each place of a run, of a row. */
static void not_numbers(const char *isa) {
  enum { N = 77 };
  for (int64_t at = 0; at < N; at++) {
    const float was = f[at];
    f[at] = at % 2 ? NAN : -NAN;
    for (int less = 0; less < 2; less++) {
      const fold runs = {"NaN", sam_uk.f32_top_runs, f, float_of, float_result, less ? INT32_MIN : 0, 4, true, true,
                         false};
      const fold rows = {"NaN", sam_uk.f32_top_rows, f, float_of, float_result, less ? INT32_MIN : 0, 4, false, true,
                         false};
      check(&runs, isa, 3, N, N, 0);
      check(&runs, isa, 5, 3, 9, 0);
      check(&rows, isa, 3, N, N, 0);
      check(&rows, isa, N, 1, 1, 0);
    }
    f[at] = was;
  }
}

static void products(void) {
  enum { MOST = 70 };
  double y[MOST + 1];
  for (int runs = 0; runs < 2; runs++)
    for (int64_t rows = 0; rows < MOST; rows += 1 + rows / 9)
      for (int64_t n = 1; n < MOST; n++) {
        const int64_t outputs = runs ? rows : n, stride = n + rows % 3;
        memset(y, GUARD, sizeof y);
        (runs ? sam_uk.f32_prod_runs : sam_uk.f32_prod_rows)(rows, n, f + n, stride, y, 0);
        for (int64_t o = 0; o < outputs; o++) {
          double want = 1;
          for (int64_t c = 0; c < (runs ? n : rows); c++)
            want *= (double)f[n + (runs ? o * stride + c : c * stride + o)];
          EXPECT_NEAR(y[o], want, 1e-13 * fabs(want));
        }
        EXPECT_EQ(*(const uint8_t *)(y + outputs), GUARD);
      }
}

static void finds(void) {
  float x[70];
  for (int i = 0; i < 70; i++) x[i] = (float)(i / 2);
  for (int i = 0; i < 70; i++) EXPECT_EQ(sam_uk.f32_find(70, x, (float)(i / 2)), i / 2 * 2);
  EXPECT_EQ(sam_uk.f32_find(70, x, -0.0f), 0);
  EXPECT_EQ(sam_uk.f32_find(69, x, 35), 69);
  EXPECT_EQ(sam_uk.f32_find(0, x, 0), 0);
}

int main(void) {
  static const char *const names[] = {"scalar", "avx2", "avx512", "neon"};
  fill();
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (!sam_isa_force(names[i])) continue;
    folds(names[i]);
    not_numbers(names[i]);
    products();
    finds();
  }
  return test_result();
}
