#include "ukernels/simd_wasmsimd.h"

typedef struct byte_sums {
  v128_t low, high;
} byte_sums;
#define NO_BYTES ((byte_sums){wasm_i16x8_const_splat(0), wasm_i16x8_const_splat(0)})
static inline byte_sums byte_sums_add(byte_sums s, vb x) {
  return (byte_sums){wasm_i16x8_add(s.low, wasm_u16x8_extend_low_u8x16(x)),
                     wasm_i16x8_add(s.high, wasm_u16x8_extend_high_u8x16(x))};
}
static inline void byte_sums_store(uint16_t *p, byte_sums s) {
  wasm_v128_store(p, s.low), wasm_v128_store(p + 8, s.high);
}

static inline vm still_real(vm real, vf a, vf b) { return vm_and(real, vm_and(vf_eq(a, a), vf_eq(b, b))); }
static inline vi vi_add_bytes(vi total, vb x) {
  return vi_add(total, wasm_u32x4_extadd_pairwise_u16x8(wasm_u16x8_extadd_pairwise_u8x16(x)));
}
static inline int32_t vi_hmax(vi a) {
  const vi s = vi_max(a, v_upper(a));
  return wasm_i32x4_extract_lane(vi_max(s, v_second(s)), 0);
}
static inline uint8_t vb_hmax(vb a) {
  vb s = vb_max_u8(a, v_upper(a));
  s = vb_max_u8(s, v_second(s));
  s = vb_max_u8(s, wasm_u32x4_shr(s, 16));
  return wasm_u8x16_extract_lane(vb_max_u8(s, wasm_u32x4_shr(s, 8)), 0);
}

#include "ukernels/reduce.inc"
