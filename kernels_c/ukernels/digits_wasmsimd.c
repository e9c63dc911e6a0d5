/* Sums of bytes in 16-bit lanes: 8 of them at a time. */
#include "ukernels/simd_wasmsimd.h"
#include "ukernels/ukernels.h"

typedef struct digits {
  v128_t a[3], b[3], bias[3];
  uint32_t shift;
} digits;

static inline digits spread_digits(const sam_digits *d) {
  digits v = {.shift = (uint32_t)d->shift};
  for (int k = 0; k < 3; k++) {
    v.a[k] = wasm_i16x8_splat(d->a[k]), v.b[k] = wasm_i16x8_splat(d->b[k]);
    v.bias[k] = wasm_i16x8_splat(d->bias[k]);
  }
  return v;
}

/* a * b of one digit plus what comes from the one below. */
static inline v128_t digit(v128_t a, v128_t b, const digits *d, int k, v128_t carry) {
  return wasm_i16x8_add(wasm_i16x8_add(wasm_i16x8_mul(a, d->a[k]), wasm_i16x8_mul(b, d->b[k])), carry);
}

static inline v128_t sum_words(v128_t a, v128_t b, const digits *d) {
  const v128_t first = wasm_i16x8_shr(digit(a, b, d, 0, d->bias[0]), 7);
  const v128_t second = wasm_i16x8_shr(digit(a, b, d, 1, wasm_i16x8_add(first, d->bias[1])), 7);
  return wasm_i16x8_shr(wasm_i16x8_add_sat(digit(a, b, d, 2, second), d->bias[2]), d->shift);
}

static inline vb sum_digits(vb a, vb b, const digits *d) {
  return wasm_i8x16_narrow_i16x8(sum_words(wasm_i16x8_extend_low_i8x16(a), wasm_i16x8_extend_low_i8x16(b), d),
                                 sum_words(wasm_i16x8_extend_high_i8x16(a), wasm_i16x8_extend_high_i8x16(b), d));
}

enum { TOGETHER = 1 };
#include "ukernels/digits.inc"
