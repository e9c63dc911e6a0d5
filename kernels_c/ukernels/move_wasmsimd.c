/* Samara: moving elements with WebAssembly's 128-bit vectors. */
#include "ukernels/simd_wasmsimd.h"
#include "ukernels/ukernels.h"

static inline vb spread_64(uint64_t x) { return wasm_u64x2_splat(x); }
static inline vb low_8(vb a, vb b) {
  return wasm_i8x16_shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}
static inline vb high_8(vb a, vb b) {
  return wasm_i8x16_shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}
#define low_16 v8_zip_low
#define high_16 v8_zip_high
static inline vb low_32(vb a, vb b) { return wasm_i32x4_shuffle(a, b, 0, 4, 1, 5); }
static inline vb high_32(vb a, vb b) { return wasm_i32x4_shuffle(a, b, 2, 6, 3, 7); }
static inline vb low_64(vb a, vb b) { return wasm_i64x2_shuffle(a, b, 0, 2); }
static inline vb high_64(vb a, vb b) { return wasm_i64x2_shuffle(a, b, 1, 3); }

#include "ukernels/move_halves.inc"
