/* Samara: s8_gemm with sdot: 16 elements of a row in a register, four at a time against four columns. 8 rows by 8
 * columns need the fewest loads of all tiles that leave registers for them. */
#include "ukernels/simd_neon.h"
#include "ukernels/ukernels.h"

enum { KR = 4, NR = 8, STEP_BYTES = KR * NR };

#include "ukernels/gemm_s8_neon.inc"

/* Four elements of k for all rows, from quarter `lane` of the registers q. */
#define STEP(lane)                                                                                                 \
  do {                                                                                                             \
    SAM_UNROLL for (int h = 0; h < wide; h += 2) {                                                                 \
      const int8x16_t w0 = vld1q_s8(w + (size_t)(h / 2) * panel), w1 = vld1q_s8(w + (size_t)(h / 2) * panel + 16); \
      SAM_UNROLL for (int r = 0; r < rows; r++) acc[r * wide + h] =                                                \
          vdotq_laneq_s32(acc[r * wide + h], w0, q[r], lane);                                                      \
      SAM_UNROLL for (int r = 0; r < rows; r++) acc[r * wide + h + 1] =                                            \
          vdotq_laneq_s32(acc[r * wide + h + 1], w1, q[r], lane);                                                  \
    }                                                                                                              \
    w += STEP_BYTES;                                                                                               \
  } while (0)

/* The next four elements of a row, in every 32-bit lane. */
static inline int8x16_t next_four(const int8_t **a) {
  int8x16_t x; /* compilers do not find this form of addressing for the duplicating load */
  __asm__("ld1r {%0.4s}, [%1], #4" : "=w"(x), "+r"(*a) : "m"(*(const int8_t(*)[4])(const void *)*a));
  return x;
}

/* wide: 2 or 4 vectors, half a panel each. */
SAM_INLINE void tile(const sam_s8_gemm_args *g, const int8_t *w, size_t panel, int64_t i, int32_t j, int rows,
                     int wide) {
  const int32_t steps = (int32_t)(((uint32_t)g->k + KR - 1) / KR);
  vi acc[16];
  begin(g, acc, i, j, rows, wide);
  for (int32_t t = 0; t < g->taps; t++) {
    const int8_t *a[8];
    SAM_UNROLL for (int r = 0; r < rows; r++) a[r] = (const int8_t *)g->a[i + r] + g->tap[t];
    int32_t s = 0;
    for (; s + 4 <= steps; s += 4) {
      int8x16_t q[8];
      SAM_UNROLL for (int r = 0; r < rows; r++) q[r] = vld1q_s8(a[r] + 4 * s);
      STEP(0);
      STEP(1);
      STEP(2);
      STEP(3);
    }
    SAM_UNROLL for (int r = 0; r < rows; r++) a[r] += 4 * s;
    for (; s < steps; s++) {
      int8x16_t q[8];
      SAM_UNROLL for (int r = 0; r < rows; r++) q[r] = next_four(&a[r]);
      STEP(0);
    }
  }
  finish(g, acc, i, j, rows, wide);
}

static void run(const sam_s8_gemm_args *args) {
  const sam_s8_gemm_args g = *args;
  const size_t panel = (size_t)g.taps * (((size_t)g.k + KR - 1) / KR) * STEP_BYTES;
  const int8_t *w = g.w;
  int32_t j = 0;
  /* A single row has too few sums for the latency of sdot: two panels at once. */
  for (; g.n - j > NR; j += 2 * NR, w += 2 * panel) {
    int64_t i = 0;
    for (; g.m - i >= 4; i += 4) tile(&g, w, panel, i, j, 4, 4);
    for (; i < g.m; i++) tile(&g, w, panel, i, j, 1, 4);
  }
  if (j < g.n) {
    int64_t i = 0;
    for (; g.m - i >= 8; i += 8) tile(&g, w, panel, i, j, 8, 2);
    for (; g.m - i >= 2; i += 2) tile(&g, w, panel, i, j, 2, 2);
    for (; i < g.m; i++) tile(&g, w, panel, i, j, 1, 2);
  }
}

sam_s8_gemm_t sam_s8_gemm__neondot = {
    .tile = {8, NR, KR, 20}, .form = SAM_A_S8, .run = run, .convert = convert, .row_sums = row_sums};
