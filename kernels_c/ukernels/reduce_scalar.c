#include "ukernels/simd_scalar.h"

typedef uint16_t byte_sums;
#define NO_BYTES 0
static inline byte_sums byte_sums_add(byte_sums s, vb x) { return (byte_sums)(s + x); }
static inline void byte_sums_store(uint16_t *p, byte_sums s) { *p = s; }

static inline vm still_real(vm real, vf a, vf b) { return real && a == a && b == b; }
static inline vi vi_add_bytes(vi total, vb x) { return total + x; }
static inline int32_t vi_hmax(vi a) { return a; }
static inline uint8_t vb_hmax(vb a) { return a; }

#include "ukernels/reduce.inc"
