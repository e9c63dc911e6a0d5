/* Samara: s8_gemm on NEON without dot product: pairs of k. vmull multiplies 4 columns by 2 elements of k to 16 bits,
 * vmlal adds the next pair, vpadal sums neighbours into 32 bits: three instructions for 16 products. Two products fit
 * 16 bits unless both factors are -128; weights that have a -128 take the way without vmlal. */
#include "ukernels/simd_neon.h"
#include "ukernels/ukernels.h"

enum { KR = 2, NR = 8, STEP_BYTES = KR * NR };

#include "ukernels/gemm_s8_neon.inc"

#if defined(__aarch64__)
enum { ROWS = 4 };
#else
enum { ROWS = 2 };
#endif

/* One pair of k of the row, in every 16-bit lane. */
static inline int8x8_t pair(const int8_t *a) {
  int16_t x;
  memcpy(&x, a, 2);
  return vreinterpret_s8_s16(vdup_n_s16(x));
}

/* panels: 1 or 2, of 8 columns. */
SAM_INLINE void tile(const sam_s8_gemm_args *g, int64_t i, int32_t j, int rows, int panels, bool no_min) {
  const int32_t steps = (int32_t)(((int64_t)g->k + 1) / 2);
  const size_t panel = (size_t)g->taps * (size_t)steps * STEP_BYTES;
  const int8_t *w = g->w + panel * (size_t)(j / NR);
  const int wide = 2 * panels;
  vi acc[16];
  begin(g, acc, i, j, rows, wide);
  for (int32_t t = 0; t < g->taps; t++) {
    const int8_t *a[ROWS];
    SAM_UNROLL for (int r = 0; r < rows; r++) a[r] = (const int8_t *)g->a[i + r] + g->tap[t];
    int32_t s = 0;
    for (; s + 2 <= steps; s += 2, w += 2 * STEP_BYTES) {
      int8x16_t w0[2], w1[2];
      SAM_UNROLL for (int p = 0; p < panels; p++) {
        w0[p] = vld1q_s8(w + (size_t)p * panel);
        w1[p] = vld1q_s8(w + (size_t)p * panel + STEP_BYTES);
      }
      SAM_UNROLL for (int r = 0; r < rows; r++) {
        const int8x8_t a0 = pair(a[r] + 2 * s), a1 = pair(a[r] + 2 * s + 2);
        SAM_UNROLL for (int p = 0; p < panels; p++) {
          int16x8_t low = vmull_s8(vget_low_s8(w0[p]), a0), high = vmull_s8(vget_high_s8(w0[p]), a0);
          vi *sum = &acc[r * wide + 2 * p];
          if (no_min) {
            low = vmlal_s8(low, vget_low_s8(w1[p]), a1);
            high = vmlal_s8(high, vget_high_s8(w1[p]), a1);
          } else {
            sum[0] = vpadalq_s16(sum[0], vmull_s8(vget_low_s8(w1[p]), a1));
            sum[1] = vpadalq_s16(sum[1], vmull_s8(vget_high_s8(w1[p]), a1));
          }
          sum[0] = vpadalq_s16(sum[0], low);
          sum[1] = vpadalq_s16(sum[1], high);
        }
      }
    }
    if (s < steps) {
      SAM_UNROLL for (int p = 0; p < panels; p++) {
        const int8x16_t w0 = vld1q_s8(w + (size_t)p * panel);
        SAM_UNROLL for (int r = 0; r < rows; r++) {
          const int8x8_t a0 = pair(a[r] + 2 * s);
          vi *sum = &acc[r * wide + 2 * p];
          sum[0] = vpadalq_s16(sum[0], vmull_s8(vget_low_s8(w0), a0));
          sum[1] = vpadalq_s16(sum[1], vmull_s8(vget_high_s8(w0), a0));
        }
      }
      w += STEP_BYTES;
    }
  }
  finish(g, acc, i, j, rows, wide);
}

SAM_INLINE void columns(const sam_s8_gemm_args *g, int32_t j, int panels, bool no_min) {
  int64_t i = 0;
  for (; g->m - i >= ROWS; i += ROWS) tile(g, i, j, ROWS, panels, no_min);
  for (; i < g->m; i++) tile(g, i, j, 1, panels, no_min);
}

static void run(const sam_s8_gemm_args *g) {
  for (int32_t j = 0; j < g->n; j += 2 * NR) {
    if (g->n - j > NR && g->no_min)
      columns(g, j, 2, true);
    else if (g->n - j > NR)
      columns(g, j, 2, false);
    else if (g->no_min)
      columns(g, j, 1, true);
    else
      columns(g, j, 1, false);
  }
}

sam_s8_gemm_t sam_s8_gemm__neon = {{ROWS, NR, KR, 5}, SAM_A_S8, run, convert, row_sums};
