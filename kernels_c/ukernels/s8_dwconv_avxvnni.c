#define WITH_5X5
#define BLOCK 32
#define KERNEL(kind) sam_s8_##kind##__avxvnni
#include "ukernels/dwconv_vnni.inc"
