#include "ukernels/simd_sse41.h"

#define UNSIGNED
#define KERNEL(kind) sam_u8_##kind##__sse41
#include "ukernels/dwconv_halves.inc"
