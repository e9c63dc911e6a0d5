#include "ukernels/simd_neon.h"

/* a * b / 2^31, halves up. */
static inline vi vi_high(vi a, vi b) { return vqrdmulhq_s32(a, b); }

/* The body, over that vector layer: */
#include "ukernels/arith.inc"
