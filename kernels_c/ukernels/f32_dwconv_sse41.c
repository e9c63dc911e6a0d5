#include "ukernels/simd_sse41.h"
/* The body, over that vector layer, which has sixteen registers: */
#define FEW_REGISTERS
#include "ukernels/f32_dwconv.inc"
