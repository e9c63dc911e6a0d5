/* Samara: f32_gemm on AVX2 with FMA. */
#include "ukernels/simd_avx2.h"
#include "ukernels/ukernels.h"

enum { MR = 6 };

#include "ukernels/gemm_f32.inc"
#include "ukernels/gemm_f32_few.inc"

SAM_TILES(columns_2, 6, 3, 2, 2)
SAM_TILES(columns_1, 12, 4, 1, 1)

/* A single row has too few sums to hide the latency of a multiplication, unless it takes many columns at once. */
static int32_t single_row(const sam_f32_gemm_args *g) {
  int32_t j = 0;
  for (; g->n - j >= 64; j += 64) tile(g, 0, j, 1, 8);
  for (; g->n - j >= 32; j += 32) tile(g, 0, j, 1, 4);
  return j;
}

static void run(const sam_f32_gemm_args *g) {
  int32_t j = g->m == 1 ? single_row(g) : 0;
  for (; g->n - j > 8; j += 16) columns_2(g, j);
  if (g->n - j > 0) columns_1(g, j);
}

static sam_f32_gemm_t few = {{24, 1, 1, 12}, few_run, NULL};
sam_f32_gemm_t sam_f32_gemm__avx2 = {{MR, 8, 1, 12}, run, &few};
