/* Sums of bytes in 16-bit lanes: 64 of them at a time. */
#include "ukernels/simd_avx512.h"
#include "ukernels/ukernels.h"

#define OP(name) _mm512_##name
#include "ukernels/digits_x86.inc"
