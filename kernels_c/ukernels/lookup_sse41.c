/* Samara: tables of 256 bytes with SSE4.1. */
#include "ukernels/simd_sse41.h"

#define OP(name) _mm_##name
static inline vb sixteen(const void *p) { return vb_load(p); }

#include "ukernels/lookup_x86.inc"
