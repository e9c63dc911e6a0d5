#include "ukernels/simd_scalar.h"

/* The body, over that vector layer: */
#include "ukernels/loops.inc"
