/* Samara: s8_gemm with sdot. */
#define IN_ORDER 0
#define KERNEL sam_s8_gemm__neondot
#include "ukernels/gemm_s8_neondot.inc"
