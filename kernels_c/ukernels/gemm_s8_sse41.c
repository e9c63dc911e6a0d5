#include "ukernels/simd_sse41.h"
/* The body, over that vector layer: */
#include "ukernels/gemm_s8_halves.inc"
