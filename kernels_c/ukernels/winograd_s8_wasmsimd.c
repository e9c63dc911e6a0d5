#include "ukernels/simd_wasmsimd.h"

#define VW_N 8
#define WIDE 2
typedef v128_t vw;
static inline vw vw_add(vw a, vw b) { return wasm_i16x8_add(a, b); }
static inline vw vw_sub(vw a, vw b) { return wasm_i16x8_sub(a, b); }
static inline void vw_store(int16_t *p, vw v) { wasm_v128_store(p, v); }
static inline vw vw_load_s8(const uint8_t *p, uint8_t flip) {
  return wasm_i16x8_extend_low_i8x16(vb_xor(wasm_v128_load64_zero(p), vb_set(flip)));
}
#define load_pair vi_load_same
static inline vi load_pairs(const int16_t *p) { return wasm_v128_load(p); }
#define DOT(acc, a, w) acc = vi_add_pairs(acc, a, w)

/* The body, over that vector layer: */
#include "ukernels/winograd_s8.inc"
