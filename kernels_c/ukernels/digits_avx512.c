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
/* `flips`, `clamps`: known where this is called, so that int8 without an activation does without. */
static inline __m512i digit_sum(__m512i a, __m512i b, const digit_vectors *d, bool flips, bool clamps) {
  if (flips) a = _mm512_xor_si512(a, d->flip_a), b = _mm512_xor_si512(b, d->flip_b);
  const __m512i even = sum_pairs(_mm512_unpacklo_epi8(a, b), d), odd = sum_pairs(_mm512_unpackhi_epi8(a, b), d);
  __m512i y = _mm512_packs_epi16(even, odd);
  if (clamps) y = _mm512_max_epi8(_mm512_min_epi8(y, d->hi), d->lo);
  return flips ? _mm512_xor_si512(y, d->flip_y) : y;
}

static inline void run(int64_t n, const uint8_t *a, const uint8_t *b, uint8_t *y, int steps, const digit_vectors *v,
                       bool flips, bool clamps) {
  const __m512i a0 = _mm512_set1_epi8((char)*a), b0 = _mm512_set1_epi8((char)*b);
  int64_t i = 0;
#define SUM(A, B) digit_sum(A, B, v, flips, clamps)
#define LOAD(p) _mm512_loadu_si512(p)
  if (steps == SAM_STEP_A) {
    for (; i + 64 <= n; i += 64) _mm512_storeu_si512(y + i, SUM(LOAD(a + i), b0));
  } else if (steps == SAM_STEP_B) {
    for (; i + 64 <= n; i += 64) _mm512_storeu_si512(y + i, SUM(a0, LOAD(b + i)));
  } else {
    for (; i + 64 <= n; i += 64) _mm512_storeu_si512(y + i, SUM(LOAD(a + i), LOAD(b + i)));
  }
  if (i == n) return;
  const __mmask64 m = ((__mmask64)1 << (n - i)) - 1;
  const __m512i last_a = steps == SAM_STEP_B ? a0 : _mm512_maskz_loadu_epi8(m, a + i);
  const __m512i last_b = steps == SAM_STEP_A ? b0 : _mm512_maskz_loadu_epi8(m, b + i);
  _mm512_mask_storeu_epi8(y + i, m, SUM(last_a, last_b));
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
  const bool flips = d->flip_a || d->flip_b || d->flip_y, clamps = d->lo != -128 || d->hi != 127;
  if (flips)
    run(n, a, b, y, steps, &v, true, true);
  else if (clamps)
    run(n, a, b, y, steps, &v, false, true);
  else
    run(n, a, b, y, steps, &v, false, false);
}
