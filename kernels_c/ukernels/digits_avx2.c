/* Sums of bytes in 16-bit lanes: 32 of them at a time. */
#include "ukernels/simd_avx2.h"
#include "ukernels/ukernels.h"

#define OP(name) _mm256_##name
#include "ukernels/digits_x86.inc"
