/* Sums of bytes in 16-bit lanes: 16 of them at a time. */
#include "ukernels/simd_sse41.h"
#include "ukernels/ukernels.h"

#define OP(name) _mm_##name
#include "ukernels/digits_x86.inc"
