/* Samara: s8_gemm with sdot: 16 elements of a row in a register, four at a time against four columns of a vector.
 * 4 rows by 16 columns, whose weights one instruction loads; 8 by 8 where there are no more columns. */
#include "ukernels/simd_neon.h"
#include "ukernels/ukernels.h"

enum { KR = 4, NR = 16, STEP_BYTES = KR * NR };

#include "ukernels/gemm_s8_neon.inc"

/* The weights of one step of k: 2 or 4 vectors of 4 columns. */
typedef struct weights {
  int8x16_t v[4];
} weights;

/* 64 bytes. */
static inline int8x16x4_t next_weights(const int8_t **w) {
  int8x16x4_t x;
#if defined(__clang__)
  x = vld1q_s8_x4(*w);
  *w += STEP_BYTES;
#else /* GCC moves the pointer by an instruction of its own */
  __asm__("ld1 {%S0.16b - %V0.16b}, [%1], #64" : "=w"(x), "+r"(*w) : "m"(*(const int8_t(*)[64])(const void *)*w));
#endif
  return x;
}

SAM_INLINE weights load_weights(const int8_t **w, int wide) {
  if (wide == 4) {
    const int8x16x4_t x = next_weights(w);
    return (weights){{x.val[0], x.val[1], x.val[2], x.val[3]}};
  }
  const weights x = {{vld1q_s8(*w), vld1q_s8(*w + 16)}};
  *w += STEP_BYTES;
  return x;
}

/* Four elements of k for all rows, from quarter `lane` of the registers q. */
#define STEP(lane)                                                  \
  do {                                                              \
    const weights x = load_weights(&w, wide);                       \
    SAM_UNROLL for (int v = 0; v < wide; v++) {                     \
      SAM_UNROLL for (int r = 0; r < rows; r++) acc[r * wide + v] = \
          vdotq_laneq_s32(acc[r * wide + v], x.v[v], q[r], lane);   \
    }                                                               \
  } while (0)

/* The next elements of a row, by loads that move the pointer, which compilers do not find. Thirty-two: */
static inline void next_pair(const int8_t **a, int8x16_t q[2]) {
  __asm__("ldp %q0, %q1, [%2], #32" : "=w"(q[0]), "=w"(q[1]), "+r"(*a) : "m"(*(const int8_t(*)[32])(const void *)*a));
}

/* Sixteen. */
static inline int8x16_t next_sixteen(const int8_t **a) {
  int8x16_t x;
  __asm__("ldr %q0, [%1], #16" : "=w"(x), "+r"(*a) : "m"(*(const int8_t(*)[16])(const void *)*a));
  return x;
}

/* Four, in every 32-bit lane. */
static inline int8x16_t next_four(const int8_t **a) {
  int8x16_t x;
  __asm__("ld1r {%0.4s}, [%1], #4" : "=w"(x), "+r"(*a) : "m"(*(const int8_t(*)[4])(const void *)*a));
  return x;
}

/* First values of sums without a rank-one term, loaded row by row: a copy would need twice the instructions. */
SAM_INLINE void begin_quick(const int32_t *bias, vi *acc, int rows, int wide) {
  SAM_UNROLL for (int r = 0; r < rows; r++) {
    __asm__("" : "+r"(bias));
    SAM_UNROLL for (int v = 0; v < wide; v++) acc[r * wide + v] = vi_load(bias + v * VF_N);
  }
}

/* wide: 2 or 4 vectors. Quick, unless it is OWN_LIMITS: whole vectors of columns to bytes without limits. */
SAM_INLINE void tile(const sam_s8_gemm_args *g, const int8_t *w, int64_t i, int32_t j, int rows, int wide,
                     const limits quick) {
  const uint32_t steps = ((uint32_t)g->k + KR - 1) / KR;
  vi acc[16];
  if (quick == PLAIN_S8)
    begin_quick(g->bias + j, acc, rows, wide);
  else
    begin(g, acc, i, j, rows, wide);
  for (int32_t t = 0; t < g->taps; t++) {
    const int8_t *a[8];
    SAM_UNROLL for (int r = 0; r < rows; r++) a[r] = (const int8_t *)g->a[i + r] + g->tap[t];
    if (rows <= 4) {
      for (uint32_t s = steps / 8; s > 0; s--) {
        int8x16_t pair[4][2], q[4];
        SAM_UNROLL for (int r = 0; r < rows; r++) next_pair(&a[r], pair[r]);
        SAM_UNROLL for (int half = 0; half < 2; half++) {
          SAM_UNROLL for (int r = 0; r < rows; r++) q[r] = pair[r][half];
          STEP(0);
          STEP(1);
          STEP(2);
          STEP(3);
        }
      }
    }
    for (uint32_t s = rows <= 4 ? steps / 4 % 2 : steps / 4; s > 0; s--) {
      int8x16_t q[8];
      SAM_UNROLL for (int r = 0; r < rows; r++) q[r] = next_sixteen(&a[r]);
      STEP(0);
      STEP(1);
      STEP(2);
      STEP(3);
    }
    for (uint32_t s = steps % 4; s > 0; s--) {
      int8x16_t q[8];
      SAM_UNROLL for (int r = 0; r < rows; r++) q[r] = next_four(&a[r]);
      STEP(0);
    }
  }
  if (quick != OWN_LIMITS)
    finish_whole(g, acc, i, j, rows, wide, quick);
  else
    finish(g, acc, i, j, rows, wide);
}

/* All rows from i on that fill tiles; functions of their own, for the registers. Each returns the first row left. */
#define ROWS(name, rows, wide, quick)                                                                                  \
  static __attribute__((noinline)) int64_t name(const sam_s8_gemm_args *args, const int8_t *w, int64_t i, int32_t j) { \
    const sam_s8_gemm_args g = *args;                                                                                  \
    for (; g.m - i >= rows; i += rows) tile(&g, w, i, j, rows, wide, quick);                                           \
    return i;                                                                                                          \
  }
ROWS(u8_four_by_16, 4, 4, PLAIN_U8)
ROWS(any_four_by_16, 4, 4, OWN_LIMITS)
ROWS(one_by_16, 1, 4, OWN_LIMITS)
ROWS(s8_eight_by_8, 8, 2, PLAIN_S8)
ROWS(any_eight_by_8, 8, 2, OWN_LIMITS)
ROWS(two_by_8, 2, 2, OWN_LIMITS)
ROWS(one_by_8, 1, 2, OWN_LIMITS)

#include "ukernels/gemm_s8_neondot_tiles.inc"

static void run(const sam_s8_gemm_args *g) {
  const size_t panel = (size_t)(g->taps + g->skipped) * (((size_t)g->k + KR - 1) / KR) * STEP_BYTES;
  const int8_t *w = g->w;
  const limits plain = g->out == SAM_GEMM_S8 ? limits_of(g) : OWN_LIMITS;
  for (int32_t j = 0; j < g->n; j += NR, w += panel) {
    const bool narrow = g->n - j <= NR / 2, whole = g->n - j >= (narrow ? NR / 2 : NR);
    const bool is_s8 = whole && plain == PLAIN_S8 && g->bias && !g->row, is_u8 = whole && plain == PLAIN_U8;
    if (narrow) {
      const int64_t i = is_s8 ? s8_eight_by_8(g, w, 0, j) : any_eight_by_8(g, w, 0, j);
      one_by_8(g, w, two_by_8(g, w, i, j), j);
    } else {
      const int64_t i = is_s8 && panel > 0 ? s8_four_by_16(g, w, j)
                        : is_u8            ? u8_four_by_16(g, w, 0, j)
                                           : any_four_by_16(g, w, 0, j);
      one_by_16(g, w, i, j);
    }
  }
}

sam_s8_gemm_t sam_s8_gemm__neondot = {.tile = {8, NR, KR, 20},
                                      .form = SAM_A_S8,
                                      .run = run,
                                      .convert = convert,
                                      .row_sums = row_sums,
                                      .magnitude = magnitude};
