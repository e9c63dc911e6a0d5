/* Sums of bytes in 16-bit lanes: 32 of them at a time. Interleaving a with b makes the pairs that one instruction
 * multiplies and adds; the packing at the end undoes it. */
#include "ukernels/simd_avx2.h"
#include "ukernels/ukernels.h"

typedef struct digits {
  __m256i weight[3], bias[3];
  __m128i shift;
} digits;

static inline digits spread_digits(const sam_digits *d) {
  digits v = {.shift = _mm_cvtsi32_si128(d->shift)};
  for (int k = 0; k < 3; k++) {
    v.weight[k] = _mm256_set1_epi16((short)(d->a[k] | d->b[k] << 8));
    v.bias[k] = _mm256_set1_epi16(d->bias[k]);
  }
  return v;
}

static inline __m256i sum_pairs(__m256i pairs, const digits *d) {
  __m256i carry = _mm256_srai_epi16(_mm256_add_epi16(_mm256_maddubs_epi16(d->weight[0], pairs), d->bias[0]), 7);
  __m256i sum = _mm256_add_epi16(_mm256_maddubs_epi16(d->weight[1], pairs), d->bias[1]);
  carry = _mm256_srai_epi16(_mm256_add_epi16(sum, carry), 7);
  sum = _mm256_add_epi16(_mm256_maddubs_epi16(d->weight[2], pairs), carry);
  return _mm256_sra_epi16(_mm256_adds_epi16(sum, d->bias[2]), d->shift);
}

static inline vb sum_digits(vb a, vb b, const digits *v) {
  return _mm256_packs_epi16(sum_pairs(_mm256_unpacklo_epi8(a, b), v), sum_pairs(_mm256_unpackhi_epi8(a, b), v));
}

enum { TOGETHER = 1 };
#include "ukernels/digits.inc"
