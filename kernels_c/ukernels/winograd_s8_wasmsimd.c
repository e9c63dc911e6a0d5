#include "ukernels/simd_wasmsimd.h"
/* The body, over that vector layer: */
#include "ukernels/winograd_s8_halves.inc"
