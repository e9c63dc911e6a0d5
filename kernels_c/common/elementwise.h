/* Samara: what the elementwise operators hand to their kernels. */
#ifndef SAM_COMMON_ELEMENTWISE_H
#define SAM_COMMON_ELEMENTWISE_H

#include "fixed_point.h"

/* Elements one task of sam_parallel takes: large enough to hide the call, small enough to stay in the first cache. */
enum { SAM_ELEMENTWISE_BLOCK = 4096 };

/* Inside a row an input advances by one element or is one repeated value. */
enum { SAM_STEP_A = 1, SAM_STEP_B = 2, SAM_STEP_BOTH = 3 };

typedef struct sam_binary_params {
  float lo, hi;              /* f32: fused activation */
  int64_t ilo, ihi;          /* integers: fused activation, in quantized units where there are such */
  float fa, fb, fc;          /* int8, uint8: see sam_binary kernels in ops/binary.c */
  int32_t za, zb, zy;        /* zero points */
  sam_multiplier ma, mb, my; /* int16 */
  int32_t left;              /* int16: bits of headroom before ma, mb; shift of the power-of-two path */
} sam_binary_params;

typedef void (*sam_binary_fn)(int64_t n, const void *a, const void *b, void *y, int steps, const sam_binary_params *p);

#endif
