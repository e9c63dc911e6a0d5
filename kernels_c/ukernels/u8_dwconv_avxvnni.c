/* An assembler line as in the AVX-512 instance; {vex} asks for the AVX-VNNI encoding. */
#define UNSIGNED
#define BLOCK 32
#define DOT(acc, x, w) __asm__("%{vex%} vpdpbusd %2, %1, %0" : "+x"(acc) : "x"(x), "m"(*(const __typeof__(acc) *)(w)))
#define KERNEL(kind) sam_u8_##kind##__avxvnni
#include "ukernels/dwconv_vnni.inc"
