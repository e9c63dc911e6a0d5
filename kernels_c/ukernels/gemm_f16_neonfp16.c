/* Samara: f16_gemm with half-precision arithmetic: eight elements of each row in a register, multiplied lane by lane.
 *
 *   halves   8 rows x 16 columns of sums in registers, for up to SAM_F16_RUN steps of k
 *   floats   the same sums in memory, to which the halves are added
 */
#include "ukernels/simd_neon.h"
#include "ukernels/ukernels.h"
#include "ukernels/unroll.h"

typedef float16x8_t vh;

enum { ROWS = 8, NR = 8 };

static inline vh vh_load(const uint16_t *p) { return vreinterpretq_f16_u16(vld1q_u16(p)); }

/* ---- Eights of k for 8 rows by 16 columns, in assembly ---------------------------------------------------------- */

/* In the order that cores like the Cortex-A55 need: each register is loaded anew as soon as nothing reads it, the
 * weights of the last element in the turn that reads them.
 *
 *   v16 … v31  sums, two of each row     v8 … v11   weights of columns 0 to 7, four elements of k    x8 … x15  the rows
 *   v0 … v7    elements of the rows      v12 … v15  columns 8 to 15 */

#define FMA(acc, w, a, lane) "fmla v" #acc ".8h, v" #w ".8h, v" #a ".h[" #lane "]\n\t"
#define PAIR(low, high, w, u, a, lane) FMA(low, w, a, lane) FMA(high, u, a, lane)
#define ROW(v, x) "ldr q" #v ", [" #x ", %[s]]\n\t"
#define OF_K(v, x, k) "ldr q" #v ", [%[" #x "], #16 * " #k "]\n\t"
#define YES(code) code
#define NO(code)
/* One element of k; W and U load weights, NEXT the rows' next eight elements, or nothing. */
#define ONE_K(w, u, lane, W, U, NEXT)                                                               \
  PAIR(16, 17, w, u, 0, lane)                                                                       \
  NEXT(ROW(0, x8))                                                                                  \
  PAIR(18, 19, w, u, 1, lane)                                                                       \
  NEXT(ROW(1, x9))                                                                                  \
  W PAIR(20, 21, w, u, 2, lane) NEXT(ROW(2, x10)) PAIR(22, 23, w, u, 3, lane) NEXT(ROW(3, x11))     \
      U PAIR(24, 25, w, u, 4, lane) NEXT(ROW(4, x12)) PAIR(26, 27, w, u, 5, lane) NEXT(ROW(5, x13)) \
          PAIR(28, 29, w, u, 6, lane) NEXT(ROW(6, x14)) PAIR(30, 31, w, u, 7, lane) NEXT(ROW(7, x15))
#define EIGHT(NEXT)                                                    \
  ONE_K(8, 12, 0, OF_K(11, w, 3), OF_K(15, u, 3), NO)                  \
  ONE_K(9, 13, 1, OF_K(8, w, 4), OF_K(12, u, 4), NO)                   \
  ONE_K(10, 14, 2, OF_K(9, w, 5), OF_K(13, u, 5), NO)                  \
  ONE_K(11, 15, 3, OF_K(10, w, 6), OF_K(14, u, 6), NO)                 \
  ONE_K(8, 12, 4, OF_K(11, w, 7), OF_K(15, u, 7), NO)                  \
  ONE_K(9, 13, 5, NEXT(OF_K(8, w, 8)), NEXT(OF_K(12, u, 8)), NO)       \
  ONE_K(10, 14, 6, NEXT(OF_K(9, w, 9)), NEXT(OF_K(13, u, 9)), NO)      \
  ONE_K(11, 15, 7, NEXT(OF_K(10, w, 10)), NEXT(OF_K(14, u, 10)), NEXT) \
  "adds %[s], %[s], #16\n\tadd %[w], %[w], #128\n\tadd %[u], %[u], #128\n\t"

/* Adds k products, a multiple of 8, to the 16 sums at `start`; rows[r] plus `at` bytes is the first element. */
SAM_INLINE void eights(vh acc[ROWS][2], const vh *start, const uint16_t *const *rows, ptrdiff_t at, int32_t k,
                       const uint16_t *w, const uint16_t *u) {
  register vh v16 __asm__("v16"), v17 __asm__("v17"), v18 __asm__("v18"), v19 __asm__("v19"), v20 __asm__("v20"),
      v21 __asm__("v21"), v22 __asm__("v22"), v23 __asm__("v23"), v24 __asm__("v24"), v25 __asm__("v25"),
      v26 __asm__("v26"), v27 __asm__("v27"), v28 __asm__("v28"), v29 __asm__("v29"), v30 __asm__("v30"),
      v31 __asm__("v31");
  int64_t s = -2 * (int64_t)k;
#define SUMS(a, b, at) "ldp q" #a ", q" #b ", [%[start], #" #at "]\n\t"
  __asm__ volatile("ldp x8, x9, [%[rows]]\n\t"
                   "ldp x10, x11, [%[rows], #16]\n\t"
                   "ldp x12, x13, [%[rows], #32]\n\t"
                   "ldp x14, x15, [%[rows], #48]\n\t"
                   "add x8, x8, %[end]\n\t"
                   "add x9, x9, %[end]\n\t"
                   "add x10, x10, %[end]\n\t"
                   "add x11, x11, %[end]\n\t"
                   "add x12, x12, %[end]\n\t"
                   "add x13, x13, %[end]\n\t"
                   "add x14, x14, %[end]\n\t"
                   "add x15, x15, %[end]\n\t"
                   ROW(0, x8) ROW(1, x9) ROW(2, x10) ROW(3, x11) ROW(4, x12) ROW(5, x13) ROW(6, x14) ROW(7, x15)
                   OF_K(8, w, 0) OF_K(12, u, 0) OF_K(9, w, 1) OF_K(13, u, 1) OF_K(10, w, 2) OF_K(14, u, 2)
                   SUMS(16, 17, 0) SUMS(18, 19, 32) SUMS(20, 21, 64) SUMS(22, 23, 96) SUMS(24, 25, 128)
                   SUMS(26, 27, 160) SUMS(28, 29, 192) SUMS(30, 31, 224)
                   "adds %[s], %[s], #16\n\t"
                   "b.eq .Llast%=\n"
                   ".Leight%=:\n\t"
                   EIGHT(YES)
                   "b.ne .Leight%=\n"
                   ".Llast%=:\n\t"
                   EIGHT(NO)
                   : "=w"(v16), "=w"(v17), "=w"(v18), "=w"(v19), "=w"(v20), "=w"(v21), "=w"(v22), "=w"(v23), "=w"(v24),
                     "=w"(v25), "=w"(v26), "=w"(v27), "=w"(v28), "=w"(v29), "=w"(v30), "=w"(v31), [s] "+&r"(s),
                     [w] "+&r"(w), [u] "+&r"(u)
                   : [start] "r"(start), [rows] "r"(rows), [end] "r"(at + 2 * (int64_t)k)
                   : "cc", "memory", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "v0", "v1", "v2", "v3",
                     "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15");
  const vh sums[16] = {v16, v17, v18, v19, v20, v21, v22, v23, v24, v25, v26, v27, v28, v29, v30, v31};
  SAM_UNROLL for (int e = 0; e < 16; e++) acc[e / 2][e % 2] = sums[e];
}

/* ---- Tiles of any size ------------------------------------------------------------------------------------------- */

/* One element of k for all rows: that of `lane` in q. */
#define STEP(lane)                                                                                  \
  do {                                                                                              \
    vh wv[2];                                                                                       \
    SAM_UNROLL for (int v = 0; v < wide; v++) wv[v] = vh_load(w[v]), w[v] += NR;                    \
    SAM_UNROLL for (int r = 0; r < rows; r++) SAM_UNROLL for (int v = 0; v < wide; v++) acc[r][v] = \
        vfmaq_laneq_f16(acc[r][v], wv[v], q[r], lane);                                              \
  } while (0)

/* Adds k products from element `at` bytes behind `a` on to the sums, which are zero if `fresh`. */
SAM_INLINE void products(vh acc[ROWS][2], bool fresh, const uint16_t *const *a, ptrdiff_t at, int32_t k,
                         const uint16_t *w[2], int rows, int wide) {
  static const vh zeros[2 * ROWS];
  const bool assembly = rows == ROWS && wide == 2;
  if (assembly && k >= 8) {
    const int32_t whole = k / 8 * 8;
    vh sums[2 * ROWS];
    if (!fresh) SAM_UNROLL for (int e = 0; e < 2 * ROWS; e++) sums[e] = acc[e / 2][e % 2];
    eights(acc, fresh ? zeros : sums, a, at, whole, w[0], w[1]);
    w[0] += whole * NR, w[1] += whole * NR, at += 2 * whole, k -= whole;
  } else if (fresh) {
    SAM_UNROLL for (int e = 0; e < rows * wide; e++) acc[e / wide][e % wide] = vdupq_n_f16(0);
  }
  vh q[ROWS];
  const uint16_t *x[ROWS];
  if (k == 0) return;
  SAM_UNROLL for (int r = 0; r < rows; r++) x[r] = (const uint16_t *)(const void *)((const char *)a[r] + at);
  for (; k >= 8 && !assembly; k -= 8) {
    SAM_UNROLL for (int r = 0; r < rows; r++) q[r] = vh_load(x[r]), x[r] += 8;
    STEP(0);
    STEP(1);
    STEP(2);
    STEP(3);
    STEP(4);
    STEP(5);
    STEP(6);
    STEP(7);
  }
  for (; k > 0; k--) {
    SAM_UNROLL for (int r = 0; r < rows; r++) q[r] = vreinterpretq_f16_u16(vld1q_lane_u16(x[r], vdupq_n_u16(0), 0)),
                                              x[r]++;
    STEP(0);
  }
}

/* Sums of halves, times the factors of their columns, to those of floats: `parts`, or the bias if these are the
 * `first`. The `last` are clamped and go to y. */
SAM_INLINE void add_up(const sam_f16_gemm_args *g, vh acc[ROWS][2], const float *const scale[2], const float *bias,
                       float *parts, float *y, ptrdiff_t ldy, int rows, int wide, bool first, bool last) {
  const vf lo = vf_set(g->lo), hi = vf_set(g->hi);
  vf by[4], start[4], x[4];
  SAM_UNROLL for (int c = 0; c < 2 * wide; c++) by[c] = vf_load(scale[c / 2] + c % 2 * 4),
                                                start[c] = vf_load(bias + 4 * c);
  SAM_UNROLL for (int r = 0; r < rows; r++) {
    float *to = last ? y + r * ldy : parts + r * 2 * NR;
    SAM_UNROLL for (int c = 0; c < 2 * wide; c++) x[c] = first ? start[c] : vf_load(parts + r * 2 * NR + 4 * c);
    SAM_UNROLL for (int c = 0; c < 2 * wide; c++) {
      const vh h = acc[r][c / 2];
      x[c] = vf_fma(c % 2 ? vcvt_high_f32_f16(h) : vcvt_f32_f16(vget_low_f16(h)), by[c], x[c]);
      if (last) x[c] = vf_min(hi, vf_max(lo, x[c]));
    }
    SAM_UNROLL for (int c = 0; c < 2 * wide; c++) vf_store(to + 4 * c, x[c]);
  }
}

SAM_INLINE void tile(const sam_f16_gemm_args *g, int64_t i, int32_t j, int rows, int wide) {
  static const float none[2 * NR];
  const ptrdiff_t panel = (ptrdiff_t)g->taps * g->k * NR + 2 * NR;
  const uint16_t *w[2];
  const float *scale[2], *bias = g->bias ? g->bias + j : none;
  float parts[ROWS * 2 * NR];
  vh acc[ROWS][2];
  SAM_UNROLL for (int v = 0; v < wide; v++) {
    w[v] = g->w + panel * (j / NR + v);
    scale[v] = (const float *)(const void *)w[v];
    w[v] += 2 * NR;
  }
  SAM_UNROLL for (int e = 0; e < rows * wide; e++) acc[e / wide][e % wide] = vdupq_n_f16(0);
  int32_t room = SAM_F16_RUN;
  bool first = true;
  for (int32_t t = 0; t < g->taps; t++)
    for (int32_t k = 0; k < g->k;) {
      const int32_t left = g->k - k, n = left <= room ? left : room / 8 * 8;
      products(acc, room == SAM_F16_RUN, g->a + i, g->tap[t] + 2 * (ptrdiff_t)k, n, w, rows, wide);
      k += n, room -= n;
      if (room >= 8 || (k == g->k && (t + 1 == g->taps || room >= g->k))) continue;
      room = SAM_F16_RUN;
      if (first)
        add_up(g, acc, scale, bias, parts, NULL, 0, rows, wide, true, false);
      else
        add_up(g, acc, scale, bias, parts, NULL, 0, rows, wide, false, false);
      first = false;
    }
  float *y = g->y + i * g->ldy + j, *to = y;
  ptrdiff_t ldy = g->ldy;
  const int32_t columns = g->n - j;
  if (columns < wide * NR) to = parts, ldy = 2 * NR;
  if (first)
    add_up(g, acc, scale, bias, parts, to, ldy, rows, wide, true, true);
  else
    add_up(g, acc, scale, bias, parts, to, ldy, rows, wide, false, true);
  if (to == parts)
    for (int r = 0; r < rows; r++) memcpy(y + r * g->ldy, parts + r * 2 * NR, 4 * (size_t)columns);
}

static void run(const sam_f16_gemm_args *g) {
  for (int32_t j = 0; j < g->n; j += 2 * NR) {
    int64_t i = 0;
    if (g->n - j > NR) {
      for (; g->m - i >= ROWS; i += ROWS) tile(g, i, j, ROWS, 2);
      for (; g->m - i >= 4; i += 4) tile(g, i, j, 4, 2);
      for (; i < g->m; i++) tile(g, i, j, 1, 2);
    } else {
      for (; g->m - i >= ROWS; i += ROWS) tile(g, i, j, ROWS, 1);
      for (; i < g->m; i++) tile(g, i, j, 1, 1);
    }
  }
}

static void convert(int64_t n, const float *x, uint16_t *y) {
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) {
    const vh a = vcvt_high_f16_f32(vcvt_f16_f32(vf_load(x + i)), vf_load(x + i + 4));
    const vh b = vcvt_high_f16_f32(vcvt_f16_f32(vf_load(x + i + 8)), vf_load(x + i + 12));
    vst1q_u16(y + i, vreinterpretq_u16_f16(a)), vst1q_u16(y + i + 8, vreinterpretq_u16_f16(b));
  }
  for (; i + 4 <= n; i += 4) vf_store_f16(y + i, vf_load(x + i));
  for (; i < n; i++) y[i] = sam_f32_to_f16(x[i]);
}

sam_f16_gemm_t sam_f16_gemm__neonfp16 = {{ROWS, NR, 1, 8}, run, convert};
