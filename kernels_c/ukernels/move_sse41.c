/* Samara: moving elements with SSE4.1. */
#include "ukernels/simd_sse41.h"
#include "ukernels/ukernels.h"

static inline vb spread_64(uint64_t x) { return _mm_set1_epi64x((long long)x); }
#define low_8 _mm_unpacklo_epi8
#define low_16 _mm_unpacklo_epi16
#define low_32 _mm_unpacklo_epi32
#define low_64 _mm_unpacklo_epi64
#define high_8 _mm_unpackhi_epi8
#define high_16 _mm_unpackhi_epi16
#define high_32 _mm_unpackhi_epi32
#define high_64 _mm_unpackhi_epi64

#include "ukernels/move_halves.inc"
