#include "ukernels/simd_wasmsimd.h"

#define WITH_5X5
#define KERNEL(kind) sam_s8_##kind##__wasmsimd
#include "ukernels/dwconv_halves.inc"
