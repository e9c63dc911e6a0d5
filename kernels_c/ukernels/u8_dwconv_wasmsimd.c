#include "ukernels/simd_wasmsimd.h"

#define UNSIGNED
#define KERNEL(kind) sam_u8_##kind##__wasmsimd
#include "ukernels/dwconv_halves.inc"
