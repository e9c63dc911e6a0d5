/* Samara: the integer LSTM step, 8 lanes of WebAssembly. */
#include "ukernels/simd_wasmsimd.h"
#include "ukernels/ukernels.h"

enum { VH_N = 8 };
typedef v128_t vh;
typedef v128_t vw;

static inline vh vh_set(int16_t x) { return wasm_i16x8_splat(x); }
static inline vh vh_load(const int16_t *p) { return wasm_v128_load(p); }
static inline void vh_store(int16_t *p, vh a) { wasm_v128_store(p, a); }
static inline vh vh_add(vh a, vh b) { return wasm_i16x8_add(a, b); }
static inline vh vh_sub(vh a, vh b) { return wasm_i16x8_sub(a, b); }
static inline vh vh_adds(vh a, vh b) { return wasm_i16x8_add_sat(a, b); }
static inline vh vh_min(vh a, vh b) { return wasm_i16x8_min(a, b); }
static inline vh vh_max(vh a, vh b) { return wasm_i16x8_max(a, b); }
static inline vh vh_and(vh a, vh b) { return wasm_v128_and(a, b); }
static inline vh vh_shl(vh a, int n) { return wasm_i16x8_shl(a, (uint32_t)n); }
static inline vh vh_sar(vh a, int n) { return wasm_i16x8_shr(a, (uint32_t)n); }
static inline vh vh_average(vh a, vh b) { return wasm_u16x8_avgr(a, b); }
static inline vh vh_high(vh a, vh b) { return wasm_i16x8_q15mulr_sat(a, b); }
static inline vm vh_gt(vh a, vh b) { return wasm_i16x8_gt(a, b); }
static inline vm vh_is_zero(vh a) { return wasm_i16x8_eq(a, wasm_i16x8_const_splat(0)); }
static inline vm vh_test(vh a, vh bit) { return wasm_i16x8_eq(wasm_v128_and(a, bit), bit); }
static inline vh vh_select(vm m, vh a, vh b) { return wasm_v128_bitselect(a, b, m); }
static inline vw vw_load(const int32_t *p) { return wasm_v128_load(p); }
static inline vw vw_high(vw a, int32_t q) { return vi_mul_high(a, vi_set(q)); }
static inline vw vw_halve(vw a, int n) {
  const v128_t mask = wasm_i32x4_splat((int32_t)((1u << n) - 1));
  const v128_t threshold = wasm_i32x4_add(wasm_u32x4_shr(mask, 1), wasm_u32x4_shr(a, 31));
  return wasm_i32x4_sub(wasm_i32x4_shr(a, (uint32_t)n), wasm_i32x4_gt(wasm_v128_and(a, mask), threshold));
}
static inline vw vw_halve_small(vw a, int n) {
  const v128_t sum = wasm_i32x4_add(wasm_i32x4_add(a, wasm_i32x4_splat((1 << n) >> 1)), wasm_i32x4_shr(a, 31));
  return n ? wasm_i32x4_shr(sum, (uint32_t)n) : a;
}
static inline vh vh_narrow(vw a, vw b) { return wasm_i16x8_narrow_i32x4(a, b); }
static inline void vh_wide(vh a, vh b, vw *x, vw *y) {
  *x = wasm_i32x4_extmul_low_i16x8(a, b), *y = wasm_i32x4_extmul_high_i16x8(a, b);
}
static inline vh vh_join(vw x, vw y) { return vh_narrow(x, y); }
static inline void vh_store_s8(int8_t *p, vh a) { wasm_v128_store64_lane(p, wasm_i8x16_narrow_i16x8(a, a), 0); }

#define SAM_SIMD_LSTM(name) lstm_##name
#include "s16_lstm.inc"

sam_s16_lstm_t sam_s16_lstm__wasmsimd = {lstm_add, lstm_logistic, lstm_tanh, lstm_step};
