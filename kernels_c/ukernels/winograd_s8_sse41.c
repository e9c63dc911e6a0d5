#include "ukernels/simd_sse41.h"

#define VW_N 8
#define WIDE 2
typedef __m128i vw;
static inline vw vw_add(vw a, vw b) { return _mm_add_epi16(a, b); }
static inline vw vw_sub(vw a, vw b) { return _mm_sub_epi16(a, b); }
static inline void vw_store(int16_t *p, vw v) { v_store(p, v); }
static inline vw vw_load_s8(const uint8_t *p, uint8_t flip) {
  return _mm_cvtepi8_epi16(vb_xor(v_load_8(p), vb_set(flip)));
}
#define load_pair vi_load_same
static inline vi load_pairs(const int16_t *p) { return v_load(p); }
#define DOT(acc, a, w) acc = vi_add_pairs(acc, a, w)

/* The body, over that vector layer: */
#include "ukernels/winograd_s8.inc"
