/* Tables of 256 bytes, 32 at a time.
 *
 * Smooth ones as curves (common/curve.h): a shuffle fetches for each byte what its piece says, 24 operations, half of
 * them for the two units that shuffle.
 *
 * Two lines (sam_lines): 17 operations.
 *
 * Others by sixteen shuffles of 16 entries each. Bits 4 and 5 of the index choose among four of them: a shuffle gives
 * zero where bit 7 of its index is set, so of four results three are zeros and their union is the fourth. That takes
 * any vector unit, where blends, by which bits 6 and 7 choose, take two of them. 40 operations. */
#include <immintrin.h>

#include "ukernels/ukernels.h"

static inline __m256i sixteen(const void *p) {
  return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)p));
}

static int64_t by_curve(int64_t n, const uint8_t *x, uint8_t *y, const sam_curve *c) {
  static const uint8_t hump[16] = {SAM_CURVE_HUMP};
  static const uint8_t bit[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
  const __m256i start = sixteen(c->start), slope = sixteen(c->slope), bend = sixteen(c->bend), humps = sixteen(hump);
  const __m256i bits = sixteen(bit), row0 = sixteen(c->row[0]), row8 = sixteen(c->row[1]);
  const __m256i nibble = _mm256_set1_epi8(15), scale = _mm256_set1_epi16((int16_t)(1 << (15 - c->shift)));
  int64_t i = 0;
  for (; i + 32 <= n; i += 32) {
    const __m256i v = _mm256_loadu_si256((const __m256i *)(x + i)), l = _mm256_and_si256(v, nibble);
    /* The upper halves of all bytes down by a product: shifts take the units that shuffle. */
    const __m256i h = _mm256_mulhi_epu16(_mm256_andnot_si256(nibble, v), _mm256_set1_epi16(1 << 12));
    const __m256i q = _mm256_shuffle_epi8(humps, l);
    const __m256i s = _mm256_shuffle_epi8(slope, h), b = _mm256_shuffle_epi8(bend, h);
    const __m256i low = _mm256_maddubs_epi16(_mm256_unpacklo_epi8(l, q), _mm256_unpacklo_epi8(s, b));
    const __m256i high = _mm256_maddubs_epi16(_mm256_unpackhi_epi8(l, q), _mm256_unpackhi_epi8(s, b));
    const __m256i near = _mm256_packs_epi16(_mm256_mulhrs_epi16(low, scale), _mm256_mulhrs_epi16(high, scale));
    const __m256i rows = _mm256_blendv_epi8(_mm256_shuffle_epi8(row0, l), _mm256_shuffle_epi8(row8, l), v);
    const __m256i more = _mm256_min_epu8(_mm256_and_si256(rows, _mm256_shuffle_epi8(bits, h)), _mm256_set1_epi8(1));
    const __m256i sum = _mm256_add_epi8(_mm256_add_epi8(near, _mm256_shuffle_epi8(start, h)), more);
    _mm256_storeu_si256((__m256i *)(y + i), sum);
  }
  return i;
}

#define LINE(v, i) _mm256_adds_epi16(_mm256_mulhrs_epi16(v, slope##i), start##i)
static int64_t by_lines(int64_t n, const uint8_t *x, uint8_t *y, const sam_lines *l) {
  const __m256i slope0 = _mm256_set1_epi16(l->slope[0]), slope1 = _mm256_set1_epi16(l->slope[1]);
  const __m256i start0 = _mm256_set1_epi16(l->start[0]), start1 = _mm256_set1_epi16(l->start[1]);
  const __m256i fraction = _mm256_set1_epi8((char)l->fraction), flip = _mm256_set1_epi8((char)l->flip);
  const __m128i shift = _mm_cvtsi32_si128(l->shift);
  int64_t i = 0;
  for (; i + 32 <= n; i += 32) {
    const __m256i v = _mm256_xor_si256(_mm256_loadu_si256((const __m256i *)(x + i)), flip);
    const __m256i a = _mm256_unpacklo_epi8(fraction, v), b = _mm256_unpackhi_epi8(fraction, v);
    const __m256i low = _mm256_sra_epi16(_mm256_max_epi16(LINE(a, 0), LINE(a, 1)), shift);
    const __m256i high = _mm256_sra_epi16(_mm256_max_epi16(LINE(b, 0), LINE(b, 1)), shift);
    _mm256_storeu_si256((__m256i *)(y + i), _mm256_xor_si256(_mm256_packs_epi16(low, high), flip));
  }
  return i;
}

/* Of 64 entries; index[i] is below 128 where the entry is one of the i-th 16. */
static inline __m256i quarter(const uint8_t *table, const __m256i index[4]) {
  __m256i part[4];
  for (int i = 0; i < 4; i++) part[i] = _mm256_shuffle_epi8(sixteen(table + 16 * i), index[i]);
  return _mm256_or_si256(_mm256_or_si256(part[0], part[1]), _mm256_or_si256(part[2], part[3]));
}

static int64_t by_shuffles(int64_t n, const uint8_t *x, uint8_t *y, const uint8_t *table) {
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
  return i;
}

void sam_u8_lookup__avx2(int64_t n, const void *px, void *py, const sam_unary_params *p) {
  const uint8_t *x = px, *table = p->table;
  uint8_t *y = py;
  int64_t i = p->lines   ? by_lines(n, x, y, p->lines)
              : p->curve ? by_curve(n, x, y, p->curve)
                         : by_shuffles(n, x, y, table);
  for (; i < n; i++) y[i] = table[x[i]];
}
