#define WITH_5X5
#define BLOCK 16
#define KERNEL(kind) sam_s8_##kind##__avx2
#include "ukernels/dwconv_pairs.inc"
