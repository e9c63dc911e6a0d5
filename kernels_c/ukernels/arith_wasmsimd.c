#include "ukernels/simd_wasmsimd.h"

#define vi_high vi_mul_high

/* The body, over that vector layer: */
#include "ukernels/arith.inc"
