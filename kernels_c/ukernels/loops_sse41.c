#include "ukernels/simd_sse41.h"

/* The body, over that vector layer: */
#include "ukernels/loops.inc"
