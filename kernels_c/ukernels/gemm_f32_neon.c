/* Samara: f32_gemm on NEON. */
#define A55 0
#define KERNEL sam_f32_gemm__neon
#include "ukernels/gemm_f32_neon.inc"
