/* Samara: s16_gemm on NEON: weights widened to 16 bits, vmlal by lane; sums move to 64 bits before 32 can overflow. */
#include "ukernels/simd_neon.h"
#include "ukernels/ukernels.h"

enum { NR = 8, ROWS = 4, SAFE = 256 /* products of 23 bits in 31 */ };

static void flush(const sam_s16_gemm_args *g, int64_t i, int32_t j, int rows, vi (*acc)[2]) {
  for (int r = 0; r < rows; r++) {
    int64_t *y = g->y + (i + r) * g->ldy + j;
    for (int v = 0; v < 2; v++) {
      vst1q_s64(y + 4 * v, vaddw_s32(vld1q_s64(y + 4 * v), vget_low_s32(acc[r][v])));
      vst1q_s64(y + 4 * v + 2, vaddw_s32(vld1q_s64(y + 4 * v + 2), vget_high_s32(acc[r][v])));
      acc[r][v] = vi_set(0);
    }
  }
}

static inline __attribute__((always_inline)) void tile(const sam_s16_gemm_args *g, int64_t i, int32_t j, int rows) {
  const int8_t *w = g->w + (size_t)g->taps * (size_t)g->k * (size_t)j;
  vi acc[ROWS][2];
  for (int r = 0; r < rows; r++) {
    acc[r][0] = acc[r][1] = vi_set(0);
    memset(g->y + (i + r) * g->ldy + j, 0, NR * sizeof *g->y);
  }
  int32_t pending = 0;
  for (int32_t t = 0; t < g->taps; t++) {
    const int16_t *a[ROWS];
    for (int r = 0; r < rows; r++) a[r] = (const int16_t *)(const void *)((const char *)g->a[i + r] + g->tap[t]);
    for (int32_t k = 0; k < g->k;) {
      if (pending == SAFE) flush(g, i, j, rows, acc), pending = 0;
      const int32_t room = SAFE - pending, end = g->k - k < room ? g->k : k + room;
      pending += end - k;
      for (; k < end; k++, w += NR) {
        const int16x8_t wv = vmovl_s8(vld1_s8(w));
        for (int r = 0; r < rows; r++) {
          const int16x4_t av = vdup_n_s16(a[r][k]);
          acc[r][0] = vmlal_s16(acc[r][0], vget_low_s16(wv), av);
          acc[r][1] = vmlal_s16(acc[r][1], vget_high_s16(wv), av);
        }
      }
    }
  }
  flush(g, i, j, rows, acc);
}

static void run(const sam_s16_gemm_args *g) {
  for (int32_t j = 0; j < g->n; j += NR) {
    int64_t i = 0;
    for (; g->m - i >= ROWS; i += ROWS) tile(g, i, j, ROWS);
    for (; i < g->m; i++) tile(g, i, j, 1);
  }
}

#include "ukernels/gemm_s16_finish.inc"

sam_s16_gemm_t sam_s16_gemm__neon = {{ROWS, NR, 1, 4}, run, finish_s16};
