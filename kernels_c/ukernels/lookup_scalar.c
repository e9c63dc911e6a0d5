#include "ukernels/ukernels.h"

void sam_u8_lookup__scalar(int64_t n, const void *px, void *py, const sam_unary_params *p) {
  const uint8_t *x = px, *table = p->table;
  uint8_t *y = py;
  for (int64_t i = 0; i < n; i++) y[i] = table[x[i]];
}
