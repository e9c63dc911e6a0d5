/* Samara: f32_gemm on SSE4.1: sixteen registers, and a product needs one until it is added. */
#include "ukernels/simd_sse41.h"
#include "ukernels/ukernels.h"

enum { MR = 4 };

#include "ukernels/gemm_f32.inc"
#include "ukernels/gemm_f32_few.inc"

SAM_TILES(columns_2, 4, 2, 1, 2)
SAM_TILES(columns_1, 8, 4, 1, 1)

/* A single row has too few sums to hide the latency of an addition, unless it takes many columns at once. */
static int32_t single_row(const sam_f32_gemm_args *g) {
  int32_t j = 0;
  for (; g->n - j >= 32; j += 32) tile(g, 0, j, 1, 8);
  return j;
}

static void run(const sam_f32_gemm_args *g) {
  int32_t j = g->m == 1 ? single_row(g) : 0;
  for (; g->n - j > VF_N; j += 2 * VF_N) columns_2(g, j);
  if (g->n - j > 0) columns_1(g, j);
}

static sam_f32_gemm_t few = {{24, 1, 1, 4}, few_run, NULL};
sam_f32_gemm_t sam_f32_gemm__sse41 = {{MR, VF_N, 1, 4}, run, &few};
