/* Samara: tables of 256 bytes with SSE4.1. */
#include "ukernels/simd_sse41.h"

#define OP(name) _mm_##name
static inline vb sixteen(const void *p) { return vb_load(p); }

#include "ukernels/lookup_x86.inc"

void sam_u8_lookup__sse41(int64_t n, const void *x, void *y, const sam_unary_params *p) { lookup(n, x, y, p); }
