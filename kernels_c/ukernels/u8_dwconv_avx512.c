#define UNSIGNED
#define BLOCK 32
#define KERNEL(kind) sam_u8_##kind##__avx512
#include "ukernels/dwconv_pairs.inc"
