#include "ukernels/simd_sse41.h"

#define vi_high vi_mul_high

/* The body, over that vector layer: */
#include "ukernels/arith.inc"
