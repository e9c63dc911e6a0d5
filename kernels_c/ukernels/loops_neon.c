#include "ukernels/simd_neon.h"

/* The body, over that vector layer: */
#include "ukernels/loops.inc"
