/* Samara: s16_gemm on SSE4.1. */
#include "ukernels/simd_sse41.h"
#include "ukernels/ukernels.h"

enum { STEP_BYTES = 8 };

#define load_w v8_load_s8
#define load_a vi_load_same
static inline void add_wide(int64_t *y, vi v) {
  v_store(y, _mm_add_epi64(v_load(y), _mm_cvtepi32_epi64(v)));
  v_store(y + 2, _mm_add_epi64(v_load(y + 2), _mm_cvtepi32_epi64(_mm_unpackhi_epi64(v, v))));
}
#define DOT(acc, a, w) acc = vi_add_pairs(acc, a, w)

#include "ukernels/gemm_s16.inc"
#include "ukernels/gemm_s16_finish.inc"

sam_s16_gemm_t sam_s16_gemm__sse41 = {{ROWS, VF_N, KR, 4}, run, finish_s16};
