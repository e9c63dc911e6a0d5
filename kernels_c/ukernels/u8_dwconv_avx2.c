#define UNSIGNED
#define BLOCK 16
#define KERNEL(kind) sam_u8_##kind##__avx2
#include "ukernels/dwconv_pairs.inc"
