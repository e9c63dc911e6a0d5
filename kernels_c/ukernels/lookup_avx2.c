/* Tables of 256 bytes by sixteen shuffles of 16 entries. A shuffle gives 0 where bit 7 of the index is set: of
 * saturating x - 16 k + 112, bits 7 are clear for the k-th sixteen alone. */
#include <immintrin.h>

#include "ukernels/ukernels.h"

void sam_u8_lookup__avx2(int64_t n, const void *px, void *py, const sam_unary_params *p) {
  const uint8_t *x = px, *table = p->table;
  uint8_t *y = py;
  int64_t i = 0;
  __m256i t[16];
  for (int k = 0; k < 16; k++) t[k] = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(table + 16 * k)));
  const __m256i bias = _mm256_set1_epi8(112), sixteen = _mm256_set1_epi8(16);
  for (; i + 64 <= n; i += 64) {
    __m256i u = _mm256_loadu_si256((const __m256i *)(x + i)), v = _mm256_loadu_si256((const __m256i *)(x + i + 32));
    __m256i a = _mm256_setzero_si256(), b = a;
    for (int k = 0; k < 16; k++) {
      a = _mm256_or_si256(a, _mm256_shuffle_epi8(t[k], _mm256_adds_epu8(u, bias)));
      b = _mm256_or_si256(b, _mm256_shuffle_epi8(t[k], _mm256_adds_epu8(v, bias)));
      u = _mm256_sub_epi8(u, sixteen);
      v = _mm256_sub_epi8(v, sixteen);
    }
    _mm256_storeu_si256((__m256i *)(y + i), a);
    _mm256_storeu_si256((__m256i *)(y + i + 32), b);
  }
  for (; i < n; i++) y[i] = table[x[i]];
}
