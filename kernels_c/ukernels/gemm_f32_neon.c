/* Samara: f32_gemm on NEON: four elements of each row in a register, multiplied lane by lane. */
#include "ukernels/simd_neon.h"
#include "ukernels/ukernels.h"
#include "ukernels/unroll.h"

#if defined(__aarch64__)
enum { ROWS = 8 };
#define FMA_LANE(acc, w, a, lane) acc = vfmaq_laneq_f32(acc, w, a, lane)
#else
enum { ROWS = 4 };
#define FMA_LANE(acc, w, a, lane) \
  acc = vfmaq_f32(acc, w, vdupq_lane_f32((lane) < 2 ? vget_low_f32(a) : vget_high_f32(a), (lane) % 2))
#endif

/* One element of k for all rows; `a` are loaded quadruples. */
#define STEP(lane)                                                                      \
  do {                                                                                  \
    vf wv[2];                                                                           \
    SAM_UNROLL for (int v = 0; v < wide; v++) wv[v] = vf_load(w + v * panel);           \
    w += VF_N;                                                                          \
    SAM_UNROLL for (int r = 0; r < rows; r++) SAM_UNROLL for (int v = 0; v < wide; v++) \
        FMA_LANE(acc[r][v], wv[v], q[r], lane);                                         \
  } while (0)

/* Clamps and stores the sums of a tile. */
SAM_INLINE void store_tile(const sam_f32_gemm_args *g, vf acc[ROWS][2], int64_t i, int32_t j, int rows, int wide) {
  const vf lo = vf_set(g->lo), hi = vf_set(g->hi);
  SAM_UNROLL for (int r = 0; r < rows; r++) {
    float *y = g->y + (i + r) * g->ldy + j;
    SAM_UNROLL for (int v = 0; v < wide; v++) {
      const vf x = vf_min(hi, vf_max(lo, acc[r][v]));
      const int32_t left = g->n - j - v * VF_N;
      if (left >= VF_N)
        vf_store(y + v * VF_N, x);
      else if (left > 0)
        vf_store_n(y + v * VF_N, x, (size_t)left);
    }
  }
}

SAM_INLINE void tile(const sam_f32_gemm_args *g, int64_t i, int32_t j, int rows, int wide) {
  const ptrdiff_t panel = (ptrdiff_t)g->taps * g->k * VF_N;
  const float *w = g->w + panel * (j / VF_N);
  vf acc[ROWS][2];
  SAM_UNROLL for (int v = 0; v < wide; v++) {
    const vf start = g->bias ? vf_load(g->bias + j + v * VF_N) : vf_zero();
    SAM_UNROLL for (int r = 0; r < rows; r++) acc[r][v] = start;
  }
  for (int32_t t = 0; t < g->taps; t++) {
    const float *a[ROWS];
    SAM_UNROLL for (int r = 0; r < rows; r++) a[r] =
        (const float *)(const void *)((const char *)g->a[i + r] + g->tap[t]);
    int32_t k = 0;
    for (; k + 4 <= g->k; k += 4) {
      vf q[ROWS];
      SAM_UNROLL for (int r = 0; r < rows; r++) q[r] = vf_load(a[r] + k);
      STEP(0);
      STEP(1);
      STEP(2);
      STEP(3);
    }
    for (; k < g->k; k++) {
      vf q[ROWS];
      SAM_UNROLL for (int r = 0; r < rows; r++) q[r] = vf_set(a[r][k]);
      STEP(0);
    }
  }
  store_tile(g, acc, i, j, rows, wide);
}

#if defined(__aarch64__) && defined(__GNUC__)
#include "ukernels/gemm_f32_neon_tile.inc"

SAM_INLINE void full_tile(const sam_f32_gemm_args *g, int64_t i, int32_t j) {
  static const float none[2 * VF_N];
  const ptrdiff_t panel = (ptrdiff_t)g->taps * g->k * VF_N;
  const float *w = g->w + panel * (j / VF_N);
  vf acc[ROWS][2];
  sums_8x8(g, i, g->bias ? g->bias + j : none, w, w + panel, acc);
  store_tile(g, acc, i, j, ROWS, 2);
}
#else
SAM_INLINE void full_tile(const sam_f32_gemm_args *g, int64_t i, int32_t j) { tile(g, i, j, ROWS, 2); }
#endif

static void run(const sam_f32_gemm_args *g) {
  for (int32_t j = 0; j < g->n; j += 2 * VF_N) {
    int64_t i = 0;
    if (g->n - j > VF_N) {
      for (; g->m - i >= ROWS; i += ROWS) full_tile(g, i, j);
      for (; g->m - i >= 2; i += 2) tile(g, i, j, 2, 2);
      for (; i < g->m; i++) tile(g, i, j, 1, 2);
    } else {
      for (; g->m - i >= ROWS; i += ROWS) tile(g, i, j, ROWS, 1);
      for (; i < g->m; i++) tile(g, i, j, 1, 1);
    }
  }
}

sam_f32_gemm_t sam_f32_gemm__neon = {{ROWS, VF_N, 1, 4}, run};
