#include "ukernels/simd_scalar.h"

/* a * b / 2^31, halves up: sam_high_mul32 without its overflow. */
static inline vi vi_high(vi a, vi b) { return (vi)(((int64_t)a * b + (INT64_C(1) << 30)) >> 31); }

/* The body, over that vector layer: */
#include "ukernels/arith.inc"
