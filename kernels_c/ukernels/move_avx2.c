/* Samara: moving elements with AVX2. */
#include <immintrin.h>

#include "ukernels/move_square.h"
#include "ukernels/ukernels.h"

enum { BLOCK_1 = 16, BLOCK_2 = 8, BLOCK_4 = 8, BLOCK_8 = 4 };

static inline __m128i load(const void *p) { return _mm_loadu_si128((const __m128i *)p); }
static inline void store(void *p, __m128i v) { _mm_storeu_si128((__m128i *)p, v); }
static inline __m256i load_32(const void *p) { return _mm256_loadu_si256((const __m256i *)p); }

#define STORE(to, below, v) store(to, v)
SAM_SQUARE(block_1, u8, __m128i, _mm_unpacklo_epi8, _mm_unpackhi_epi8, 16, 4, load, STORE)
SAM_SQUARE(block_2, u16, __m128i, _mm_unpacklo_epi16, _mm_unpackhi_epi16, 8, 3, load, STORE)

/* Two squares below each other: one in the lower, one in the upper half of each register. */
#define STORE_HALVES(to, below, v)                         \
  do {                                                     \
    store(to, _mm256_castsi256_si128(v));                  \
    store((to) + (below), _mm256_extracti128_si256(v, 1)); \
  } while (0)
SAM_SQUARE(twice_1, u8, __m256i, _mm256_unpacklo_epi8, _mm256_unpackhi_epi8, 16, 4, load_32, STORE_HALVES)
SAM_SQUARE(twice_2, u16, __m256i, _mm256_unpacklo_epi16, _mm256_unpackhi_epi16, 8, 3, load_32, STORE_HALVES)
#define TWICE_1 twice_1
#define TWICE_2 twice_2

static inline void block_4(u32 *d, int64_t row, const u32 *s, int64_t col) {
  __m256 a[8], b[8];
  /* Rows i and i + 4 share a register half each, so that all later steps stay within the halves. */
  for (int i = 0; i < 4; i++) {
    const float *p = (const float *)(const void *)(s + i * col), *q = (const float *)(const void *)(s + (i + 4) * col);
    a[i] = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p)), _mm_loadu_ps(q), 1);
    a[i + 4] = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p + 4)), _mm_loadu_ps(q + 4), 1);
  }
  for (int h = 0; h < 8; h += 4) {
    b[h] = _mm256_unpacklo_ps(a[h], a[h + 2]);
    b[h + 1] = _mm256_unpackhi_ps(a[h], a[h + 2]);
    b[h + 2] = _mm256_unpacklo_ps(a[h + 1], a[h + 3]);
    b[h + 3] = _mm256_unpackhi_ps(a[h + 1], a[h + 3]);
    a[h] = _mm256_unpacklo_ps(b[h], b[h + 2]);
    a[h + 1] = _mm256_unpackhi_ps(b[h], b[h + 2]);
    a[h + 2] = _mm256_unpacklo_ps(b[h + 1], b[h + 3]);
    a[h + 3] = _mm256_unpackhi_ps(b[h + 1], b[h + 3]);
  }
  for (int i = 0; i < 8; i++) _mm256_storeu_ps((float *)(void *)(d + i * row), a[i]);
}

static inline void block_8(u64 *d, int64_t row, const u64 *s, int64_t col) {
  for (int r = 0; r < 4; r += 2)
    for (int c = 0; c < 4; c += 2) {
      __m128i x = load(s + c * col + r), y = load(s + (c + 1) * col + r);
      store(d + r * row + c, _mm_unpacklo_epi64(x, y));
      store(d + (r + 1) * row + c, _mm_unpackhi_epi64(x, y));
    }
}

typedef __m256i wide;
static inline wide load_wide(const void *p) { return load_32(p); }
static inline void store_wide(void *p, wide v) { _mm256_storeu_si256((__m256i *)p, v); }
static inline wide wide_of_1(u8 x) { return _mm256_set1_epi8((char)x); }
static inline wide wide_of_2(uint16_t x) { return _mm256_set1_epi16((short)x); }
static inline wide wide_of_4(uint32_t x) { return _mm256_set1_epi32((int)x); }
static inline wide wide_of_8(uint64_t x) { return _mm256_set1_epi64x((long long)x); }

#include "move.inc"

sam_move_t sam_move__avx2 = MOVE_TABLE;
