#include "ukernels/simd_sse41.h"
#include "ukernels/ukernels.h"
/* The body, over that vector layer: */
#include "f32_lstm.inc"
