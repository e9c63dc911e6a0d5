#include "ukernels/simd_wasmsimd.h"

/* a * b / 2^31, halves up: bits 31 to 62 of the products. */
static inline vi vi_high(vi a, vi b) {
  const v128_t half = wasm_i64x2_const_splat(1 << 30);
  const v128_t low = wasm_i64x2_shr(wasm_i64x2_add(wasm_i64x2_extmul_low_i32x4(a, b), half), 31);
  const v128_t high = wasm_i64x2_shr(wasm_i64x2_add(wasm_i64x2_extmul_high_i32x4(a, b), half), 31);
  return wasm_i32x4_shuffle(low, high, 0, 2, 4, 6);
}

/* The body, over that vector layer: */
#include "ukernels/arith.inc"
