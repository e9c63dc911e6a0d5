/* Samara: tables of 256 bytes with AVX2. */
#include "ukernels/simd_avx2.h"

#define OP(name) _mm256_##name
static inline vb sixteen(const void *p) { return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)p)); }

#include "ukernels/lookup_x86.inc"
