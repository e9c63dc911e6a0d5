/* Tables of 256 bytes without VBMI: as in lookup_avx2.c, with registers for all sixteen parts. */
#include <immintrin.h>

#include "ukernels/ukernels.h"

void sam_u8_lookup__avx512(int64_t n, const void *px, void *py, const sam_unary_params *p) {
  const uint8_t *x = px, *table = p->table;
  uint8_t *y = py;
  __m512i t[16];
  for (int k = 0; k < 16; k++) t[k] = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)(table + 16 * k)));
  const __m512i bias = _mm512_set1_epi8(112), sixteen = _mm512_set1_epi8(16);
  for (int64_t i = 0; i < n; i += 64) {
    const __mmask64 m = n - i >= 64 ? ~(__mmask64)0 : ((__mmask64)1 << (n - i)) - 1;
    __m512i u = _mm512_maskz_loadu_epi8(m, x + i), a = _mm512_setzero_si512();
    for (int k = 0; k < 16; k++) {
      a = _mm512_or_si512(a, _mm512_shuffle_epi8(t[k], _mm512_adds_epu8(u, bias)));
      u = _mm512_sub_epi8(u, sixteen);
    }
    _mm512_mask_storeu_epi8(y + i, m, a);
  }
}
