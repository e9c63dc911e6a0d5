/* Samara: s16_gemm on WebAssembly. */
#include "ukernels/simd_wasmsimd.h"
#include "ukernels/ukernels.h"

enum { STEP_BYTES = 8 };

#define load_w v8_load_s8
#define load_a vi_load_same
static inline void add_wide(int64_t *y, vi v) {
  wasm_v128_store(y, wasm_i64x2_add(wasm_v128_load(y), wasm_i64x2_extend_low_i32x4(v)));
  wasm_v128_store(y + 2, wasm_i64x2_add(wasm_v128_load(y + 2), wasm_i64x2_extend_high_i32x4(v)));
}
#define DOT(acc, a, w) acc = vi_add_pairs(acc, a, w)

#include "ukernels/gemm_s16.inc"
#include "ukernels/gemm_s16_finish.inc"

sam_s16_gemm_t sam_s16_gemm__wasmsimd = {{ROWS, VF_N, KR, 4}, run, finish_s16};
