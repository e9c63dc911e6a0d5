/* Sums of bytes in 16-bit lanes: 64 of them at a time. Interleaving a with b makes the pairs that one instruction
 * multiplies and adds; the packing at the end undoes it. The third digit saturates where the result is out of range
 * anyway. */
#include <immintrin.h>

#include "ukernels/ukernels.h"

typedef struct digit_vectors {
  __m512i weight[3], bias[3], flip_a, flip_b, flip_y, lo, hi;
  __m128i shift;
} digit_vectors;

static inline __m512i sum_pairs(__m512i pairs, const digit_vectors *d) {
  __m512i carry = _mm512_srai_epi16(_mm512_add_epi16(_mm512_maddubs_epi16(d->weight[0], pairs), d->bias[0]), 7);
  __m512i sum = _mm512_add_epi16(_mm512_maddubs_epi16(d->weight[1], pairs), d->bias[1]);
  carry = _mm512_srai_epi16(_mm512_add_epi16(sum, carry), 7);
  sum = _mm512_add_epi16(_mm512_maddubs_epi16(d->weight[2], pairs), carry);
  return _mm512_sra_epi16(_mm512_adds_epi16(sum, d->bias[2]), d->shift);
}
static inline __m512i digit_sum(__m512i a, __m512i b, const digit_vectors *d) {
  a = _mm512_xor_si512(a, d->flip_a);
  b = _mm512_xor_si512(b, d->flip_b);
  const __m512i even = sum_pairs(_mm512_unpacklo_epi8(a, b), d), odd = sum_pairs(_mm512_unpackhi_epi8(a, b), d);
  const __m512i y = _mm512_max_epi8(_mm512_min_epi8(_mm512_packs_epi16(even, odd), d->hi), d->lo);
  return _mm512_xor_si512(y, d->flip_y);
}

void sam_digit_add__avx512(int64_t n, const void *pa, const void *pb, void *py, int steps, const sam_binary_params *p) {
  const uint8_t *a = pa, *b = pb;
  uint8_t *y = py;
  const sam_digits *d = &p->digits;
  digit_vectors v;
  if (n <= 0) return;
  for (int k = 0; k < 3; k++) {
    v.weight[k] = _mm512_set1_epi16((short)(d->a[k] | d->b[k] << 8));
    v.bias[k] = _mm512_set1_epi16(d->bias[k]);
  }
  v.flip_a = _mm512_set1_epi8((char)d->flip_a);
  v.flip_b = _mm512_set1_epi8((char)d->flip_b);
  v.flip_y = _mm512_set1_epi8((char)d->flip_y);
  v.lo = _mm512_set1_epi8(d->lo);
  v.hi = _mm512_set1_epi8(d->hi);
  v.shift = _mm_cvtsi32_si128(d->shift);
  int64_t i = 0;
#define LOOP(A, B)                                                                    \
  for (; i + 64 <= n; i += 64) _mm512_storeu_si512(y + i, digit_sum(A(i), B(i), &v)); \
  if (i < n) {                                                                        \
    const __mmask64 m = ((__mmask64)1 << (n - i)) - 1;                                \
    _mm512_mask_storeu_epi8(y + i, m, digit_sum(A##_PART(i), B##_PART(i), &v));       \
  }
#define A_ARRAY(i) _mm512_loadu_si512(a + i)
#define B_ARRAY(i) _mm512_loadu_si512(b + i)
#define A_ARRAY_PART(i) _mm512_maskz_loadu_epi8(m, a + i)
#define B_ARRAY_PART(i) _mm512_maskz_loadu_epi8(m, b + i)
#define ONE(i) one
#define ONE_PART(i) one
  if (steps == SAM_STEP_A) {
    const __m512i one = _mm512_set1_epi8((char)*b);
    LOOP(A_ARRAY, ONE)
  } else if (steps == SAM_STEP_B) {
    const __m512i one = _mm512_set1_epi8((char)*a);
    LOOP(ONE, B_ARRAY)
  } else {
    LOOP(A_ARRAY, B_ARRAY)
  }
}
