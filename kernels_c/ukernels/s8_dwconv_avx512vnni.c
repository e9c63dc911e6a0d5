/* The dot product is an assembler line because GCC 12 spills the sums around the intrinsic. */
#define WITH_5X5
#define BLOCK 64
#define DOT(acc, x, w) __asm__("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(x), "m"(*(const __typeof__(acc) *)(w)))
#define KERNEL(kind) sam_s8_##kind##__avx512vnni
#include "ukernels/dwconv_vnni.inc"
