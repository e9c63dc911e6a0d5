#include "ukernels/ukernels.h"

void sam_digit_add__scalar(int64_t n, const void *pa, const void *pb, void *py, int steps, const sam_binary_params *p) {
  const uint8_t *a = pa, *b = pb;
  uint8_t *y = py;
  const sam_digits *d = &p->digits;
  const int64_t da = steps == SAM_STEP_B ? 0 : 1, db = steps == SAM_STEP_A ? 0 : 1;
  for (int64_t i = 0; i < n; i++) {
    const int32_t u = (int8_t)(a[i * da] ^ d->flip_a), v = (int8_t)(b[i * db] ^ d->flip_b);
    int32_t sum = 0;
    for (int k = 0; k < 3; k++) sum = (sum >> 7) + u * d->a[k] + v * d->b[k] + d->bias[k];
    y[i] = (uint8_t)((uint8_t)sam_clamp32(sam_clamp32(sum, -32768, 32767) >> d->shift, d->lo, d->hi) ^ d->flip_y);
  }
}
