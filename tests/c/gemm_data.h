/* Data for the tests and the benchmark of the matrix kernels: packed operands in the layout a kernel wants. */
#ifndef SAMARA_GEMM_DATA_H
#define SAMARA_GEMM_DATA_H

#include <stdbool.h>

#include "test.h"
#include "ukernels/ukernels.h"

static inline void *gemm_room(size_t bytes) {
  void *p = aligned_alloc(64, (bytes + 127) / 64 * 64);
  if (!p) exit(1);
  memset(p, 0, (bytes + 127) / 64 * 64);
  return p;
}

/* Columns of `n` in panels of nr, k in steps of kr; element (column, tap, k) of the plain [n][taps][k] matrix `w`. */
static inline void *gemm_pack(const void *w, size_t element, int n, int taps, int k, sam_gemm_tile tile) {
  const int steps = (k + tile.kr - 1) / tile.kr, panels = (n + tile.nr - 1) / tile.nr;
  const size_t bytes = (size_t)panels * (size_t)taps * (size_t)steps * (size_t)(tile.kr * tile.nr) * element;
  char *packed = gemm_room(bytes), *to = packed;
  for (int j = 0; j < panels * tile.nr; j += tile.nr)
    for (int t = 0; t < taps; t++)
      for (int s = 0; s < steps; s++)
        for (int c = 0; c < tile.nr; c++)
          for (int d = 0; d < tile.kr; d++, to += element)
            if (j + c < n && s * tile.kr + d < k)
              memcpy(
                  to,
                  (const char *)w +
                      (((size_t)(j + c) * (size_t)taps + (size_t)t) * (size_t)k + (size_t)(s * tile.kr + d)) * element,
                  element);
  return packed;
}

#endif
