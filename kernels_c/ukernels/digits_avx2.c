/* Sums of bytes in 16-bit lanes: 32 of them at a time. Interleaving a with b makes the pairs that one instruction
 * multiplies and adds; the packing at the end undoes it. The third digit saturates where the result is out of range
 * anyway. */
#include <immintrin.h>
#include <string.h>

#include "ukernels/ukernels.h"

typedef struct digit_vectors {
  __m256i weight[3], bias[3], flip_a, flip_b, flip_y, lo, hi;
  __m128i shift;
} digit_vectors;

static inline __m256i sum_pairs(__m256i pairs, const digit_vectors *d) {
  __m256i carry = _mm256_srai_epi16(_mm256_add_epi16(_mm256_maddubs_epi16(d->weight[0], pairs), d->bias[0]), 7);
  __m256i sum = _mm256_add_epi16(_mm256_maddubs_epi16(d->weight[1], pairs), d->bias[1]);
  carry = _mm256_srai_epi16(_mm256_add_epi16(sum, carry), 7);
  sum = _mm256_add_epi16(_mm256_maddubs_epi16(d->weight[2], pairs), carry);
  return _mm256_sra_epi16(_mm256_adds_epi16(sum, d->bias[2]), d->shift);
}
/* `flips`, `clamps`: known where this is called, so that int8 without an activation does without. */
static inline __m256i digit_sum(__m256i a, __m256i b, const digit_vectors *d, bool flips, bool clamps) {
  if (flips) a = _mm256_xor_si256(a, d->flip_a), b = _mm256_xor_si256(b, d->flip_b);
  const __m256i even = sum_pairs(_mm256_unpacklo_epi8(a, b), d), odd = sum_pairs(_mm256_unpackhi_epi8(a, b), d);
  __m256i y = _mm256_packs_epi16(even, odd);
  if (clamps) y = _mm256_max_epi8(_mm256_min_epi8(y, d->hi), d->lo);
  return flips ? _mm256_xor_si256(y, d->flip_y) : y;
}

static inline void run(int64_t n, const uint8_t *a, const uint8_t *b, uint8_t *y, int steps, const digit_vectors *v,
                       bool flips, bool clamps) {
  const __m256i a0 = _mm256_set1_epi8((char)*a), b0 = _mm256_set1_epi8((char)*b);
  int64_t i = 0;
#define SUM(A, B) digit_sum(A, B, v, flips, clamps)
#define LOAD(p) _mm256_loadu_si256((const __m256i *)(p))
#define STORE(p, x) _mm256_storeu_si256((__m256i *)(p), x)
  if (steps == SAM_STEP_A) {
    for (; i + 32 <= n; i += 32) STORE(y + i, SUM(LOAD(a + i), b0));
  } else if (steps == SAM_STEP_B) {
    for (; i + 32 <= n; i += 32) STORE(y + i, SUM(a0, LOAD(b + i)));
  } else {
    for (; i + 32 <= n; i += 32) STORE(y + i, SUM(LOAD(a + i), LOAD(b + i)));
  }
  if (i == n) return;
  const size_t m = (size_t)(n - i);
  uint8_t ends[2][32] = {{0}}, result[32];
  memcpy(ends[0], a + (steps == SAM_STEP_B ? 0 : i), steps == SAM_STEP_B ? 1 : m);
  memcpy(ends[1], b + (steps == SAM_STEP_A ? 0 : i), steps == SAM_STEP_A ? 1 : m);
  STORE(result, SUM(steps == SAM_STEP_B ? a0 : LOAD(ends[0]), steps == SAM_STEP_A ? b0 : LOAD(ends[1])));
  memcpy(y + i, result, m);
}

void sam_digit_add__avx2(int64_t n, const void *pa, const void *pb, void *py, int steps, const sam_binary_params *p) {
  const uint8_t *a = pa, *b = pb;
  uint8_t *y = py;
  const sam_digits *d = &p->digits;
  digit_vectors v;
  if (n <= 0) return;
  for (int k = 0; k < 3; k++) {
    v.weight[k] = _mm256_set1_epi16((short)(d->a[k] | d->b[k] << 8));
    v.bias[k] = _mm256_set1_epi16(d->bias[k]);
  }
  v.flip_a = _mm256_set1_epi8((char)d->flip_a);
  v.flip_b = _mm256_set1_epi8((char)d->flip_b);
  v.flip_y = _mm256_set1_epi8((char)d->flip_y);
  v.lo = _mm256_set1_epi8(d->lo);
  v.hi = _mm256_set1_epi8(d->hi);
  v.shift = _mm_cvtsi32_si128(d->shift);
  const bool flips = d->flip_a || d->flip_b || d->flip_y, clamps = d->lo != -128 || d->hi != 127;
  if (flips)
    run(n, a, b, y, steps, &v, true, true);
  else if (clamps)
    run(n, a, b, y, steps, &v, false, true);
  else
    run(n, a, b, y, steps, &v, false, false);
}
