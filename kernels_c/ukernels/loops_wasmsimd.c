#include "ukernels/simd_wasmsimd.h"

/* The body, over that vector layer: */
#include "ukernels/loops.inc"
