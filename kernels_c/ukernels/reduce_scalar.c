#include "ukernels/simd_scalar.h"

#define VH_N 1
typedef uint16_t vh;
static inline vh vh_set(uint16_t x) { return x; }
static inline vh vh_add(vh a, vh b) { return (vh)(a + b); }
static inline vh vh_xor(vh a, vh b) { return a ^ b; }
static inline vh vh_load_u8(const uint8_t *p) { return *p; }
static inline void vh_store(uint16_t *p, vh v) { *p = v; }

static inline vi vi_add_bytes(vi total, vb x) { return total + x; }
static inline int32_t vi_hmax(vi a) { return a; }
static inline uint8_t vb_hmax(vb a) { return a; }

#include "ukernels/reduce.inc"
