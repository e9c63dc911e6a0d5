#define UNSIGNED
#define BLOCK 64
#define KERNEL(kind) sam_u8_##kind##__avx512vnni
#include "ukernels/dwconv_vnni.inc"
