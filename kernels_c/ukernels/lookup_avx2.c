/* Tables of 256 bytes by sixteen shuffles of 16 entries each; bits 4 to 7 of the index then choose among them, pair by
 * pair: 35 operations for 32 bytes. */
#include <immintrin.h>

#include "ukernels/ukernels.h"

/* Where `bit`, the upper bit of each byte, is set: b. */
static inline __m256i choose(__m256i a, __m256i b, __m256i bit) { return _mm256_blendv_epi8(a, b, bit); }

typedef struct index_bits {
  __m256i low, bit4, bit5, bit6, bit7;
} index_bits;

static inline index_bits bits_of(__m256i x) {
  return (index_bits){_mm256_and_si256(x, _mm256_set1_epi8(15)), _mm256_slli_epi16(x, 3), _mm256_slli_epi16(x, 2),
                      _mm256_slli_epi16(x, 1), x};
}

static inline __m256i entries(const uint8_t *table, __m256i low) {
  return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)table)), low);
}

/* Of 64 entries, by bits 0 to 5. */
static inline __m256i quarter(const uint8_t *table, const index_bits *x) {
  const __m256i a = choose(entries(table, x->low), entries(table + 16, x->low), x->bit4);
  const __m256i b = choose(entries(table + 32, x->low), entries(table + 48, x->low), x->bit4);
  return choose(a, b, x->bit5);
}

static inline __m256i half(const uint8_t *table, const index_bits *x) {
  return choose(quarter(table, x), quarter(table + 64, x), x->bit6);
}

void sam_u8_lookup__avx2(int64_t n, const void *px, void *py, const sam_unary_params *p) {
  const uint8_t *x = px, *table = p->table;
  uint8_t *y = py;
  int64_t i = 0;
  for (; i + 32 <= n; i += 32) {
    const index_bits bits = bits_of(_mm256_loadu_si256((const __m256i *)(x + i)));
    const __m256i found = choose(half(table, &bits), half(table + 128, &bits), bits.bit7);
    _mm256_storeu_si256((__m256i *)(y + i), found);
  }
  for (; i < n; i++) y[i] = table[x[i]];
}
