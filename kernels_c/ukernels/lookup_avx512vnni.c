/* Tables of 256 bytes by VBMI: a two-register permutation holds 128 entries, bit 7 of the index chooses between two. */
#include <immintrin.h>

#include "ukernels/ukernels.h"

static inline __m512i look_up(__m512i x, const __m512i *t) {
  const __m512i low = _mm512_permutex2var_epi8(t[0], x, t[1]), high = _mm512_permutex2var_epi8(t[2], x, t[3]);
  return _mm512_mask_blend_epi8(_mm512_movepi8_mask(x), low, high);
}

void sam_u8_lookup__avx512vnni(int64_t n, const void *px, void *py, const sam_unary_params *p) {
  const uint8_t *x = px, *table = p->table;
  uint8_t *y = py;
  __m512i t[4];
  for (int k = 0; k < 4; k++) t[k] = _mm512_loadu_si512(table + 64 * k);
  int64_t i = 0;
  for (; i + 128 <= n; i += 128) {
    const __m512i y0 = look_up(_mm512_loadu_si512(x + i), t), y1 = look_up(_mm512_loadu_si512(x + i + 64), t);
    _mm512_storeu_si512(y + i, y0);
    _mm512_storeu_si512(y + i + 64, y1);
  }
  for (; i < n; i += 64) {
    const __mmask64 m = n - i >= 64 ? ~(__mmask64)0 : ((__mmask64)1 << (n - i)) - 1;
    _mm512_mask_storeu_epi8(y + i, m, look_up(_mm512_maskz_loadu_epi8(m, x + i), t));
  }
}
