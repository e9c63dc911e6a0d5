#include "ukernels/simd_avx2.h"
#include "ukernels/ukernels.h"

void sam_s4_open__avx2(int64_t n, const void *x, int8_t *y) {
  const char *from = x;
  int64_t i = 0;
  for (; i + 64 <= n; i += 64, from += 32) {
    const __m256i both = _mm256_loadu_si256((const __m256i *)from);
    const __m256i a = vb_low_s4(both), b = vb_high_s4(both);
    const __m256i even = _mm256_unpacklo_epi64(a, b), odd = _mm256_unpackhi_epi64(a, b); /* groups 0 2 and 1 3 */
    __m128i *to = (__m128i *)(y + i);
    _mm_storeu_si128(to, _mm256_castsi256_si128(even));
    _mm_storeu_si128(to + 1, _mm256_castsi256_si128(odd));
    _mm_storeu_si128(to + 2, _mm256_extracti128_si256(even, 1));
    _mm_storeu_si128(to + 3, _mm256_extracti128_si256(odd, 1));
  }
  if (i < n) sam_s4_open__scalar(n - i, from, y + i);
}
