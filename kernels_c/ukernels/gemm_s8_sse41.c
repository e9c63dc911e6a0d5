/* Samara: s8_gemm on SSE4.1: both sides widened to 16 bits, pmaddwd, exact. */
#include "ukernels/simd_sse41.h"
#include "ukernels/ukernels.h"

enum { KR = 2, STEP_BYTES = 8 };

#define load_w v8_load_s8
#define load_a vi_load_same
#define DOT(acc, a, w) acc = vi_add_pairs(acc, a, w)
static inline void store_part(uint8_t *y, const uint8_t *x, size_t n) { memcpy(y, x, n); }

#include "ukernels/gemm_s16_form.inc"
#include "ukernels/gemm_s8.inc"

SAM_TILES(columns_4, 2, 1, 1, 4)
SAM_TILES(columns_2, 4, 2, 1, 2)
SAM_TILES(columns_1, 8, 4, 1, 1)

static void run(const sam_s8_gemm_args *g) {
  int32_t j = 0;
  for (; g->n - j > 3 * VF_N && g->m < 4; j += 4 * VF_N) columns_4(g, j);
  for (; g->n - j > VF_N; j += 2 * VF_N) columns_2(g, j);
  if (g->n - j > 0) columns_1(g, j);
}

sam_s8_gemm_t sam_s8_gemm__sse41 = {
    .tile = {4, VF_N, 2, 8}, .form = SAM_A_S16, .run = run, .convert = convert_s16, .row_sums = row_sums_s16};
