/* Samara: s8_winograd, one value at a time: the meaning of the kind. Sums are modulo 2^32, as those of vectors are. */
#include "common/requant.h"
#include "ukernels/ukernels.h"

#define SAM_ADD(a, b) ((a) + (b))
#define SAM_SUB(a, b) ((a) - (b))
SAM_WINOGRAD_TRANSFORMS(u32, uint32_t, SAM_ADD, SAM_SUB)
SAM_WINOGRAD_TRANSFORMS_6(u32, uint32_t, SAM_ADD, SAM_SUB)

static void input(int64_t n, const uint8_t *const *d, uint8_t flip, int16_t *v, int64_t plane, int places) {
  for (int64_t c = 0; c < n; c++) {
    uint32_t x[36];
    for (int p = 0; p < places; p++) x[p] = (uint32_t)(int8_t)(d[p][c] ^ flip);
    if (places == 16)
      spread_u32(x);
    else
      spread6_u32(x);
    for (int p = 0; p < places; p++) v[p * plane + c] = (int16_t)(int32_t)x[p];
  }
}
static void input_two(int64_t n, const uint8_t *const *d, uint8_t flip, int16_t *v, int64_t plane) {
  input(n, d, flip, v, plane, 16);
}
static void input_four(int64_t n, const uint8_t *const *d, uint8_t flip, int16_t *v, int64_t plane) {
  input(n, d, flip, v, plane, 36);
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

static uint8_t finish(int32_t sum, int64_t c, const sam_s8_winograd_end *e) {
  sum = (int32_t)((uint32_t)sum + (uint32_t)e->start[c]);
  return (uint8_t)(sam_requant(sum, e->scale[c], e->zero_point, e->lo, e->hi) ^ e->flip);
}

static void output_two(int64_t n, const int32_t *m, int64_t plane, const sam_s8_winograd_end *e, uint8_t *const *y) {
  for (int64_t c = 0; c < n; c++) {
    uint32_t x[16], r[4];
    for (int p = 0; p < 16; p++) x[p] = (uint32_t)m[p * plane + c];
    gather_u32(x, r);
    for (int q = 0; q < 4; q++) y[q][c] = finish((int32_t)r[q] / 4, c, e);
  }
}

static void output_four(int64_t n, const int32_t *m, int64_t plane, const sam_s8_winograd_end *e, uint8_t *const *y) {
  for (int64_t c = 0; c < n; c++) {
    uint32_t x[36], r[16];
    for (int p = 0; p < 36; p++) x[p] = (uint32_t)m[p * plane + c];
    gather6_u32(x, r);
    for (int q = 0; q < 16; q++)
      y[q][c] = finish((int32_t)(r[q] * SAM_WINOGRAD_NINTH) >> SAM_WINOGRAD_SHIFT(q), c, e);
  }
}

sam_s8_winograd_t sam_s8_winograd__scalar = {.tile = {1, 1, 2, 1},
                                             .lanes = 1,
                                             .multiply = multiply,
                                             .two = {input_two, output_two},
                                             .four = {input_four, output_four}};
