#include "ukernels/simd_wasmsimd.h"
#include "ukernels/ukernels.h"

void sam_s4_open__wasmsimd(int64_t n, const void *x, int8_t *y) {
  const char *from = x;
  int64_t i = 0;
  for (; i + 32 <= n; i += 32, from += 16) {
    const vb both = vb_load(from);
    const vb low = wasm_i8x16_shr(wasm_i8x16_shl(both, 4), 4), high = wasm_i8x16_shr(both, 4);
    vb_store(y + i, wasm_i64x2_shuffle(low, high, 0, 2));
    vb_store(y + i + 16, wasm_i64x2_shuffle(low, high, 1, 3));
  }
  if (i < n) sam_s4_open__scalar(n - i, from, y + i);
}
