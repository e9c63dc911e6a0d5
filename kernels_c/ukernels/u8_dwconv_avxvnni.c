#define UNSIGNED
#define BLOCK 32
#define KERNEL(kind) sam_u8_##kind##__avxvnni
#include "ukernels/dwconv_vnni.inc"
