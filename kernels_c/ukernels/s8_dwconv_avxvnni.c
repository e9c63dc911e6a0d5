/* An assembler line as in the AVX-512 instance; {vex} asks for the AVX-VNNI encoding. */
#define WITH_5X5
#define BLOCK 32
#define DOT(acc, x, w) __asm__("%{vex%} vpdpbusd %2, %1, %0" : "+x"(acc) : "x"(x), "m"(*(const __typeof__(acc) *)(w)))
#define KERNEL(kind) sam_s8_##kind##__avxvnni
#include "ukernels/dwconv_vnni.inc"
