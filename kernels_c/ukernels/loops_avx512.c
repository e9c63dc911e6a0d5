#include "ukernels/simd_avx512.h"

/* The body, over that vector layer: */
#include "ukernels/loops.inc"
