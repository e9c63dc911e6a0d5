/* Samara: s8_gemm on AVX2: both sides widened to 16 bits, vpmaddwd, exact; and the kernel for fitted weights, for which
 * vpmaddubsw does not saturate. */
#include "ukernels/simd_avx2.h"
#include "ukernels/ukernels.h"

enum { KR = 2, STEP_BYTES = 16 };

static inline vi load_w(const int8_t *p) { return _mm256_cvtepi8_epi16(_mm_load_si128((const __m128i *)p)); }
#define WIDENS
static inline vi load_spread(const int8_t *p) { return _mm256_load_si256((const __m256i *)p); }
static inline vi load_a(const char *p) {
  int32_t x;
  __builtin_memcpy(&x, p, 4);
  return _mm256_set1_epi32(x);
}
#define DOT(acc, a, w) acc = _mm256_add_epi32(acc, _mm256_madd_epi16(a, w))

#include "ukernels/gemm_s16_form.inc"
#include "ukernels/gemm_s8_avx2.inc"

static inline vi load_bytes(const int8_t *p) { return _mm256_loadu_si256((const __m256i *)p); }
static inline vi products(vi a, vi w) { return _mm256_maddubs_epi16(a, w); }
static inline vi add16(vi x, vi y) { return _mm256_add_epi16(x, y); }
static inline vi add_pairs(vi x) { return _mm256_madd_epi16(x, _mm256_set1_epi16(1)); }

static inline vi lower(vi x) { return vb_low_s4(x); }
static inline vi upper(vi x) { return vb_high_s4(x); }

#include "ukernels/gemm_s8_fitted.inc"
#include "ukernels/gemm_u8_form.inc"

/* Sums of four: two bytes next to each other and the two 4 bytes on. 127 may be a saturated number: too many. */
static inline __m256i four_over(__m256i x) {
  const __m256i pairs = _mm256_maddubs_epi16(_mm256_max_epi8(x, _mm256_setzero_si256()), _mm256_set1_epi8(1));
  return _mm256_cmpgt_epi16(_mm256_add_epi16(pairs, _mm256_srli_epi64(pairs, 32)), _mm256_set1_epi16(126));
}

static void fit_over(int64_t n, const uint8_t *x, uint8_t flip, int32_t zero, uint8_t bit, uint8_t *flags) {
  const __m256i flips = vb_set(flip), zeros = vb_set((uint8_t)zero);
  for (int64_t i = 0; i < n; i += 32, flags += 4) {
    uint8_t part[32];
    if (n - i < 32) {
      memset(part, (uint8_t)zero ^ flip, sizeof part);
      memcpy(part, x + i, (size_t)(n - i));
    }
    const __m256i w = _mm256_subs_epi8(vb_xor(vb_load(n - i < 32 ? part : x + i), flips), zeros);
    const __m256i over = _mm256_or_si256(four_over(w), four_over(_mm256_subs_epi8(_mm256_setzero_si256(), w)));
    const __m256i fits = _mm256_cmpeq_epi64(_mm256_slli_epi64(over, 32), _mm256_setzero_si256());
    const uint32_t unfit = 15u & ~(uint32_t)_mm256_movemask_pd(_mm256_castsi256_pd(fits));
    uint32_t four; /* bit b of `unfit` goes to byte b, as no branch could foresee */
    memcpy(&four, flags, 4);
    four |= (unfit * 0x00204081u & 0x01010101u) * bit;
    memcpy(flags, &four, 4);
  }
}

static sam_s8_gemm_t fitted = {.tile = {4, 8, 4, 36},
                               .form = SAM_A_U8,
                               .fit_over = fit_over,
                               .run = fitted_run,
                               .convert = convert_u8,
                               .row_sums = row_sums_u8};

static sam_s8_gemm_t int4 = {
    .tile = {4, 8, 4, 36}, .form = SAM_A_U8, .run = int4_run, .convert = convert_u8, .row_sums = row_sums_u8};

sam_s8_gemm_t sam_s8_gemm__avx2 = {.tile = {6, 8, 2, 25},
                                   .form = SAM_A_S16,
                                   .pair = -1,
                                   .fitted = &fitted,
                                   .int4 = &int4,
                                   .takes_zero = spreads,
                                   .run = run,
                                   .convert = convert_s16,
                                   .row_sums = row_sums_s16};
