/* Samara: which instructions this machine has, and which of them the kernels use.
 *
 *      features of the CPU  --SAMARA_ISA masks-->  one level, chosen at program start  -->  the table sam_uk
 *
 * A level is a name for a set of features; a microkernel of level L runs when all features of L are there. Nothing
 * ever executes an instruction that the CPU or its operating system lacks. */
#ifndef SAM_COMMON_CPU_H
#define SAM_COMMON_CPU_H

#include "samara/types.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
  SAM_CPU_AVX2 = 1 << 0,       /* with FMA and F16C */
  SAM_CPU_AVXVNNI = 1 << 1,    /* the VEX form of vpdpbusd */
  SAM_CPU_AVX512 = 1 << 2,     /* F, BW, DQ, VL */
  SAM_CPU_AVX512VNNI = 1 << 3, /* VNNI and VBMI: Ice Lake, Zen 4 and later */
  SAM_CPU_NEON = 1 << 4,       /* ARM64 always; 32-bit ARM with fused multiply-add (VFPv4) */
  SAM_CPU_NEONDOT = 1 << 5,    /* sdot, udot */
  SAM_CPU_NEONFP16 = 1 << 6,   /* half-precision arithmetic */
  SAM_CPU_NEONI8MM = 1 << 7,   /* smmla */
  SAM_CPU_WASMSIMD = 1 << 8,
  SAM_CPU_INORDER = 1 << 9, /* executes in order: what is fast, not what may run */
  SAM_CPU_SSE41 = 1 << 10   /* and what comes before it */
};

/* What one level needs; a level is named like the suffix of its files. */
enum {
  SAM_LEVEL_scalar = 0,
  SAM_LEVEL_sse41 = SAM_CPU_SSE41,
  SAM_LEVEL_avx2 = SAM_CPU_SSE41 | SAM_CPU_AVX2,
  SAM_LEVEL_avxvnni = SAM_LEVEL_avx2 | SAM_CPU_AVXVNNI,
  SAM_LEVEL_avx512 = SAM_LEVEL_avx2 | SAM_CPU_AVX512,
  SAM_LEVEL_avx512vnni = SAM_LEVEL_avx512 | SAM_CPU_AVX512VNNI,
  SAM_LEVEL_neon = SAM_CPU_NEON,
  SAM_LEVEL_neondot = SAM_CPU_NEON | SAM_CPU_NEONDOT,
  SAM_LEVEL_neoninorder = SAM_CPU_NEON | SAM_CPU_NEONDOT | SAM_CPU_INORDER,
  SAM_LEVEL_neonfp16 = SAM_CPU_NEON | SAM_CPU_NEONDOT | SAM_CPU_NEONFP16,
  SAM_LEVEL_neoni8mm = SAM_CPU_NEON | SAM_CPU_NEONDOT | SAM_CPU_NEONFP16 | SAM_CPU_NEONI8MM,
  SAM_LEVEL_wasmsimd = SAM_CPU_WASMSIMD
};

/* The features of this machine, whatever the mask says. */
uint32_t sam_cpu_features(void);

/* The i-th level of all architectures, weakest first ("scalar" is 0); NULL past the end. `features` may be NULL. */
const char *sam_isa_name(int i, uint32_t *features);

/* The name of the best level within `features`. */
const char *sam_isa_best(uint32_t features);

/* The features the environment variable SAMARA_ISA leaves. An unknown name leaves all. Any machine may be said to
 * execute in order. */
uint32_t sam_isa_masked(uint32_t features);

#ifdef __cplusplus
}
#endif
#endif
