/* Samara: s8_gemm on NEON without dot product: pairs. vmull multiplies 8 times to 16 bits, vmlal adds a second product,
 * vpadal sums neighbours into 32 bits: three instructions for 16 products. Two products fit 16 bits unless all four
 * factors are -128; weights where that can happen take the way without vmlal.
 *
 *   deep   16 elements of k of a row against the same 16 of a column; neighbouring sums are added at the end. Four
 *          products meet in 16 bits where the four weights are small enough, which most are: five instructions for 32
 *   thin   2 elements of k of a row, in every lane, against 8 columns: no addition at the end, little padding */
#include "ukernels/simd_neon.h"
#include "ukernels/ukernels.h"

enum { THIN_KR = 2, THIN_NR = 8, THIN_STEP = THIN_KR * THIN_NR };
enum { DEEP_KR = 16, DEEP_NR = 4, DEEP_STEP = DEEP_KR * DEEP_NR };
enum { THIN_DEPTH = 40 /* about where they are equal */ };

#include "ukernels/gemm_s8_neon.inc"

#if defined(__aarch64__)
enum { ROWS = 4, TOGETHER = 8 /* sums in flight */ };
#else
enum { ROWS = 2, TOGETHER = 4 };
#endif

/* ---- Thin ------------------------------------------------------------------------------------------------------- */

/* The next pair of k of a row, in every 16-bit lane. */
static inline int8x16_t next_pair(const int8_t **a) {
#if defined(__aarch64__) && defined(__GNUC__)
  int8x16_t x; /* compilers do not find this form of addressing for the duplicating load */
  __asm__("ld1r {%0.8h}, [%1], #2" : "=w"(x), "+r"(*a) : "m"(*(const int8_t(*)[2])(const void *)*a));
  return x;
#else
  int16_t x;
  memcpy(&x, *a, 2);
  *a += 2;
  return vreinterpretq_s8_s16(vdupq_n_s16(x));
#endif
}

/* panels: 1 or 2, of 8 columns. */
SAM_INLINE void thin_tile(const sam_s8_gemm_args *g, const int8_t *w, size_t panel, int64_t i, int32_t j, int rows,
                          int panels, bool fit) {
  const int32_t steps = (int32_t)(((uint32_t)g->k + 1) / 2);
  const int wide = 2 * panels;
  vi acc[16];
  begin(g, acc, i, j, rows, wide);
  for (int32_t t = 0; t < g->taps; t++) {
    const int8_t *a[ROWS];
    SAM_UNROLL for (int r = 0; r < rows; r++) a[r] = (const int8_t *)g->a[i + r] + g->tap[t];
    int32_t s = steps;
    for (; s >= 2; s -= 2, w += 2 * THIN_STEP) {
      int8x16_t w0[2], w1[2];
      SAM_UNROLL for (int p = 0; p < panels; p++) {
        w0[p] = vld1q_s8(w + (size_t)p * panel);
        w1[p] = vld1q_s8(w + (size_t)p * panel + THIN_STEP);
      }
      SAM_UNROLL for (int r = 0; r < rows; r++) {
        const int8x16_t a0 = next_pair(&a[r]), a1 = next_pair(&a[r]);
        int16x8_t sum[4];
        SAM_UNROLL for (int p = 0; p < panels; p++) {
          sum[2 * p] = mul_low_s8(w0[p], a0);
          sum[2 * p + 1] = mul_high_s8(w0[p], a0);
        }
        if (!fit) {
          SAM_UNROLL for (int v = 0; v < wide; v++) acc[r * wide + v] = vpadalq_s16(acc[r * wide + v], sum[v]);
        }
        SAM_UNROLL for (int p = 0; p < panels; p++) {
          sum[2 * p] = fit ? mla_low_s8(sum[2 * p], w1[p], a1) : mul_low_s8(w1[p], a1);
          sum[2 * p + 1] = fit ? mla_high_s8(sum[2 * p + 1], w1[p], a1) : mul_high_s8(w1[p], a1);
        }
        SAM_UNROLL for (int v = 0; v < wide; v++) acc[r * wide + v] = vpadalq_s16(acc[r * wide + v], sum[v]);
      }
    }
    if (s) {
      SAM_UNROLL for (int p = 0; p < panels; p++) {
        const int8x16_t w0 = vld1q_s8(w + (size_t)p * panel);
        SAM_UNROLL for (int r = 0; r < rows; r++) {
          const int8_t *at = a[r];
          const int8x16_t a0 = next_pair(&at);
          vi *sum = &acc[r * wide + 2 * p];
          sum[0] = vpadalq_s16(sum[0], mul_low_s8(w0, a0));
          sum[1] = vpadalq_s16(sum[1], mul_high_s8(w0, a0));
        }
      }
      w += THIN_STEP;
    }
  }
  finish(g, acc, i, j, rows, wide);
}

SAM_INLINE size_t thin_panel(const sam_s8_gemm_args *g) {
  return (size_t)(g->taps + g->skipped) * (((size_t)g->k + 1) / 2) * THIN_STEP;
}

SAM_INLINE void thin_columns(const sam_s8_gemm_args *g, int32_t j, int panels, bool fit) {
  const size_t panel = thin_panel(g);
  const int8_t *w = g->w + panel * (size_t)(j / THIN_NR);
  int64_t i = 0;
  for (; g->m - i >= ROWS; i += ROWS) thin_tile(g, w, panel, i, j, ROWS, panels, fit);
  for (; i < g->m; i++) thin_tile(g, w, panel, i, j, 1, panels, fit);
}

#if defined(__aarch64__) && defined(__GNUC__)
#include "ukernels/gemm_s8_neon_thin.inc"

/* Eight whole columns whose pairs fit, of int8 or uint8, and a k of eights: four rows at a time, the first of `m`. */
SAM_INLINE void thin_fours(const sam_s8_gemm_args *args, int64_t m, int32_t j, const limits plain) {
  const sam_s8_gemm_args g = *args;
  const int8_t *const w = g.w + thin_panel(&g) * (size_t)(j / THIN_NR);
  const int32_t eights = (g.k + 7) / 8;
  for (int64_t i = 0; i < m; i += 4) {
    vi acc[8];
    begin(&g, acc, i, j, 4, 2);
    thin_sums(acc, g.a + i, g.tap, g.tap + g.taps, eights, w);
    finish_whole(&g, acc, i, j, 4, 2, plain);
  }
}

/* Functions of their own, so that each has the registers for itself. */
static __attribute__((noinline)) void thin_own(const sam_s8_gemm_args *g, int64_t m, int32_t j) {
  thin_fours(g, m, j, OWN_LIMITS);
}
static __attribute__((noinline)) void thin_s8(const sam_s8_gemm_args *g, int64_t m, int32_t j) {
  thin_fours(g, m, j, PLAIN_S8);
}
static __attribute__((noinline)) void thin_u8(const sam_s8_gemm_args *g, int64_t m, int32_t j) {
  thin_fours(g, m, j, PLAIN_U8);
}

/* The columns done so. */
static int32_t thin_eight(const sam_s8_gemm_args *g) {
  if (!g->pairs_fit || g->out != SAM_GEMM_S8 || g->taps < 1 || g->k < 1 || (g->k + 1) / 2 % 4) return 0;
  const limits plain = limits_of(g);
  const int64_t m = g->m - g->m % 4;
  int32_t j = 0;
  for (; g->n - j >= THIN_NR; j += THIN_NR) {
    plain == PLAIN_S8 ? thin_s8(g, m, j) : plain == PLAIN_U8 ? thin_u8(g, m, j) : thin_own(g, m, j);
    const int8_t *w = g->w + thin_panel(g) * (size_t)(j / THIN_NR);
    for (int64_t i = m; i < g->m; i++) thin_tile(g, w, 0, i, j, 1, 1, true);
  }
  return j;
}
#else
static int32_t thin_eight(const sam_s8_gemm_args *g) {
  (void)g;
  return 0;
}
#endif

static void thin_run(const sam_s8_gemm_args *args) {
  const sam_s8_gemm_args g = *args;
  for (int32_t j = thin_eight(args); j < g.n; j += 2 * THIN_NR) {
    if (g.n - j > THIN_NR && g.pairs_fit)
      thin_columns(&g, j, 2, true);
    else if (g.n - j > THIN_NR)
      thin_columns(&g, j, 2, false);
    else if (g.pairs_fit)
      thin_columns(&g, j, 1, true);
    else
      thin_columns(&g, j, 1, false);
  }
}

static sam_s8_gemm_t thin = {.tile = {ROWS, THIN_NR, THIN_KR, 5},
                             .form = SAM_A_S8,
                             .pair = THIN_STEP,
                             .run = thin_run,
                             .convert = convert,
                             .row_sums = row_sums,
                             .magnitude = magnitude};

/* ---- Deep ------------------------------------------------------------------------------------------------------- */

#if defined(__aarch64__) && defined(__GNUC__)
#include "ukernels/gemm_s8_neon_deep.inc"
#include "ukernels/gemm_s8_neon_quads.inc"
#endif

/* What a panel of columns has for all rows. */
typedef struct panel {
  const int8_t *w;
  vi start[DEEP_NR]; /* {bias, 0, 0, 0} of each column */
  vf scale, rounder;
  int16x8_t zero;
  int8x16_t lo, hi;
  vb flip;
  bool plain;
} panel;

/* Whether four products with the weights of two steps fit 16 bits in every lane: 255 * 128 does. */
static bool quads_fit(const int8_t *w) {
  const int8x16_t zero = vdupq_n_s8(0);
  uint16x8_t most = vdupq_n_u16(0);
  SAM_UNROLL for (int c = 0; c < DEEP_NR; c++) {
    const int8x16_t a = vld1q_s8(w + 16 * c), b = vld1q_s8(w + DEEP_STEP + 16 * c);
    most = vmaxq_u16(most, add_distances(add_distances(vdupq_n_u16(0), a, zero), b, zero));
  }
  return u16_max(most) <= 255;
}

SAM_INLINE panel panel_of(const sam_s8_gemm_args *g, int32_t j) {
  const int32_t steps = (int32_t)(((uint32_t)g->k + DEEP_KR - 1) / DEEP_KR);
  const size_t bytes = (size_t)(g->taps + g->skipped) * (size_t)steps * DEEP_STEP;
  panel p = {.w = g->w + bytes * (size_t)(j / DEEP_NR)};
  SAM_UNROLL for (int c = 0; c < DEEP_NR; c++) p.start[c] = vsetq_lane_s32(g->bias ? g->bias[j + c] : 0, vi_set(0), 0);
  p.scale = g->out == SAM_GEMM_S8 ? vf_load(g->scale + j) : vf_zero();
  p.rounder = vf_rounder(g->zero_point);
  p.zero = vdupq_n_s16((int16_t)g->zero_point);
  p.lo = vdupq_n_s8((int8_t)g->lo);
  p.hi = vdupq_n_s8((int8_t)g->hi);
  p.flip = vb_set(g->out_flip);
  p.plain = limits_of(g) != OWN_LIMITS;
  return p;
}

static __attribute__((noinline)) void deep_store_part(uint8_t *y, ptrdiff_t ldy, vb b, int rows, size_t columns) {
  uint8_t bytes[VB_N];
  vb_store(bytes, b);
  for (int r = 0; r < rows; r++)
    for (size_t c = 0; c < columns; c++) y[r * ldy + (ptrdiff_t)c] = bytes[4 * (size_t)r + c];
}

/* 4 columns of 4 rows, a vector each, to bytes. Plain: without limits, within 16 bits. */
SAM_INLINE vb deep_bytes(const panel *p, const vi *sum, const bool plain) {
  vf x[4];
  SAM_UNROLL for (int r = 0; r < 4; r++) x[r] = vf_mul(vf_from_vi(sum[r]), p->scale);
  if (plain) return plain_bytes(x, p->rounder, PLAIN_S8);
  const int16x8_t low = vqaddq_s16(narrow_s32(vi_from_vf(x[0]), vi_from_vf(x[1])), p->zero);
  const int16x8_t high = vqaddq_s16(narrow_s32(vi_from_vf(x[2]), vi_from_vf(x[3])), p->zero);
  return vreinterpretq_u8_s8(vminq_s8(vmaxq_s8(narrow_s16(low, high), p->lo), p->hi));
}

/* Of up to 4 rows. */
SAM_INLINE void deep_store(const sam_s8_gemm_args *g, vb b, int64_t i, int32_t j, int rows) {
  uint8_t *y = (uint8_t *)g->y + i * g->ldy + j;
  if (__builtin_expect(g->n - j < 4, 0)) {
    deep_store_part(y, g->ldy, b, rows, (size_t)(g->n - j));
    return;
  }
  const uint32x4_t four = vreinterpretq_u32_u8(b);
  vst1q_lane_u32((uint32_t *)(void *)y, four, 0);
  if (rows > 1) vst1q_lane_u32((uint32_t *)(void *)(y += g->ldy), four, 1);
  if (rows > 2) vst1q_lane_u32((uint32_t *)(void *)(y += g->ldy), four, 2);
  if (rows > 3) vst1q_lane_u32((uint32_t *)(void *)(y += g->ldy), four, 3);
}

/* One step of k of all sums of a tile. In stages over several sums: in-order cores wait for nothing. */
SAM_INLINE void deep_step(vi *acc, const int8_t **a, const int8_t *w, int rows, bool fit) {
  enum { WIDE = DEEP_NR };
  int8x16_t wv[WIDE], av[ROWS];
  SAM_UNROLL for (int c = 0; c < WIDE; c++) wv[c] = vld1q_s8(w + 16 * c);
  SAM_UNROLL for (int r = 0; r < rows; r++) av[r] = vld1q_s8(a[r]), a[r] += 16;
  SAM_UNROLL for (int first = 0; first < rows * WIDE; first += TOGETHER) {
    const int count = rows * WIDE - first < TOGETHER ? rows * WIDE - first : TOGETHER;
    int16x8_t sum[TOGETHER];
    SAM_UNROLL for (int e = 0; e < count; e++) sum[e] = mul_low_s8(wv[(first + e) % WIDE], av[(first + e) / WIDE]);
    if (!fit) {
      SAM_UNROLL for (int e = 0; e < count; e++) acc[first + e] = vpadalq_s16(acc[first + e], sum[e]);
    }
    SAM_UNROLL for (int e = 0; e < count; e++) {
      const int8x16_t x = wv[(first + e) % WIDE], y = av[(first + e) / WIDE];
      sum[e] = fit ? mla_high_s8(sum[e], x, y) : mul_high_s8(x, y);
    }
    SAM_UNROLL for (int e = 0; e < count; e++) acc[first + e] = vpadalq_s16(acc[first + e], sum[e]);
  }
}

/* Two steps whose four products meet. A row at a time: registers hold the weights of both. */
SAM_INLINE void deep_quads(vi *acc, const int8_t **a, const int8_t *w, int rows) {
  enum { WIDE = DEEP_NR };
  int8x16_t w0[WIDE], w1[WIDE];
  SAM_UNROLL for (int c = 0; c < WIDE; c++) w0[c] = vld1q_s8(w + 16 * c), w1[c] = vld1q_s8(w + DEEP_STEP + 16 * c);
  SAM_UNROLL for (int r = 0; r < rows; r++, acc += WIDE) {
    const int8x16_t a0 = vld1q_s8(a[r]), a1 = vld1q_s8(a[r] + 16);
    int16x8_t sum[WIDE];
    a[r] += 32;
    SAM_UNROLL for (int c = 0; c < WIDE; c++) sum[c] = mul_low_s8(w0[c], a0);
    SAM_UNROLL for (int c = 0; c < WIDE; c++) sum[c] = mla_high_s8(sum[c], w0[c], a0);
    SAM_UNROLL for (int c = 0; c < WIDE; c++) sum[c] = mla_low_s8(sum[c], w1[c], a1);
    SAM_UNROLL for (int c = 0; c < WIDE; c++) sum[c] = mla_high_s8(sum[c], w1[c], a1);
    SAM_UNROLL for (int c = 0; c < WIDE; c++) acc[c] = vpadalq_s16(acc[c], sum[c]);
  }
}

SAM_INLINE void deep_tile(const sam_s8_gemm_args *g, const panel *p, int64_t i, int32_t j, int rows, bool fit,
                          const uint8_t *quads) {
  enum { WIDE = DEEP_NR };
  const int32_t steps = (int32_t)(((uint32_t)g->k + DEEP_KR - 1) / DEEP_KR);
  const int8_t *w = p->w;
  vi acc[ROWS * WIDE];
  SAM_UNROLL for (int e = 0; e < rows * WIDE; e++) acc[e] = p->start[e % WIDE];
  for (int32_t t = 0; t < g->taps; t++) {
    const int8_t *a[ROWS];
    SAM_UNROLL for (int r = 0; r < rows; r++) a[r] = (const int8_t *)g->a[i + r] + g->tap[t];
    int32_t s = steps;
    if (quads && quads[t])
      for (; s >= 2; s -= 2, w += 2 * DEEP_STEP) deep_quads(acc, a, w, rows);
    for (; s > 0; s--, w += DEEP_STEP) deep_step(acc, a, w, rows, fit);
  }
  vi sum[4];
  SAM_UNROLL for (int r = 0; r < rows; r++) {
    const vi *of = acc + r * WIDE;
    sum[r] = sums_of(of[0], of[1], of[2], of[3]);
    if (g->row) sum[r] = vmlaq_s32(sum[r], vi_set(g->row[i + r]), vi_load(g->col + j));
  }
  if (__builtin_expect(g->out == SAM_GEMM_S8, 1)) {
    SAM_UNROLL for (int r = rows; r < 4; r++) sum[r] = sum[0];
    deep_store(g, vb_xor(p->plain ? deep_bytes(p, sum, true) : deep_bytes(p, sum, false), p->flip), i, j, rows);
  } else {
    const sam_s8_gemm_args copy = *g;
    vi sums[4];
    SAM_UNROLL for (int r = 0; r < rows; r++) sums[r] = sum[r];
    finish_other(&copy, sums, i, j, rows, 1, g->n - j);
  }
}

/* The first rows of whole columns to int8 without limits: as many as make tiles of four. Returns the first row left. */
static __attribute__((noinline)) int64_t deep_fours(const sam_s8_gemm_args *args, int32_t j) {
#if defined(__aarch64__) && defined(__GNUC__)
  const sam_s8_gemm_args g = *args;
  const panel p = panel_of(&g, j);
  if (g.n - j < DEEP_NR || g.taps < 1 || g.k < 1 || g.row || g.out != SAM_GEMM_S8 || !g.bias || !p.plain || g.out_flip)
    return 0;
  const int64_t steps = ((int64_t)g.k + DEEP_KR - 1) / DEEP_KR;
  const ptrdiff_t *end = g.tap + g.taps;
  int64_t i = 0;
  for (; g.m - i >= ROWS; i += ROWS) {
    vi sum[4];
    const vi bias = vi_load(g.bias + j);
    deep_sums(g.a + i, g.tap, end, steps, p.w, sum);
    SAM_UNROLL for (int r = 0; r < ROWS; r++) sum[r] = vi_add(sum[r], bias);
    deep_store(&g, deep_bytes(&p, sum, true), i, j, ROWS);
  }
  return i;
#else
  (void)args, (void)j;
  return 0;
#endif
}

/* The same of whole columns to bytes where four products fit in all taps. */
static __attribute__((noinline)) int64_t deep_quad_fours(const sam_s8_gemm_args *args, int32_t j,
                                                         const uint8_t *quads) {
#if defined(__aarch64__) && defined(__GNUC__)
  const sam_s8_gemm_args g = *args;
  const int64_t steps = ((int64_t)g.k + DEEP_KR - 1) / DEEP_KR;
  if (g.n - j < DEEP_NR || steps < 2 || g.out != SAM_GEMM_S8 || !g.bias || memchr(quads, 0, (size_t)g.taps)) return 0;
  const panel p = panel_of(&g, j);
  const ptrdiff_t *end = g.tap + g.taps;
  int64_t i = 0;
  for (; g.m - i >= ROWS; i += ROWS) {
    vi sum[4];
    quad_sums(g.a + i, g.tap, end, steps, p.w, sum);
    const vi bias = vi_load(g.bias + j);
    SAM_UNROLL for (int r = 0; r < ROWS; r++) sum[r] = vi_add(sum[r], bias);
    if (g.row) {
      const vi row = vi_load(g.row + i), col = vi_load(g.col + j);
      sum[0] = vmlaq_laneq_s32(sum[0], col, row, 0), sum[1] = vmlaq_laneq_s32(sum[1], col, row, 1);
      sum[2] = vmlaq_laneq_s32(sum[2], col, row, 2), sum[3] = vmlaq_laneq_s32(sum[3], col, row, 3);
    }
    deep_store(&g, vb_xor(p.plain ? deep_bytes(&p, sum, true) : deep_bytes(&p, sum, false), p.flip), i, j, ROWS);
  }
  return i;
#else
  (void)args, (void)j, (void)quads;
  return 0;
#endif
}

SAM_INLINE void deep_rows(const sam_s8_gemm_args *g, int32_t j, bool fit, const uint8_t *quads) {
  int64_t i = quads ? deep_quad_fours(g, j, quads) : fit ? deep_fours(g, j) : 0;
  if (i == g->m) return;
  const panel p = panel_of(g, j);
  for (; g->m - i >= ROWS; i += ROWS) deep_tile(g, &p, i, j, ROWS, fit, quads);
  for (; ROWS > 2 && g->m - i >= 2; i += 2) deep_tile(g, &p, i, j, 2, fit, quads);
  for (; i < g->m; i++) deep_tile(g, &p, i, j, 1, fit, quads);
}

/* Functions of their own, so that each has the registers for itself. */
static __attribute__((noinline)) void deep_quad_rows(const sam_s8_gemm_args *args, int32_t j, const uint8_t *quads) {
  const sam_s8_gemm_args g = *args;
  deep_rows(&g, j, true, quads);
}

SAM_INLINE void deep_columns(const sam_s8_gemm_args *g, bool fit) {
  for (int32_t j = 0; j < g->n; j += DEEP_NR) {
    const uint8_t *quads = g->quads ? g->quads + (int64_t)(j / DEEP_NR) * (g->taps + g->skipped) : NULL;
    if (fit && quads && memchr(quads, 1, (size_t)g->taps))
      deep_quad_rows(g, j, quads);
    else
      deep_rows(g, j, fit, NULL);
  }
}

static void deep_run(const sam_s8_gemm_args *args) {
  const sam_s8_gemm_args g = *args;
  if (g.pairs_fit)
    deep_columns(&g, true);
  else
    deep_columns(&g, false);
}

sam_s8_gemm_t sam_s8_gemm__neon = {.tile = {ROWS, DEEP_NR, DEEP_KR, 5},
                                   .form = SAM_A_S8,
                                   .pair = DEEP_KR / 2,
                                   .quads_fit = quads_fit,
                                   .thin = &thin,
                                   .thin_depth = THIN_DEPTH,
                                   .run = deep_run,
                                   .convert = convert,
                                   .row_sums = row_sums,
                                   .magnitude = magnitude};
