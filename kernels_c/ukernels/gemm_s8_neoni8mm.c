/* Samara: s8_gemm with smmla: two rows by two columns by 8 elements of k an instruction. Two rows of 16 bytes are
 * interleaved by eights to give two such left sides; the packed right side already has two columns in a register.
 * 4 rows by 16 columns, 8 by 8 where there are no more. */
#include "ukernels/simd_neon.h"
#include "ukernels/ukernels.h"

enum { KR = 8, NR = 8, PAIRS = NR / 2, STEP_BYTES = KR * NR };
enum { DOT_DEPTH = 28 /* where filling k up to 8 costs more than smmla gives */ };

#include "ukernels/gemm_s8_neon.inc"

static inline int8x16_t low_eights(int8x16_t a, int8x16_t b) {
  return vreinterpretq_s8_s64(vzip1q_s64(vreinterpretq_s64_s8(a), vreinterpretq_s64_s8(b)));
}
static inline int8x16_t high_eights(int8x16_t a, int8x16_t b) {
  return vreinterpretq_s8_s64(vzip2q_s64(vreinterpretq_s64_s8(a), vreinterpretq_s64_s8(b)));
}

/* Eight elements of k for all rows: q[p] holds those of rows 2p and 2p + 1. */
SAM_INLINE void step(vi *acc, const int8x16_t *q, const int8_t *w, size_t panel, int pairs, int panels) {
  SAM_UNROLL for (int c = 0; c < panels * PAIRS; c += 2) { /* two loads side by side are one instruction */
    const int8_t *at = w + (size_t)(c / PAIRS) * panel + 16 * (c % PAIRS);
    const int8x16_t w0 = vld1q_s8(at), w1 = vld1q_s8(at + 16);
    SAM_UNROLL for (int p = 0; p < pairs; p++) {
      vi *sum = &acc[p * panels * PAIRS + c];
      sum[0] = vmmlaq_s32(sum[0], q[p], w0);
      sum[1] = vmmlaq_s32(sum[1], q[p], w1);
    }
  }
}

/* rows: 1 (which then counts twice) or an even number. acc[p][c]: {row 2p: columns 2c, 2c + 1; row 2p + 1: the same}.
 */
SAM_INLINE void tile(const sam_s8_gemm_args *g, const int8_t *w, size_t panel, int64_t i, int32_t j, int rows,
                     int panels) {
  const int pairs = (rows + 1) / 2, columns = panels * PAIRS, wide = columns / 2;
  const int32_t steps = (int32_t)(((uint32_t)g->k + KR - 1) / KR);
  vi acc[16];
  SAM_UNROLL for (int c = 0; c < columns; c++) {
    const int32x2_t start = g->bias ? vld1_s32(g->bias + j + 2 * c) : vdup_n_s32(0);
    SAM_UNROLL for (int p = 0; p < pairs; p++) acc[p * columns + c] = vcombine_s32(start, start);
  }
  for (int32_t t = 0; t < g->taps; t++) {
    const int8_t *a[8];
    SAM_UNROLL for (int r = 0; r < 2 * pairs; r++) a[r] = (const int8_t *)g->a[i + (r < rows ? r : 0)] + g->tap[t];
    int32_t s = steps;
    for (; s >= 2; s -= 2, w += 2 * STEP_BYTES) {
      int8x16_t first[4], second[4];
      SAM_UNROLL for (int p = 0; p < pairs; p++) {
        const int8x16_t even = vld1q_s8(a[2 * p]), odd = rows > 1 ? vld1q_s8(a[2 * p + 1]) : even;
        first[p] = low_eights(even, odd), second[p] = high_eights(even, odd);
        a[2 * p] += 16, a[2 * p + 1] += 16;
      }
      step(acc, first, w, panel, pairs, panels);
      step(acc, second, w + STEP_BYTES, panel, pairs, panels);
    }
    if (s) {
      int8x16_t last[4];
      SAM_UNROLL for (int p = 0; p < pairs; p++) last[p] = vcombine_s8(vld1_s8(a[2 * p]), vld1_s8(a[2 * p + 1]));
      step(acc, last, w, panel, pairs, panels);
      w += STEP_BYTES;
    }
  }
  vi sums[16];
  SAM_UNROLL for (int v = 0; v < wide; v++) {
    SAM_UNROLL for (int p = 0; p < pairs; p++) {
      const int8x16_t one = vreinterpretq_s8_s32(acc[p * columns + 2 * v]);
      const int8x16_t two = vreinterpretq_s8_s32(acc[p * columns + 2 * v + 1]);
      sums[2 * p * wide + v] = vreinterpretq_s32_s8(low_eights(one, two));
      if (rows > 1) sums[(2 * p + 1) * wide + v] = vreinterpretq_s32_s8(high_eights(one, two));
    }
  }
  add_row_terms(g, sums, i, j, rows, wide);
  finish(g, sums, i, j, rows, wide);
}

static void run(const sam_s8_gemm_args *args) {
  const sam_s8_gemm_args g = *args;
  const size_t panel = (size_t)(g.taps + g.skipped) * (((size_t)g.k + KR - 1) / KR) * STEP_BYTES;
  const int8_t *w = g.w;
  int32_t j = 0;
  for (; g.n - j > NR; j += 2 * NR, w += 2 * panel) {
    int64_t i = 0;
    for (; g.m - i >= 4; i += 4) tile(&g, w, panel, i, j, 4, 2);
    for (; g.m - i >= 2; i += 2) tile(&g, w, panel, i, j, 2, 2);
    for (; i < g.m; i++) tile(&g, w, panel, i, j, 1, 2);
  }
  if (j < g.n) {
    int64_t i = 0;
    for (; g.m - i >= 8; i += 8) tile(&g, w, panel, i, j, 8, 1);
    for (; g.m - i >= 2; i += 2) tile(&g, w, panel, i, j, 2, 1);
    for (; i < g.m; i++) tile(&g, w, panel, i, j, 1, 1);
  }
}

sam_s8_gemm_t sam_s8_gemm__neoni8mm = {.tile = {8, NR, KR, 40},
                                       .form = SAM_A_S8,
                                       .thin = &sam_s8_gemm__neondot,
                                       .thin_depth = DOT_DEPTH,
                                       .run = run,
                                       .convert = convert,
                                       .row_sums = row_sums,
                                       .magnitude = magnitude};
