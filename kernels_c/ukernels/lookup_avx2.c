/* Samara: tables of 256 bytes with AVX2. */
#include "ukernels/simd_avx2.h"

#define OP(name) _mm256_##name
static inline vb sixteen(const void *p) { return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)p)); }

#include "ukernels/lookup_x86.inc"

void sam_u8_lookup__avx2(int64_t n, const void *x, void *y, const sam_unary_params *p) { lookup(n, x, y, p); }
