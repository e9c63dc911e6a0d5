#include "ukernels/simd_wasmsimd.h"
#include "ukernels/ukernels.h"
/* The body, over that vector layer: */
#include "f32_lstm.inc"
