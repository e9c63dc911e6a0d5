/* Samara: f32_gemm on AVX-512. */
#include "ukernels/simd_avx512.h"
#include "ukernels/ukernels.h"

enum { MR = 12 };

#include "ukernels/gemm_f32.inc"
#include "ukernels/gemm_f32_few.inc"

SAM_TILES(columns_4, 6, 3, 2, 4)
SAM_TILES(columns_3, 8, 4, 2, 3)
SAM_TILES(columns_2, 12, 4, 2, 2)
SAM_TILES(columns_1, 16, 4, 1, 1)

static void run(const sam_f32_gemm_args *g) {
  int32_t j = 0;
  for (; g->n - j > 48; j += 64) columns_4(g, j);
  if (g->n - j > 32)
    columns_3(g, j);
  else if (g->n - j > 16)
    columns_2(g, j);
  else if (g->n - j > 0)
    columns_1(g, j);
}

static sam_f32_gemm_t few = {{24, 1, 1, 25}, few_run, NULL};
sam_f32_gemm_t sam_f32_gemm__avx512 = {{MR, 16, 1, 25}, run, &few};
