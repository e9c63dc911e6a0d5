#include "ukernels/simd_sse41.h"

#define WITH_5X5
#define KERNEL(kind) sam_s8_##kind##__sse41
#include "ukernels/dwconv_halves.inc"
