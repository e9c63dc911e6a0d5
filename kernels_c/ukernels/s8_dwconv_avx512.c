#define WITH_5X5
#define BLOCK 32
#define KERNEL(kind) sam_s8_##kind##__avx512
#include "ukernels/dwconv_pairs.inc"
