/* Samara: s8_winograd, one value at a time: the meaning of the kind. Sums are modulo 2^32, as those of vectors are. */
#include "common/requant.h"
#include "ukernels/ukernels.h"

#define SAM_ADD(a, b) ((a) + (b))
#define SAM_SUB(a, b) ((a) - (b))
SAM_WINOGRAD_TRANSFORMS(u32, uint32_t, SAM_ADD, SAM_SUB)

static void input(int64_t n, const uint8_t *const d[16], uint8_t flip, int16_t *v, int64_t plane) {
  for (int64_t c = 0; c < n; c++) {
    uint32_t x[16];
    for (int p = 0; p < 16; p++) x[p] = (uint32_t)(int8_t)(d[p][c] ^ flip);
    spread_u32(x);
    for (int p = 0; p < 16; p++) v[p * plane + c] = (int16_t)(int32_t)x[p];
  }
}

static void multiply(const sam_s8_winograd_product *g) {
  for (int64_t i = 0; i < g->m; i++)
    for (int32_t j = 0; j < g->n; j++) {
      const int16_t *a = g->a + i * g->lda, *w = g->w + (int64_t)j * ((g->k + 1) / 2 * 2);
      uint32_t sum = 0;
      for (int32_t k = 0; k < g->k; k++) sum += (uint32_t)(a[k] * w[k]);
      g->y[i * g->ldy + j] = (int32_t)sum;
    }
}

static void output(int64_t n, const int32_t *m, int64_t plane, const sam_s8_winograd_end *e, uint8_t *const y[4]) {
  for (int64_t c = 0; c < n; c++) {
    uint32_t x[16], r[4];
    for (int p = 0; p < 16; p++) x[p] = (uint32_t)m[p * plane + c];
    gather_u32(x, r);
    for (int q = 0; q < 4; q++) {
      const int32_t sum = (int32_t)((uint32_t)((int32_t)r[q] / 4) + (uint32_t)e->start[c]);
      y[q][c] = (uint8_t)(sam_requant(sum, e->scale[c], e->zero_point, e->lo, e->hi) ^ e->flip);
    }
  }
}

sam_s8_winograd_t sam_s8_winograd__scalar = {
    .tile = {1, 1, 2, 1}, .lanes = 1, .input = input, .multiply = multiply, .output = output};
