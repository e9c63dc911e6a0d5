#include "ukernels/simd_sse41.h"
#include "ukernels/ukernels.h"

/* The int4 in the lower, upper half of each byte, as int8. */
static inline vb low_s4(vb x) {
  const __m128i values = _mm_setr_epi8(0, 1, 2, 3, 4, 5, 6, 7, -8, -7, -6, -5, -4, -3, -2, -1);
  return _mm_shuffle_epi8(values, _mm_and_si128(x, vb_set(15)));
}
static inline vb high_s4(vb x) { return low_s4(_mm_srli_epi16(x, 4)); }

void sam_s4_open__sse41(int64_t n, const void *x, int8_t *y) {
  const char *from = x;
  int64_t i = 0;
  for (; i + 32 <= n; i += 32, from += 16) {
    const vb low = low_s4(vb_load(from)), high = high_s4(vb_load(from));
    vb_store(y + i, _mm_unpacklo_epi64(low, high));
    vb_store(y + i + 16, _mm_unpackhi_epi64(low, high));
  }
  if (i < n) sam_s4_open__scalar(n - i, from, y + i);
}
