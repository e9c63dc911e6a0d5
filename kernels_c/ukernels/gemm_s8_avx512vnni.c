/* Samara: s8_gemm with vpdpbusd, 512 bits. The left side is unsigned (int8 + 128), so that it can be broadcast straight
 * from memory by a load port, without a flip in the inner loop. */
#include "ukernels/simd_avx512.h"
#include "ukernels/dpbusd.h"
#include "ukernels/ukernels.h"

enum { KR = 4, STEP_BYTES = 64 };

static inline vi load_w(const int8_t *p) { return _mm512_load_si512(p); }
static inline vi load_a(const char *p) {
  int32_t x;
  __builtin_memcpy(&x, p, 4);
  return _mm512_set1_epi32(x);
}
#define DOT SAM_DPBUSD

#include "ukernels/gemm_s8_avx512.inc"

static void convert(int64_t n, const uint8_t *x, uint8_t flip, void *to) {
  const vb bits = vb_set(flip ^ 0x80);
  int64_t i = 0;
  for (; i + VB_N <= n; i += VB_N) vb_store((uint8_t *)to + i, vb_xor(vb_load(x + i), bits));
  if (i < n) vb_store_n((uint8_t *)to + i, vb_xor(vb_load_n(x + i, (size_t)(n - i)), bits), (size_t)(n - i));
}

/* Against ones, 64 values at a time; the 128 of every value is taken off at the end. */
static void row_sums(const sam_s8_gemm_args *g, int32_t *sums) {
  const __m512i ones = _mm512_set1_epi8(1);
  for (int64_t i = 0; i < g->m; i++) {
    __m512i sum = _mm512_setzero_si512();
    for (int32_t t = 0; t < g->taps; t++) {
      const uint8_t *a = (const uint8_t *)g->a[i] + g->tap[t];
      int32_t k = 0;
      for (; k + 64 <= g->k; k += 64) DOT(sum, vb_load(a + k), ones);
      if (k < g->k) DOT(sum, vb_load_n(a + k, (size_t)(g->k - k)), ones);
    }
    sums[i] = (int32_t)((uint32_t)_mm512_reduce_add_epi32(sum) - 128u * (uint32_t)g->taps * (uint32_t)g->k);
  }
}

sam_s8_gemm_t sam_s8_gemm__avx512vnni = {
    .tile = {6, 16, 4, 200}, .form = SAM_A_U8, .run = run, .convert = convert, .row_sums = row_sums};
