#include "ukernels/ukernels.h"

void sam_mul_periodic__scalar(int64_t n, int64_t at, int64_t period, const void *a, const void *b, void *y,
                              bool is_signed, const sam_binary_params *p) {
  sam_binary_kernel *const kernel = is_signed ? sam_s8_mul__scalar : sam_u8_mul__scalar;
  for (int64_t i = 0; i < n; i++)
    kernel(1, (const char *)a + i, (const char *)b + (at + i) % period, (char *)y + i, SAM_STEP_BOTH, p);
}
