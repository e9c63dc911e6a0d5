#define WITH_5X5
#define BLOCK 64
#define KERNEL(kind) sam_s8_##kind##__avx512vnni
#include "ukernels/dwconv_vnni.inc"
