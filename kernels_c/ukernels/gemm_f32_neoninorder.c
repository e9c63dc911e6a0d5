/* Samara: f32_gemm on NEON for cores like the Cortex-A55. */
#define A55 1
#define KERNEL sam_f32_gemm__neoninorder
#include "ukernels/gemm_f32_neon.inc"
