#include "ukernels/simd_avx2.h"

/* The body, over that vector layer: */
#include "ukernels/loops.inc"
