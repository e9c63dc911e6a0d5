#include "ukernels/simd_wasmsimd.h"
/* The body, over that vector layer, which on x86 has sixteen registers: */
#define FEW_REGISTERS
#include "ukernels/f32_dwconv.inc"
