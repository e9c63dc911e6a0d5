/* Every instance of the products of a row and a matrix that this machine can run, against double precision: all tails
 * of either side, gaps between rows, the greatest products. What lies behind the results must stay. */
#include "test.h"
#include "ukernels/ukernels.h"

enum { VALUES = 80000, MOST = 600 };
static float fx[SAM_MATVEC_DEPTH], fy[VALUES];
static int16_t bx[SAM_MATVEC_DEPTH], wx[SAM_MATVEC_DEPTH], wy[VALUES];
static int8_t sy[VALUES];
static uint8_t uy[VALUES];

static void fill(void) {
  for (int i = 0; i < SAM_MATVEC_DEPTH; i++) {
    fx[i] = test_float(-1, 1);
    bx[i] = (int16_t)test_int(-255, 255);
    wx[i] = (int16_t)(i < MOST ? test_int(-32768, 32767) : -32768);
  }
  for (int i = 0; i < VALUES; i++) {
    fy[i] = test_float(-1, 1);
    sy[i] = (int8_t)test_int(-128, 127);
    uy[i] = (uint8_t)test_int(0, 255);
    wy[i] = (int16_t)(i < VALUES / 2 ? test_int(-32768, 32767) : -32768);
  }
}

static double x_at(int kind, int64_t i) { return kind == 0 ? (double)fx[i] : kind == 3 ? wx[i] : bx[i]; }
static double y_at(int kind, int64_t i) {
  return kind == 0 ? (double)fy[i] : kind == 1 ? sy[i] : kind == 2 ? uy[i] : wy[i];
}

/* Arrays from x0 of x and y0 of y on. */
static void check(const char *isa, int kind, bool runs, int64_t n, int64_t k, int64_t stride, int64_t x0, int64_t y0) {
  static const char *const names[] = {"f32", "s8", "u8", "s16"};
  const sam_matvec_t *uk = sam_uk.matvec;
  sam_matvec_kernel *const kernels[2][4] = {{uk->f32_rows, uk->s8_rows, uk->u8_rows, uk->s16_rows},
                                            {uk->f32_runs, uk->s8_runs, uk->u8_runs, uk->s16_runs}};
  const void *x[] = {fx + x0, bx + x0, bx + x0, wx + x0}, *y[] = {fy + y0, sy + y0, uy + y0, wy + y0};
  static int64_t sums[MOST + 1];
  memset(sums, 0x5a, sizeof sums);
  kernels[runs][kind](n, k, x[kind], y[kind], stride, sums);
  for (int64_t c = 0; c < n; c++) {
    double sum = 0;
    test_checks++;
    for (int64_t i = 0; i < k; i++)
      sum += x_at(kind, x0 + i) * y_at(kind, y0 + (runs ? c * stride + i : i * stride + c));
    const double got = kind == 0   ? (double)((const float *)(const void *)sums)[c]
                       : kind == 3 ? (double)sums[c]
                                   : ((const int32_t *)(const void *)sums)[c];
    if (kind ? got == sum : fabs(got - sum) < 1e-4) continue;
    printf("%s %s %s n %d k %d column %d: %.9g, not %.9g\n", isa, names[kind], runs ? "runs" : "rows", (int)n, (int)k,
           (int)c, got, sum);
    test_failures++;
  }
  const char *behind = (const char *)sums + n * (kind == 3 ? 8 : 4);
  for (int i = 0; i < 4; i++) EXPECT_EQ(behind[i], 0x5a);
}

int main(void) {
  static const char *const names[] = {"scalar", "avx2", "avx512", "neon"};
  fill();
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (!sam_isa_force(names[i])) continue;
    for (int kind = 0; kind < 4; kind++)
      for (int runs = 0; runs < 2; runs++) {
        for (int64_t n = 1; n < 40; n++)
          for (int64_t k = 0; k < 40; k += n % 3 + 1) check(names[i], kind, runs, n, k, 41, n, k);
        check(names[i], kind, runs, MOST - 80, 70, runs ? 71 : MOST, 3, 5);
        check(names[i], kind, runs, 515, 5, runs ? 7 : 517, 3, 5);
        if (kind) check(names[i], kind, runs, 2, SAM_MATVEC_DEPTH, runs ? SAM_MATVEC_DEPTH : 2, 0, VALUES - (2 << 15));
      }
  }
  return test_result();
}
