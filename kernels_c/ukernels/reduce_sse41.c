#include "ukernels/simd_sse41.h"

typedef struct byte_sums {
  __m128i low, high;
} byte_sums;
#define NO_BYTES ((byte_sums){_mm_setzero_si128(), _mm_setzero_si128()})
static inline byte_sums byte_sums_add(byte_sums s, vb x) {
  const __m128i zero = _mm_setzero_si128();
  return (byte_sums){_mm_add_epi16(s.low, _mm_unpacklo_epi8(x, zero)),
                     _mm_add_epi16(s.high, _mm_unpackhi_epi8(x, zero))};
}
static inline void byte_sums_store(uint16_t *p, byte_sums s) { v_store(p, s.low), v_store(p + 8, s.high); }

static inline vm still_real(vm real, vf a, vf b) { return vm_and(real, _mm_castps_si128(_mm_cmpord_ps(a, b))); }
static inline vi vi_add_bytes(vi total, vb x) { return _mm_add_epi64(total, _mm_sad_epu8(x, _mm_setzero_si128())); }
static inline int32_t vi_hmax(vi a) {
  const vi s = vi_max(a, _mm_unpackhi_epi64(a, a));
  return _mm_cvtsi128_si32(vi_max(s, _mm_shuffle_epi32(s, 1)));
}
/* The machine has the smallest of eight 16-bit numbers: of the complements, the smaller of two bytes each. */
static inline uint8_t vb_hmax(vb a) {
  const __m128i s = vm_not(a);
  return (uint8_t)~_mm_cvtsi128_si32(_mm_minpos_epu16(_mm_min_epu8(s, _mm_srli_epi16(s, 8))));
}

#include "ukernels/reduce.inc"
