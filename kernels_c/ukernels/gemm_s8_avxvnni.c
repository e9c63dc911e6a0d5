/* Samara: s8_gemm with vpdpbusd in its VEX form, 256 bits; the left side is unsigned. */
#include "ukernels/simd_avx2.h"
#include "ukernels/ukernels.h"

enum { KR = 4, STEP_BYTES = 32 };

static inline vi load_w(const int8_t *p) { return _mm256_load_si256((const __m256i *)p); }
static inline vi load_a(const char *p) {
  int32_t x;
  __builtin_memcpy(&x, p, 4);
  return _mm256_set1_epi32(x);
}
#define DOT(acc, a, w) __asm__("%{vex%} vpdpbusd %2, %1, %0" : "+x"(acc) : "x"(a), "x"(w))

#include "ukernels/gemm_s8_avx2.inc"

static void convert(int64_t n, const uint8_t *x, uint8_t flip, void *to) {
  uint8_t *y = to;
  for (int64_t i = 0; i < n; i++) y[i] = x[i] ^ flip ^ 0x80;
}

static void row_sums(const sam_s8_gemm_args *g, int32_t *sums) {
  for (int64_t i = 0; i < g->m; i++) {
    int32_t sum = 0;
    for (int32_t t = 0; t < g->taps; t++) {
      const uint8_t *a = (const uint8_t *)g->a[i] + g->tap[t];
      for (int32_t k = 0; k < g->k; k++) sum += a[k];
    }
    sums[i] = (int32_t)((uint32_t)sum - 128u * (uint32_t)g->taps * (uint32_t)g->k);
  }
}

sam_s8_gemm_t sam_s8_gemm__avxvnni = {
    .tile = {6, 8, 4, 100}, .form = SAM_A_U8, .run = run, .convert = convert, .row_sums = row_sums};
