/* Samara: s8_gemm with vpdpbusd in its VEX form, 256 bits; the left side is unsigned. */
#include "ukernels/simd_avx2.h"
#include "ukernels/dpbusd.h"
#include "ukernels/ukernels.h"

enum { KR = 4, STEP_BYTES = 32 };

static inline vi load_w(const int8_t *p) { return _mm256_load_si256((const __m256i *)p); }
static inline vi load_a(const char *p) {
  int32_t x;
  __builtin_memcpy(&x, p, 4);
  return _mm256_set1_epi32(x);
}
#define DOT SAM_DPBUSD

#include "ukernels/gemm_s8_avx2.inc"
#include "ukernels/gemm_u8_form.inc"

sam_s8_gemm_t sam_s8_gemm__avxvnni = {
    .tile = {6, 8, 4, 100}, .form = SAM_A_U8, .run = run, .convert = convert_u8, .row_sums = row_sums_u8};
