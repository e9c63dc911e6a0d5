/* Samara: s8_gemm with sdot on cores that execute in order. */
#define IN_ORDER 1
#define KERNEL sam_s8_gemm__neoninorder
#include "ukernels/gemm_s8_neondot.inc"
