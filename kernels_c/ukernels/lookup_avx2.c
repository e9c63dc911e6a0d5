/* Tables of 256 bytes by sixteen shuffles of 16 entries each. Bits 4 and 5 of the index choose among four of them: a
 * shuffle gives zero where bit 7 of its index is set, so of four results three are zeros and their union is the fourth.
 * That takes any vector unit, where blends, by which bits 6 and 7 choose, take two of them. 40 operations for 32 bytes.
 */
#include <immintrin.h>

#include "ukernels/ukernels.h"

/* Of 64 entries; index[i] is below 128 where the entry is one of the i-th 16. */
static inline __m256i quarter(const uint8_t *table, const __m256i index[4]) {
  __m256i part[4];
  for (int i = 0; i < 4; i++) {
    const __m256i entries = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(table + 16 * i)));
    part[i] = _mm256_shuffle_epi8(entries, index[i]);
  }
  return _mm256_or_si256(_mm256_or_si256(part[0], part[1]), _mm256_or_si256(part[2], part[3]));
}

void sam_u8_lookup__avx2(int64_t n, const void *px, void *py, const sam_unary_params *p) {
  const uint8_t *x = px, *table = p->table;
  uint8_t *y = py;
  int64_t i = 0;
  for (; i + 32 <= n; i += 32) {
    const __m256i bytes = _mm256_loadu_si256((const __m256i *)(x + i));
    const __m256i low = _mm256_and_si256(bytes, _mm256_set1_epi8(63)), bit6 = _mm256_slli_epi16(bytes, 1);
    __m256i index[4];
    for (int e = 0; e < 4; e++) /* what is 16 or more gets bit 7 */
      index[e] = _mm256_add_epi8(_mm256_xor_si256(low, _mm256_set1_epi8((char)(16 * e))), _mm256_set1_epi8(0x70));
    const __m256i a = _mm256_blendv_epi8(quarter(table, index), quarter(table + 64, index), bit6);
    const __m256i b = _mm256_blendv_epi8(quarter(table + 128, index), quarter(table + 192, index), bit6);
    _mm256_storeu_si256((__m256i *)(y + i), _mm256_blendv_epi8(a, b, bytes));
  }
  for (; i < n; i++) y[i] = table[x[i]];
}
